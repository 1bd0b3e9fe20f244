"""All routes together: each is one of GitHub's, said once."""

from __future__ import annotations

from bot.sandbox.rest.areas import ROUTES
from tests.contract.openapi import contract


def test_every_route_is_an_operation_of_github() -> None:
    unknown = [
        f"{route.method} {route.path}"
        for route in ROUTES
        if (found := contract().operation(route.method, route.path)) is None or found.template != route.path
    ]
    assert not unknown


def test_no_route_is_said_twice() -> None:
    names = [(route.method, route.path) for route in ROUTES]
    assert len(names) == len(set(names))
