"""Logins for remotes over HTTP: which line counts, and what is wrong with one."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.git.stored import stored

TEXT = """\
# what people write above
https://oauth2:all@gitlab.example.com

https://group:below@gitlab.example.com/acme
https://one:p%40ss%2Fword@gitlab.example.com/acme/apps.git
http://plain:there@localhost:8080
https://port:other@gitlab.example.com:8443
"""


@pytest.mark.parametrize(
    ("url", "login"),
    [
        ("https://gitlab.example.com/other/apps.git", ("oauth2", "all")),
        ("https://GitLab.example.com/other/apps", ("oauth2", "all")),
        ("https://gitlab.example.com:443/other/apps", ("oauth2", "all")),
        ("https://gitlab.example.com/acme/web.git", ("group", "below")),
        ("https://gitlab.example.com/acme-two/web.git", ("oauth2", "all")),
        ("https://gitlab.example.com/acme/apps", ("one", "p@ss/word")),
        ("https://gitlab.example.com/acme/Apps.git/", ("one", "p@ss/word")),
        ("https://gitlab.example.com:8443/acme/apps.git", ("port", "other")),
        ("http://localhost:8080/x", ("plain", "there")),
        ("http://gitlab.example.com/acme/apps.git", None),  # never in plain text what is for https
        ("https://gitlab.example.com.evil.example/acme/apps.git", None),
        ("https://example.com/acme/apps.git", None),
        ("ssh://git@gitlab.example.com/acme/apps.git", None),
        ("git@gitlab.example.com:acme/apps.git", None),
        ("https://[", None),
    ],
)
def test_the_line_of_the_longest_path_counts(url: str, login: tuple[str, str] | None) -> None:
    found = stored(TEXT, url, "the key")
    assert (found and (found.username, found.password)) == login


@pytest.mark.parametrize(
    "line",
    [
        "gitlab.example.com:secret",
        "https://gitlab.example.com",
        "https://secret@gitlab.example.com",
        "https://:secret@gitlab.example.com",
        "https://a:secret@gitlab.example.com/?x",
        "https://a:secret@gitlab.example.com:x",
        "ssh://git:secret@gitlab.example.com",
        "https://a:secret%0Ahost=evil@gitlab.example.com",
    ],
)
def test_a_line_that_is_none_is_named_and_not_shown(line: str) -> None:
    with pytest.raises(UserError, match="line 2 of the key") as told:
        stored(f"# first\n{line}\n", "https://gitlab.example.com/acme/apps.git", "the key")
    assert "secret" not in str(told.value)


@given(st.text(max_size=80), st.text(max_size=80))
def test_no_text_raises_anything_else(text: str, url: str) -> None:
    with suppress(UserError):
        stored(text, url, "the key")
