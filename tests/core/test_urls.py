"""Addresses are spelt as Kargo spells them, and read as Docker reads them."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.urls import (
    image_repository,
    normalize_chart,
    normalize_git,
    normalize_image,
    over_http,
    registry_address,
    same_repository,
    short_name,
    ssh_address,
)

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "public" / "kargo_urls.json"
NORMALIZE = {"git": normalize_git, "image": normalize_image, "chart": normalize_chart}


def test_every_address_of_the_conformance_cases_is_spelt_as_kargo_spells_it():
    if not CASES.exists():
        pytest.skip("the shared conformance cases are not beside this project")
    wrong = [
        (case["kind"], case["input"], NORMALIZE[case["kind"]](case["input"]), case["expected"])
        for case in json.loads(CASES.read_text())
        if NORMALIZE[case["kind"]](case["input"]) != case["expected"]
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://GitHub.com/Acme/Service.git", "https://github.com/acme/service"),
        ("\ufeffhttps://github.com/acme/service ", "https://github.com/acme/service"),
        ("https://token:x@github.com/acme/service/", "https://github.com/acme/service"),
        ("git@github.com:acme/service.git", "ssh://git@github.com/acme/service"),
        ("ssh://git@github.com/acme/service.git", "ssh://git@github.com/acme/service"),
        ("repo", "ssh://repo"),
        ("HTTP://github.com/acme/service?x=Y", "HTTP://github.com/acme/service?x=Y"),
    ],
)
def test_git_addresses(url, expected):
    assert normalize_git(url) == expected


@given(st.sampled_from(sorted(NORMALIZE)), st.text(max_size=60))
def test_normalizing_never_fails_and_gives_text(kind, text):
    assert isinstance(NORMALIZE[kind](text), str)


@given(st.from_regex(r"https://[a-z]{1,8}\.com(/[a-z0-9-]{1,8}){1,3}(\.git)?/?", fullmatch=True))
def test_normalizing_a_git_address_twice_changes_nothing(url):
    once = normalize_git(url)
    assert normalize_git(once) == once or once.endswith(".git")


@pytest.mark.parametrize(
    ("reference", "repository", "name"),
    [
        ("registry.com/service-image:1.0.0", "registry.com/service-image", "service-image"),
        ("ghcr.io/acme/service", "ghcr.io/acme/service", "service"),
        ("ghcr.io/acme/service@sha256:" + "a" * 64, "ghcr.io/acme/service", "service"),
        ("localhost:5000/service:v1@sha256:" + "a" * 64, "localhost:5000/service", "service"),
        ("localhost:5000/service", "localhost:5000/service", "service"),
        ("nginx:1.29", "nginx", "nginx"),
        ("nginx", "nginx", "nginx"),
        ("[::1]:5000/service:1", "[::1]:5000/service", "service"),
    ],
)
def test_tag_and_digest_are_dropped_from_an_image_reference(reference, repository, name):
    assert image_repository(reference) == repository
    assert short_name(reference) == name


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://github.com/acme/gitops.git", "gitops"),
        ("oci://ghcr.io/acme/chart", "chart"),
        ("https://x.io/", "x.io"),
    ],
)
def test_the_short_name_is_the_last_part_of_an_address(url, name):
    assert short_name(url) == name


@pytest.mark.parametrize(
    ("url", "origin", "name"),
    [
        ("nginx", "https://registry-1.docker.io", "library/nginx"),
        ("docker.io/nginx:1", "https://registry-1.docker.io", "library/nginx"),
        ("acme/service", "https://registry-1.docker.io", "acme/service"),
        ("index.docker.io/acme/service", "https://registry-1.docker.io", "acme/service"),
        ("ghcr.io/acme/service", "https://ghcr.io", "acme/service"),
        ("registry.com/service-image:1.0.0", "https://registry.com", "service-image"),
        ("registry.acme.io:8443/a/b/c", "https://registry.acme.io:8443", "a/b/c"),
        ("localhost/service", "http://localhost", "service"),
        ("localhost:5000/service", "http://localhost:5000", "service"),
        ("127.0.0.1:5000/service", "http://127.0.0.1:5000", "service"),
        ("127.8.9.10/service", "http://127.8.9.10", "service"),
        ("[::1]:5000/service", "http://[::1]:5000", "service"),
        ("[::1]/service", "http://[::1]", "service"),
        ("127.0.0.1.evil.io/service", "https://127.0.0.1.evil.io", "service"),
        ("localhost.evil.io/service", "https://localhost.evil.io", "service"),
    ],
)
def test_a_registry_is_where_docker_would_look(url, origin, name):
    address = registry_address(url)
    assert (address.origin, address.name) == (origin, name)


@pytest.mark.parametrize(
    "url",
    ["", "https://ghcr.io/acme/service", "ghcr.io/Acme/service", "ghcr.io/", "ghcr.io/../etc", "user@ghcr.io/a b",
     "ghcr.io/acme/service?x=1", "ghcr.io/acme//service", "ghcr.io#/acme"],
)  # fmt: skip
def test_what_is_no_image_repository_is_refused(url):
    with pytest.raises(ValueError, match="is not an image repository"):
        registry_address(url)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("git@github.com:acme/service.git", ("git", "github.com", 22, "acme/service.git")),
        ("GitHub.com:acme/service", ("", "github.com", 22, "acme/service")),
        ("ssh://git@github.com/Acme/service.git", ("git", "github.com", 22, "/Acme/service.git")),
        ("ssh://git.example.com:7999/acme/service", ("", "git.example.com", 7999, "/acme/service")),
        ("ssh://git@[2001:DB8::1]:22/service", ("git", "2001:db8::1", 22, "/service")),
        ("git@git.example.com:/srv/git/service.git", ("git", "git.example.com", 22, "/srv/git/service.git")),
        ("ssh://git@git.example.com/~robot/service", ("git", "git.example.com", 22, "/~robot/service")),
    ],
)
def test_ssh_addresses(url, expected):
    found = ssh_address(url)
    assert found is not None
    assert (found.user, found.host, found.port, found.path) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "service",
        "https://github.com/acme/service",
        "file:///etc",
        "git://github.com/acme/service",
        "git+ssh://git@github.com/acme/service",
        "ssh://git@github.com:acme/service",  # a mixture of both forms
        "ssh://github.com",
        "ssh://github.com/",
        "ssh://github.com:0/x",
        "ssh://github.com:70000/x",
        "ssh://git:password@github.com/x",
        "ssh://-oProxyCommand=id/x",
        "ssh://-oProxyCommand=id@github.com/x",
        "ssh://%2doProxyCommand=id/x",
        "ssh://-F/x",
        "ssh://-F@github.com/x",
        "-F:x",
        "-F@github.com:x",
        "git@-F:x",
        "-oProxyCommand=id:x",
        "git@-oProxyCommand=id:x",
        "git@github.com:-oProxyCommand=id",
        "git@github.com:",
        "ext::sh -c id",
        "ext::id",
        "git@github.com:a b",
        "git@github.com:a\nb",
        "git@github.com:a%0ab",
        "git@github.com:../b",
        "ssh://github.com/a/../../b",
        "ssh://a@b@github.com/x",
        "ssh://git hub.com/x",
    ],
)
def test_what_is_no_ssh_address_is_none(url):
    assert ssh_address(url) is None


@given(st.from_regex(r"(ssh://)?([ab-]{1,2}@)?[ab.-]{1,3}(:2?)?[:/]?[ab/: \t-]{1,4}", fullmatch=True))
def test_nothing_in_an_ssh_address_can_be_an_option_or_a_helper(url):
    """Neither what git hands to `ssh` (user@host), nor what the server's git is handed (the path)."""
    found = ssh_address(url)
    if found is not None:
        assert not any(part.startswith("-") for part in (found.user, found.host, found.path))
        assert not re.search(r"\s", url)
        assert "::" not in url.partition("/")[0]
        assert found.host in url.lower()


