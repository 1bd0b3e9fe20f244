"""The ways to write where a project is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.errors import UserError
from bot.gitlab.address import Address, address

SERVER = "https://gitlab.example.com"


@pytest.mark.parametrize(
    ("url", "origin", "path"),
    [
        ("https://gitlab.example.com/acme/shop.git", SERVER, "acme/shop"),
        ("https://gitlab.example.com/acme/shop", SERVER, "acme/shop"),
        ("https://gitlab.example.com/acme/shop/", SERVER, "acme/shop"),
        ("https://GitLab.example.com:443/Acme/Apps/Shop.git", SERVER, "Acme/Apps/Shop"),
        ("https://gitlab.example.com:8443/acme/shop", f"{SERVER}:8443", "acme/shop"),
        ("http://gitlab.example.com/acme/shop", "http://gitlab.example.com", "acme/shop"),
        ("http://127.0.0.1:8080/acme/shop", "http://127.0.0.1:8080", "acme/shop"),
        ("https://[::1]:8443/acme/shop", "https://[::1]:8443", "acme/shop"),
        ("https://oauth2:glpat-1@gitlab.example.com/acme/shop", SERVER, "acme/shop"),
        ("git@gitlab.example.com:acme/apps/shop.git", SERVER, "acme/apps/shop"),
        ("gitlab.example.com:acme/shop", SERVER, "acme/shop"),
        ("ssh://git@gitlab.example.com:2222/acme/shop.git", SERVER, "acme/shop"),
    ],
)
def test_every_spelling_means_one_project(url: str, origin: str, path: str) -> None:
    assert address(url) == Address(origin, path)


def test_the_api_names_a_project_in_one_part() -> None:
    found = address("https://gitlab.example.com/acme/apps/shop.git")

    assert found.project == "acme%2Fapps%2Fshop"
    assert found.api == "https://gitlab.example.com/api/v4"
    assert found.url == "https://gitlab.example.com/acme/apps/shop"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "shop",
        "https://gitlab.example.com",
        "https://gitlab.example.com/acme",
        "https://gitlab.example.com/acme/../shop",
        "https://gitlab.example.com/acme//shop",
        "https://gitlab.example.com/acme/shop/-/tree/main",
        "https://gitlab.example.com/acme/sh%2Fop%3F",
        "https://gitlab.example.com/acme/shop?private_token=glpat-1",
        "https://gitlab.example.com/acme/shop#glpat-1",
        "https://gitlab.example.com:http/acme/shop",
        "https://u:glpat-1@/acme/shop",
        "ftp://gitlab.example.com/acme/shop",
        "file:///srv/acme/shop",
        "ext::sh -c glpat-1",
        "-oProxyCommand=x:acme/shop",
        "git@gitlab.example.com:/acme/shop",
    ],
)
def test_what_is_no_project_is_refused_without_telling_a_password(url: str) -> None:
    with pytest.raises(UserError, match="repoURL") as refused:
        address(url)

    assert "glpat-1" not in str(refused.value)


@given(st.text(max_size=60) | st.from_regex(r"(https?|ssh)://[ -~]{0,40}"))
def test_any_text_is_read_or_refused(url: str) -> None:
    try:
        found = address(url)
    except UserError:
        return

    assert found.origin.startswith(("https://", "http://"))
    assert address(found.url) == found
    assert "@" not in found.url
