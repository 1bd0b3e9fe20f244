"""What a test needs of the machine it runs on."""

from __future__ import annotations

import os

import pytest


def required(condition: object, reason: str) -> None:
    """Skip the test unless `condition` holds, and say why; with CI=true it fails, so that nothing is skipped unseen."""
    if condition:
        return
    if os.environ.get("CI") == "true":  # noqa: TID251  # tests have no settings
        pytest.fail(reason)
    pytest.skip(reason)
