"""What is written to a lock is what is read from it, and nothing else is believed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import lock
from bot.core.lock import Lock, Way
from bot.core.model import StageName
from tests.core.world import freight

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def a_lock(actor: str = "maintainer", paths: tuple[str, ...] = ("out/stages/test",)) -> Lock:
    one = freight("1.0.0", NOW)
    return Lock(StageName("test"), "test.01", one.id, (one,), actor, Way.COMMAND, paths, "acme/shop#comment-1/1")


@given(actor=st.text(st.characters(exclude_categories=["Cs", "Cc"])), paths=st.lists(st.text("abc/.- #:", min_size=1)))
def test_a_lock_is_read_as_it_was_written(actor: str, paths: list[str]) -> None:
    written = a_lock(actor, tuple(paths))

    assert lock.read(lock.write(written)) == written


def test_a_lock_is_fit_for_people_and_for_no_gitops_agent() -> None:
    assert lock.path(StageName("test")) == ".promotion/test.lock"
    assert "tag: 1.0.0" in lock.write(a_lock())
    assert "apiVersion" not in lock.write(a_lock())


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda text: text.replace("tag: 1.0.0", "tag: 6.6.6"), "id"),
        (lambda text: "- just\n- a list\n", "mapping"),
        (lambda text: "", "mapping"),
        (lambda text: "stage: [", "YAML"),
        (lambda text: "stage: test\n", "missing"),
        (lambda text: text.replace("way: command", "way: magic"), "magic"),
        (lambda text: text.replace("promoted: ", "promoted: 0"), "not listed"),
        (lambda text: f"a: &a [x]\nstage: *a\n{text}", "alias"),
        (lambda text: f"{text}# {'x' * 1_000_000}\n", "too large"),
    ],
)
def test_a_lock_that_was_meddled_with_is_refused_with_a_reason(change: object, reason: str) -> None:
    assert callable(change)

    with pytest.raises(ValueError, match=reason):
        lock.read(change(lock.write(a_lock())))


@given(st.binary(max_size=200))
def test_no_content_breaks_the_reader(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        lock.read(content)
