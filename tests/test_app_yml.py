"""app.yml asks for exactly the events that are handled and the permissions that are used."""

from pathlib import Path

import yaml

from bot.github.routes import Level, needed_permissions
from bot.server.events import EVENTS, HANDLED

TEXT = (Path(__file__).parents[1] / "app.yml").read_text(encoding="utf-8")
MANIFEST = yaml.safe_load(TEXT)


def test_the_events_are_those_we_handle() -> None:
    assert MANIFEST["default_events"] == sorted(HANDLED)


def test_the_permissions_are_those_our_calls_and_events_need() -> None:
    events = [((event.permission, Level.READ),) for event in EVENTS if event.permission]
    assert MANIFEST["default_permissions"] == needed_permissions(events)


def test_every_permission_says_what_it_is_for() -> None:
    lines = [line for line in TEXT.splitlines() if line.startswith("  ") and ": " in line]
    assert {line.split(":")[0].strip() for line in lines} == set(MANIFEST["default_permissions"])
    assert all(" # " in line for line in lines)
