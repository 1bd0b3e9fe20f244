"""Values that occur in every payload."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import Any

JsonObject = dict[str, Any]


def stamp(moment: datetime) -> str:
    """A time as GitHub writes it: UTC, whole seconds, `Z`."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def stamp_or_none(moment: datetime | None) -> str | None:
    """The same, for a time that may be missing."""
    return None if moment is None else stamp(moment)


def node_id(kind: str, number: int | str) -> str:
    """An opaque GraphQL id."""
    return base64.b64encode(f"{len(kind)}:{kind}{number}".encode()).decode()
