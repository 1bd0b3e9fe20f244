"""How a plug-in says what its configuration looks like."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]  # JSON Schema, draft 2020-12
