"""The address that a step asks."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit


def with_parameters(config: Mapping[str, Any]) -> str:
    """The `url` with `queryParams` added to those it has."""
    given = [(each["name"], each["value"]) for each in config.get("queryParams", ())]
    parts = urlsplit(config["url"])
    if not given:
        return str(config["url"])
    query = urlencode([*parse_qsl(parts.query, keep_blank_values=True), *given])
    return str(urlunsplit(parts._replace(query=query)))
