"""Where submodules are, as .gitmodules says it."""

import pytest

from bot.git.submodules import address

HERE = "https://github.example.com/acme/config.git"


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("https://example.com/a/b.git", "https://example.com/a/b.git"),
        ("../charts.git", "https://github.example.com/acme/charts.git"),
        ("../../other/charts", "https://github.example.com/other/charts"),
        ("./charts", "https://github.example.com/acme/config.git/charts"),
        ("git@github.example.com:acme/charts.git", "https://github.example.com/acme/charts.git"),
        ("ssh://git@github.example.com:22/acme/charts.git", "https://github.example.com/acme/charts.git"),
        ("file:///etc", "file:///etc"),  # and is refused where it is checked out
        ("ext::sh -c id", "ext::sh -c id"),
        ("/etc/passwd", "/etc/passwd"),
    ],
)
def test_addresses(said, meant):
    assert address(HERE, said, lambda _url: False) == meant
