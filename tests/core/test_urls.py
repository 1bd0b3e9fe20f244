"""Addresses are spelt as Kargo spells them, and read as Docker reads them."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.urls import (
    image_repository,
    normalize_chart,
    normalize_git,
    normalize_image,
    registry_address,
    short_name,
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
