"""Loads conformance cases: `recorded` ones lie here, `public` ones beside the project and are never copied into it."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

_HERE = Path(__file__).parent
_PUBLIC = _HERE.parents[2] / "shared" / "conformance" / "public"


def recorded(name: str) -> list[dict[str, Any]]:
    """All cases of one file of our own inputs."""
    return _load(_HERE / "recorded" / f"{name}.json")


def public(name: str) -> list[dict[str, Any]]:
    """All cases of one file of the original programs' inputs. Skips where there is none; with CI=true that fails."""
    path = _PUBLIC / f"{name}.json"
    if path.exists():
        return _load(path)
    reason = f"the public conformance cases are not beside this project ({name}.json)"
    if os.environ.get("CI") == "true":  # noqa: TID251  # tests have no settings
        pytest.fail(reason)
    pytest.skip(reason)


def _load(path: Path) -> list[dict[str, Any]]:
    cases = json.loads(path.read_text())
    assert isinstance(cases, list)
    assert cases
    return cases