@given(st.sampled_from(["{}:{}", "git@{}:{}", "ssh://git@{}/{}", "ssh://{}/{}.git", "ssh://{}:22/{}/"]))
def test_every_way_to_write_a_repository_for_ssh_is_the_one_over_http(form):
    url = form.format("GitHub.example.com", "acme/Service")
    assert same_repository(url, "https://github.example.com/acme/service.git")
    assert same_repository("https://github.example.com/acme/service.git", url)
    assert not same_repository(url, "https://github.example.com/acme/other")
    assert not same_repository(url, "https://gitlab.example.com/acme/service")


def test_the_same_repository_has_the_same_scheme_and_port_otherwise():
    assert same_repository("https://GitHub.com/acme/service", "https://github.com/acme/service.git")
    assert not same_repository("http://github.com/acme/service", "https://github.com/acme/service")
    assert not same_repository("https://github.com:8443/acme/service", "https://github.com/acme/service")
    assert not same_repository("ssh://git@github.com:2222/acme/service", "https://github.com/acme/service")
    assert same_repository("git@github.com:acme/service", "ssh://git@github.com/acme/service.git")
    assert not same_repository("git@github.com:acme/service", "https://[")


@pytest.mark.parametrize(
    ("url", "server", "over"),
    [
        ("git@github.com:acme/x.git", "https://github.com", "https://github.com/acme/x.git"),
        ("ssh://git@ssh.github.com:443/acme/x", "https://github.com/", "https://github.com/acme/x"),
        ("git@127.0.0.1:acme/x.git", "http://127.0.0.1:3100", "http://127.0.0.1:3100/acme/x.git"),
        ("git@git.example.com:acme/x", "https://git.example.com/github", "https://git.example.com/github/acme/x"),
        ("git@gitlab.com:acme/x.git", "https://github.com", None),
        ("ssh://git@ssh.github.com/acme/x", "https://github.com", None),
        ("https://github.com/acme/x.git", "https://github.com", None),
    ],
)
def test_what_github_gives_by_ssh_it_gives_over_http(url, server, over):
    assert over_http(url, server) == over
