"""Addresses and names from outside."""

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.git.remotes import check_ref, last_line, mirror_name, parse_listing


@given(st.text(alphabet="ab/.-@{}^~:?*[\\ \x00\x7flock", min_size=0, max_size=8))
def test_a_name_that_is_taken_is_one_for_git(name):
    try:
        check_ref("branch", name)
    except UserError:
        return
    done = subprocess.run(["git", "check-ref-format", "--branch", name], check=False, capture_output=True)
    assert done.returncode == 0


@pytest.mark.parametrize(
    "name", ["main", "env/uat", "promotion/uat", "feature/ABC-1_2", "v1.0.0+build", "ümlaut", "a@b"]
)
def test_usual_names_are_taken(name):
    assert check_ref("branch", name) == name


def test_spellings_of_one_address_are_one_mirror():
    spellings = ["https://github.com/acme/app.git", "https://github.com/acme/app", "https://GitHub.com/acme/app.git/"]
    assert len({mirror_name(url) for url in spellings}) == 1
    others = ["https://github.com/acme/other", "https://github.com/Acme/app", "http://github.com/acme/app"]
    assert mirror_name(spellings[0]) not in {mirror_name(url) for url in others}


def test_a_listing_is_read_without_peeled_and_foreign_refs():
    text = (
        "ref: refs/heads/main\tHEAD\n1\tHEAD\n1\trefs/heads/main\n2\trefs/pull/1/head\n"
        "3\trefs/tags/v1\n1\trefs/tags/v1^{}\n"
    )
    assert parse_listing(text) == ({"refs/heads/main": "1", "refs/tags/v1": "3"}, "main")


@pytest.mark.parametrize(
    ("said", "line"),
    [
        ("warning: x\nfatal: it broke\nhint: y\n", "fatal: it broke"),
        ("just this", "just this"),
        (
            "ssh: connect to host h port 22: refused\nfatal: Could not read from remote repository.\n\nPlease make "
            "sure you have the correct access rights\nand the repository exists.",
            "ssh: connect to host h port 22: refused",
        ),
        ("fatal: Could not read from remote repository.", "fatal: Could not read from remote repository."),
        ("", "git said nothing"),
    ],
)
def test_the_line_that_says_most(said, line):
    assert last_line(said) == line
