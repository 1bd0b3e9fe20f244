"""What is written to a lock is what is read from it, and nothing else is believed."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core import lock
from bot.core.lock import Lock, Way
from bot.core.model import CommitSha, RepositoryName, StageName
from bot.core.notes import LARGEST, Metadata
from tests.core.test_notes import json_values, metadata
from tests.core.world import freight

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def a_lock(actor: str = "maintainer", paths: tuple[str, ...] = ("out/stages/test",)) -> Lock:
    one = freight("1.0.0", NOW)
    return Lock(StageName("test"), "test.01", one.id, (one,), actor, Way.COMMAND, paths, "acme/shop#comment-1/1")


@given(actor=st.text(st.characters(exclude_categories=["Cs", "Cc"])), paths=st.lists(st.text("abc/.- #:", min_size=1)))
def test_a_lock_is_read_as_it_was_written(actor: str, paths: list[str]) -> None:
    written = a_lock(actor, tuple(paths))

    assert lock.read(lock.write(written)) == written


@given(metadata, metadata, metadata, st.booleans())
def test_what_was_noted_is_read_as_it_was_written(
    stage: Metadata, own: Metadata, inherited: Metadata, renamed: bool
) -> None:
    plain = a_lock()
    (one,) = plain.collection
    written = replace(
        plain,
        metadata=stage,
        freight_metadata={one.id: own} if own else {},
        inherited={one.id: inherited} if inherited else {},
        renamed=frozenset([one.id] if renamed else []),
    )

    assert lock.read(lock.write(written)) == written


@given(json_values)
def test_what_is_the_same_object_twice_is_written_twice(value: object) -> None:
    written = replace(a_lock(), metadata={"one": value, "two": [value, value]})

    assert lock.read(lock.write(written)) == written


def test_as_much_as_may_be_noted_can_be_read() -> None:
    deep: object = list(range(LARGEST // 8))
    for _ in range(18):
        deep = [deep]
    written = replace(a_lock(), metadata={"a": deep})

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
        (lambda text: f"{text}metadata: [1]\n", "not a mapping"),
        (lambda text: f"{text}metadata: {{1: 2}}\n", "key 1"),
        (lambda text: f"{text}metadata: {{at: 2026-01-01}}\n", "at is no text"),
        (lambda text: text.replace("  alias:", "  metadata: 7\n  alias:"), "not a mapping"),
        (lambda text: text.replace("  alias:", "  unheard: 7\n  alias:"), "not known"),
        (lambda text: text.replace("freight:", "freight: [7]\nx:"), "not a mapping"),
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


KEY, SHOP, PARENT = b"k" * 32, RepositoryName("acme/shop"), CommitSha("a" * 40)


@given(st.binary(max_size=40), st.integers(0, 10_000))
def test_a_sealed_lock_is_believed_as_it_was_written_and_in_no_other_way(junk: bytes, place: int) -> None:
    sealed = lock.seal(lock.write(a_lock()), KEY, SHOP, PARENT).encode()
    cut = place % len(sealed)
    changed = sealed[:cut] + junk + sealed[cut:]

    assert lock.read(sealed) == a_lock()
    assert lock.is_sealed(sealed, KEY, SHOP, PARENT)
    assert lock.is_sealed(sealed, KEY, RepositoryName("Acme/Shop"), PARENT)
    assert lock.is_sealed(changed, KEY, SHOP, PARENT) is (changed.strip() == sealed.strip() or not junk)
    assert not lock.is_sealed(sealed, b"x" * 32, SHOP, PARENT)
    assert not lock.is_sealed(sealed, KEY, RepositoryName("acme/other"), PARENT)
    assert not lock.is_sealed(sealed, KEY, SHOP, CommitSha("b" * 40))
    assert not lock.is_sealed(lock.write(a_lock()).encode(), KEY, SHOP, PARENT)
