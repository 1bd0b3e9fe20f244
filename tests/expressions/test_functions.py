"""Kargo's functions over freight and steps."""

from dataclasses import dataclass, field

import pytest

from bot.expressions import ExpressionError, evaluate, render
from bot.expressions.functions import freight_functions, lookup_function, metadata_functions, status_functions


@dataclass(frozen=True)
class Commit:
    repo_url: str
    id: str
    branch: str = "main"
    tag: str = ""
    message: str = "A change"
    author: str = "owner <owner@example.com>"
    committer: str = ""
    subscription_name: str = ""


@dataclass(frozen=True)
class Image:
    repo_url: str
    tag: str
    digest: str = "sha256:0"
    annotations: dict[str, str] = field(default_factory=dict)
    subscription_name: str = ""


@dataclass(frozen=True)
class Chart:
    repo_url: str
    name: str
    version: str
    subscription_name: str = ""


@dataclass(frozen=True)
class Freight:
    origin: str
    commits: tuple[Commit, ...] = ()
    images: tuple[Image, ...] = ()
    charts: tuple[Chart, ...] = ()


FREIGHT = (
    Freight(
        "service",
        commits=(Commit("https://github.com/acme/gitops.git", "0123456789abcdef"),),
        images=(Image("ghcr.io/acme/service", "1.20", annotations={"a": "b"}, subscription_name="main-image"),),
        charts=(Chart("https://charts.example.com", "web", "1.2.3"), Chart("oci://ghcr.io/acme/chart", "", "2.0.0")),
    ),
    Freight("base", images=(Image("ghcr.io/acme/base", "7"), Image("ghcr.io/acme/service", "0.9"))),
)
ENV = freight_functions(FREIGHT)


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("commitFrom('https://GitHub.com/acme/gitops/').ID[:7]", "0123456"),
        ("commitFrom('https://github.com/acme/gitops').Branch", "main"),
        ("commitFrom('https://github.com/acme/other')", None),
        ("commitFrom('https://github.com/acme/other')?.ID", None),
        ("imageFrom('ghcr.io/acme/base').Tag", "7"),
        ("imageFrom('ghcr.io/acme/service', warehouse('service')).Annotations.a", "b"),
        ("imageFrom('ghcr.io/acme/service', warehouse('base')).Tag", "0.9"),
        ("imageFrom('ghcr.io/acme/service', warehouse('nowhere'))", None),
        ("imageFrom('GHCR.io/acme/base')", None),
        ("chartFrom('https://charts.example.com', 'web').Version", "1.2.3"),
        ("chartFrom('oci://ghcr.io/acme/chart').Version", "2.0.0"),
        ("chartFrom('oci://ghcr.io/acme/chart', warehouse('service')).Version", "2.0.0"),
        ("chartFrom('https://charts.example.com', 'web', warehouse('base'))", None),
        ("artifactFrom('main-image').Version", "1.20"),
        ("artifactFrom('main-image').Metadata.repoURL", "ghcr.io/acme/service"),
        ("warehouse('service').Name", "service"),
    ],
)
def test_an_artifact_is_found_or_nil(code: str, expected: object) -> None:
    assert evaluate(code, ENV) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("imageFrom('ghcr.io/acme/service')", "came from the warehouses base and service: say which is meant"),
        ("chartFrom('https://charts.example.com')", "no chart from https://charts.example.com in this freight"),
        ("chartFrom('https://charts.example.com', 1)", "a warehouse"),
        ("imageFrom(1)", "argument 1 must be string, not int"),
        ("imageFrom('x', 'service')", "argument 2 must be FreightOrigin, not string"),
        ("imageFrom()", "takes 1 to 2 arguments, got 0"),
        ("imageFrom('ghcr.io/acme/base').tag", "Image has no field tag; it has RepoURL, Tag"),
        ("imageFrom('nope').Tag", r"cannot get Tag from nil; write \?\. if it may be nil"),
    ],
)
def test_a_mistake_says_what_to_do(code: str, message: str) -> None:
    with pytest.raises(ExpressionError, match=message):
        evaluate(code, ENV)


def test_an_artifact_in_a_template_is_json() -> None:
    assert render("${{ imageFrom('ghcr.io/acme/base') }}", ENV) == {
        "repoURL": "ghcr.io/acme/base",
        "tag": "7",
        "digest": "sha256:0",
    }


def test_steps_tell_how_they_ended() -> None:
    env = status_functions({"build": "Succeeded", "task::push": "Failed"}, failed=True)
    within = status_functions({"build": "Succeeded", "task::push": "Failed"}, failed=False, task="task")

    assert evaluate("[always(), success(), failure(), status('build'), status('push')]", env) == [
        True,
        False,
        True,
        "Succeeded",
        "",
    ]
    assert evaluate("[success(), failure(), status('build'), status('push')]", within) == [True, False, "", "Failed"]
    with pytest.raises(ExpressionError, match="which step"):
        evaluate("status('')", env)


def test_what_there_is_by_name_is_looked_up() -> None:
    env = {
        "known": lookup_function("known", {"f1": {"ticket": "A-1"}}),
        "configMap": lookup_function("configMap", {}, missing={}),
    }

    assert evaluate("known('f1').ticket", env) == "A-1"
    assert evaluate("known('f2')", env) is None
    assert evaluate("configMap('any').key", env) is None


def test_metadata_and_status_are_read_by_name() -> None:
    status = {"f1": {"currentlyIn": {"test": {"since": "2026-01-01T00:00:00Z"}}}, "f2": {}}
    env = metadata_functions({"test": {"runs": 1, "by": [{"who": "me"}]}, "uat": {}}, {"f1": {"ok": True}}, status.get)

    assert evaluate("stageMetadata('test').runs + 1", env) == 2
    assert evaluate("stageMetadata('test')['by'][0].who", env) == "me"
    assert evaluate("[stageMetadata('uat'), stageMetadata('nowhere')?.runs ?? 0]", env) == [None, 0]
    assert evaluate("[freightMetadata('f1').ok, freightMetadata('f1', 'ok'), freightMetadata('f1', 'no')]", env) == [
        True,
        True,
        None,
    ]
    assert evaluate("[freightMetadata('f2'), freightMetadata('f2', 'ok')]", env) == [None, None]
    assert evaluate("freightStatus('f1').currentlyIn.test.since", env) == "2026-01-01T00:00:00Z"
    assert evaluate("[freightStatus('f1').metadata.ok, freightStatus('f2'), freightStatus('f3')]", env) == [
        True,
        {},
        None,
    ]


@pytest.mark.parametrize("code", ["stageMetadata('')", "freightMetadata('')", "freightStatus('')"])
def test_metadata_of_nothing_is_a_mistake(code: str) -> None:
    with pytest.raises(ExpressionError, match="The name is empty"):
        evaluate(code, metadata_functions({}, {}, {}.get))
