"""A command's one name, and the quick look that finds it."""

import pytest

from bot.core.jobs import CommandRef, has_command
from bot.core.model import RepositoryName


def test_a_command_has_a_key_of_its_own_and_survives_the_work_store() -> None:
    ref = CommandRef(RepositoryName("acme/shop"), 5, 123)
    assert ref.key == "acme/shop#comment-123"
    assert CommandRef.from_details(ref.repository, dict(ref.details)) == ref


@pytest.mark.parametrize(
    ("body", "may"),
    [
        ("/status", True),
        ("   /status", True),
        ("text\n/status", True),
        ("<!-- x -->/status", True),
        ("<!-- x\n --> /status", True),
        ("a/b", False),
        ("// no", False),
        ("/ no", False),
        ("", False),
    ],
)
def test_a_quick_look_at_a_comment(body: str, may: bool) -> None:
    assert has_command(body) is may
