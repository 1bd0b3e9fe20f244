"""Which lines of a comment are commands."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.comments import MOST_PER_COMMENT, commands

VERBS = ("promote", "rollback", "status", "help")


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("/promote uat", [("promote", ("uat",))]),
        ("/promote uat 1.2.3", [("promote", ("uat", "1.2.3"))]),
        ("/PROMOTE uat", [("promote", ("uat",))]),
        ("/promote `uat`", [("promote", ("uat",))]),
        ('/promote uat "quiet otter"', [("promote", ("uat", "quiet otter"))]),
        ("  /status  ", [("status", ())]),
        ("please\n/promote uat\nand\n/status", [("promote", ("uat",)), ("status", ())]),
        ("/status\r\n/help\r\n", [("status", ()), ("help", ())]),
        ("do /promote uat now", []),
        ("> /promote uat", []),
        ("    /promote uat", []),
        ("```\n/promote uat\n```", []),
        ("~~~sh\n/promote uat\n~~~\n/status", [("status", ())]),
        ("````\n```\n/promote uat\n````", []),
        ("```\n/promote uat", []),
        ("<!-- /promote uat -->", []),
        ("<!--\n/promote uat\n-->", []),
        ("/etc/passwd", []),
        ("/deploy prod", []),
        ("", []),
    ],
)
def test_only_lines_that_start_with_a_verb_of_ours_count(
    body: str, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert [(one.verb, one.args) for one in commands(body, VERBS)] == expected


def test_a_near_miss_is_pointed_out_and_another_bots_command_is_left_alone() -> None:
    assert [one.meant for one in commands("/promot uat", VERBS)] == ["promote"]
    assert not commands("/lgtm", VERBS)


def test_an_open_quotation_mark_is_a_problem_not_a_crash() -> None:
    (one,) = commands("/promote 'uat", VERBS)

    assert one.problem == "a quotation mark is not closed"


def test_one_comment_gives_a_bounded_number_of_commands() -> None:
    assert len(commands("/status\n" * 1000, VERBS)) == MOST_PER_COMMENT


@given(st.text())
def test_no_text_breaks_the_reader(body: str) -> None:
    for one in commands(body, VERBS):
        assert one.verb in VERBS or one.meant in VERBS


@given(st.text(alphabet="`~\n />promte-<!", max_size=60))
def test_what_is_quoted_or_fenced_stays_unread(body: str) -> None:
    assert not commands(f"```\n{body.replace('`', '')}\n```", VERBS)
