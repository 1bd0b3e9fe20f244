"""What each sender's payloads tell, in the shapes their documentation gives, and how each proves itself."""

import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts import Message, Sender
from bot.core.news import HELM_CONFIG, News, Told
from bot.server.receivers import BY_NAME, SENDERS

SECRET = "a word between us, and ü"


def image(address: str, tag: str) -> News:
    return News("image", (address,), tag)


def chart(address: str, version: str) -> News:
    return News("chart", (address,), version)


def both(address: str, tag: str) -> tuple[News, ...]:
    return image(address, tag), chart(address, tag)


def branch(name: str, *addresses: str, default: str = "", paths: tuple[str, ...] | None = None) -> News:
    return News("git", addresses, branch=name, default_branch=default, paths=paths)


def tag(name: str, *addresses: str) -> News:
    return News("git", addresses, version=name)


SERVICE = "ghcr.io/acme/service"
GITHUB = ("https://github.com/acme/lib", "ssh://git@github.com/acme/lib")
GITLAB = ("https://gitlab.com/acme/lib", "ssh://git@gitlab.com/acme/lib")
GITEA = ("https://gitea.acme.io/acme/lib", "ssh://git@gitea.acme.io/acme/lib")
OLD, NEW, NONE = "a" * 40, "b" * 40, "0" * 40


def commit(*changed: str) -> dict[str, list[str]]:
    return {"added": [], "modified": list(changed), "removed": []}


def package(tag: object = "1.2.0", config: str = "", **more: Any) -> dict[str, Any]:
    container = {"tag": {"name": tag}, "manifest": {"config": {"media_type": config}}}
    version = {"package_url": f"ghcr.io/acme/service:{tag}", "container_metadata": container}
    return {"package_type": "CONTAINER", "package_version": version, **more}


def github_push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    repository = {
        "clone_url": "https://github.com/acme/lib.git",
        "ssh_url": "git@github.com:acme/lib.git",
        "html_url": "https://github.com/acme/lib",
        "default_branch": "main",
    }
    return {"ref": ref, "before": OLD, "after": NEW, "repository": repository, "commits": [commit("a.txt")], **more}


def gitlab_push(ref: str = "refs/heads/main", kind: str = "push", **more: Any) -> dict[str, Any]:
    project = {
        "git_http_url": "https://gitlab.com/acme/lib.git",
        "git_ssh_url": "git@gitlab.com:acme/lib.git",
        "web_url": "https://gitlab.com/acme/lib",
        "default_branch": "main",
    }
    commits = [commit("a.txt"), commit("b.txt", "a.txt")]
    return {
        "object_kind": kind,
        "ref": ref,
        "before": OLD,
        "after": NEW,
        "project": project,
        "commits": commits,
        "total_commits_count": 2,
        **more,
    }


def gitea_push(ref: str = "refs/heads/main", **more: Any) -> dict[str, Any]:
    repository = {
        "clone_url": "https://gitea.acme.io/acme/lib.git",
        "ssh_url": "git@gitea.acme.io:acme/lib.git",
        "default_branch": "main",
    }
    return {
        "ref": ref,
        "before": OLD,
        "after": NEW,
        "repository": repository,
        "commits": [commit("a.txt")],
        "total_commits": 1,
        **more,
    }


def cloud(*changes: dict[str, Any]) -> dict[str, Any]:
    links = {"html": {"href": "https://bitbucket.org/acme/lib"}}
    return {"repository": {"links": links}, "push": {"changes": list(changes)}}


def data_center(*refs: str) -> dict[str, Any]:
    clone = [{"href": "https://git.acme.io/scm/acme/lib.git"}, {"href": "ssh://git@git.acme.io:7999/acme/lib.git"}]
    return {"repository": {"links": {"clone": clone}}, "changes": [{"ref": {"id": ref}} for ref in refs]}


def artifactory(kind: str = "docker", **more: Any) -> dict[str, Any]:
    data = {
        "path": "team/service/1.2.0/manifest.json",
        "repo_key": "docker-local",
        "image_name": "team/service",
        "image_type": kind,
        "tag": "1.2.0",
    }
    return {"domain": "docker", "event_type": "pushed", "data": data, "jpd_origin": "https://acme.jfrog.io", **more}


def acr(media: str = "application/vnd.docker.distribution.manifest.v2+json", **more: Any) -> dict[str, Any]:
    target = {"mediaType": media, "repository": "team/service", "tag": "1.2.0"}
    return {"action": "push", "target": target, "request": {"host": "acme.azurecr.io"}, **more}


DEVOPS = {
    "eventType": "git.push",
    "resource": {
        "refUpdates": [{"name": "refs/heads/main"}, {"name": "refs/tags/v1"}],
        "repository": {"remoteUrl": "https://dev.azure.com/acme/p/_git/lib", "defaultBranch": "refs/heads/trunk"},
    },
}
HARBOR = {
    "type": "PUSH_ARTIFACT",
    "event_data": {
        "resources": [
            {"tag": "1.2.0", "resource_url": "harbor.acme.io/team/service:1.2.0"},
            {"tag": "latest", "resource_url": "harbor.acme.io/team/service:latest"},
        ]
    },
}

# sender, headers, payload, what it tells
READ: list[tuple[str, dict[str, str], Any, tuple[Told, ...]]] = [
    (
        "dockerhub",
        {},
        {"push_data": {"tag": "1.2.0"}, "repository": {"repo_name": "acme/service"}},
        both("acme/service", "1.2.0"),
    ),
    ("dockerhub", {}, {"push_data": {"tag": "1"}, "repository": {"repo_name": "library/nginx"}}, both("nginx", "1")),
    ("dockerhub", {}, {"push_data": {"tag": "1"}}, ()),
    (
        "quay",
        {},
        {"docker_url": "quay.io/acme/service", "updated_tags": ["1.2.0", 3, "latest"]},
        (*both("quay.io/acme/service", "1.2.0"), *both("quay.io/acme/service", "latest")),
    ),
    ("quay", {}, {"docker_url": "quay.io/acme/service"}, ()),
    (
        "harbor",
        {},
        HARBOR,
        (*both("harbor.acme.io/team/service", "1.2.0"), *both("harbor.acme.io/team/service", "latest")),
    ),
    ("harbor", {}, {**HARBOR, "type": "DELETE_ARTIFACT"}, ()),
    ("artifactory", {}, artifactory(), (image("acme.jfrog.io/docker-local/team/service", "1.2.0"),)),
    ("artifactory", {}, artifactory("oci"), both("acme.jfrog.io/docker-local/team/service", "1.2.0")),
    ("artifactory", {}, artifactory(event_type="deleted"), ()),
    ("artifactory", {}, artifactory(domain="artifact"), ()),
    ("artifactory", {}, artifactory(jpd_origin="https://[x"), ()),
    ("azure", {}, acr(), (image("acme.azurecr.io/team/service", "1.2.0"),)),
    (
        "azure",
        {},
        acr("application/vnd.oci.image.manifest.v1+json"),
        both("acme.azurecr.io/team/service", "1.2.0"),
    ),
    ("azure", {}, acr(action="delete"), ()),
    ("azure", {}, {"id": "x", "action": "ping"}, ()),
    (
        "azure",
        {},
        DEVOPS,
        (
            branch("main", "https://dev.azure.com/acme/p/_git/lib", default="trunk"),
            tag("v1", "https://dev.azure.com/acme/p/_git/lib"),
        ),
    ),
    ("gitlab", {}, gitlab_push(), (branch("main", *GITLAB, default="main", paths=("a.txt", "b.txt")),)),
    ("gitlab", {}, gitlab_push("refs/tags/v1.0.0", "tag_push"), (tag("v1.0.0", *GITLAB),)),
    ("gitlab", {}, gitlab_push(total_commits_count=21), (branch("main", *GITLAB, default="main"),)),
    ("gitlab", {}, gitlab_push(commits=[commit("a")] * 20), (branch("main", *GITLAB, default="main"),)),
    ("gitlab", {}, gitlab_push(before=NONE), (branch("main", *GITLAB, default="main"),)),
    ("gitlab", {}, gitlab_push(commits=[{"added": ["a"]}]), (branch("main", *GITLAB, default="main"),)),
    ("gitlab", {}, gitlab_push(kind="merge_request"), ()),
    (
        "gitea",
        {"x-gitea-event": "push"},
        gitea_push(),
        (branch("main", *GITEA, default="main", paths=("a.txt",)),),
    ),
    (
        "gitea",
        {"x-forgejo-event": "push"},
        gitea_push(total_commits=6, commits=[commit("a")] * 5),
        (branch("main", *GITEA, default="main"),),
    ),
    ("gitea", {"x-gitea-event": "create"}, gitea_push("v1.0.0", ref_type="tag"), (tag("v1.0.0", *GITEA),)),
    (
        "gitea",
        {"x-gitea-event": "delete"},
        gitea_push("old", ref_type="branch"),
        (branch("old", *GITEA, default="main"),),
    ),
    ("gitea", {"x-gitea-event": "issues"}, gitea_push(), ()),
    (
        "bitbucket",
        {"x-event-key": "repo:push"},
        cloud(
            {"new": {"type": "branch", "name": "main"}},
            {"new": {"type": "tag", "name": "v1"}},
            {"new": None, "old": {"type": "branch", "name": "gone"}},
        ),
        (
            branch("main", "https://bitbucket.org/acme/lib"),
            tag("v1", "https://bitbucket.org/acme/lib"),
            branch("gone", "https://bitbucket.org/acme/lib"),
        ),
    ),
    (
        "bitbucket",
        {"x-event-key": "repo:refs_changed"},
        data_center("refs/heads/main", "refs/notes/x"),
        (branch("main", "https://git.acme.io/scm/acme/lib", "ssh://git@git.acme.io:7999/acme/lib"),),
    ),
    ("bitbucket", {"x-event-key": "diagnostics:ping"}, {"test": True}, ()),
    (
        "github",
        {"x-github-event": "push"},
        github_push(),
        (branch("main", *GITHUB, default="main", paths=("a.txt",)),),
    ),
    ("github", {"x-github-event": "push"}, github_push("refs/tags/v1.0.0", commits=[]), (tag("v1.0.0", *GITHUB),)),
    ("github", {"x-github-event": "push"}, github_push(forced=True), (branch("main", *GITHUB, default="main"),)),
    (
        "github",
        {"x-github-event": "push"},
        github_push(commits=[commit("a")] * 2048),
        (branch("main", *GITHUB, default="main"),),
    ),
    (
        "github",
        {"x-github-event": "push"},
        github_push(commits=[commit(*map(str, range(3000)))]),
        (branch("main", *GITHUB, default="main"),),
    ),
    ("github", {"x-github-event": "create"}, github_push("v2", ref_type="tag"), (tag("v2", *GITHUB),)),
    (
        "github",
        {"x-github-event": "create"},
        github_push("next", ref_type="branch"),
        (branch("next", *GITHUB, default="main"),),
    ),
    (
        "github",
        {"x-github-event": "release"},
        {**github_push(), "action": "published", "release": {"tag_name": "v3"}},
        (tag("v3", *GITHUB),),
    ),
    (
        "github",
        {"x-github-event": "registry_package"},
        {"action": "published", "registry_package": package()},
        both(SERVICE, "1.2.0"),
    ),
    (
        "github",
        {"x-github-event": "package"},
        {"action": "updated", "package": package(config=HELM_CONFIG, package_type="docker")},
        (chart(SERVICE, "1.2.0"),),
    ),
    (
        "github",
        {"x-github-event": "package"},
        {"action": "published", "package": package(config="application/vnd.oci.image.config.v1+json")},
        (image(SERVICE, "1.2.0"),),
    ),
    ("github", {"x-github-event": "package"}, {"action": "published", "package": package("")}, ()),
    ("github", {"x-github-event": "package"}, {"action": "deleted", "package": package()}, ()),
    (
        "github",
        {"x-github-event": "package"},
        {"action": "published", "package": {"package_type": "npm", "package_version": {"package_url": "x/y"}}},
        (),
    ),
    ("github", {"x-github-event": "ping"}, {"zen": "x"}, ()),
]


@pytest.mark.parametrize(("sender", "headers", "payload", "told"), READ)
def test_what_a_delivery_tells(sender: str, headers: dict[str, str], payload: Any, told: tuple[Told, ...]) -> None:
    assert BY_NAME[sender].read(Message(headers, b""), payload, {}) == told


def test_a_virtual_repository_stands_for_the_one_pushed_to() -> None:
    sender = BY_NAME["artifactory"]
    told = sender.read(Message({}, b""), artifactory(), {"virtualRepoName": "docker"})
    assert told == (image("acme.jfrog.io/docker/team/service", "1.2.0"),)


BODY = b'{"any": "thing"}'


def digest(secret: str = SECRET, body: bytes = BODY) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


# sender, and the headers that prove it
PROOFS = [
    ("github", "x-hub-signature-256", f"sha256={digest()}"),
    ("gitea", "x-hub-signature-256", f"sha256={digest()}"),
    ("gitea", "x-gitea-signature", digest()),
    ("gitea", "x-forgejo-signature", digest()),
    ("bitbucket", "x-hub-signature", f"sha256={digest()}"),
    ("artifactory", "x-jfrog-event-auth", digest()),
    ("gitlab", "x-gitlab-token", SECRET),
    ("harbor", "authorization", SECRET),
]
BY_ADDRESS = {"azure", "dockerhub", "generic", "quay"}


@pytest.mark.parametrize(("sender", "header", "proof"), PROOFS)
def test_how_a_sender_proves_itself(sender: str, header: str, proof: str) -> None:
    authentic = BY_NAME[sender].authentic
    assert authentic(Message({header: proof}, BODY), SECRET)
    assert not authentic(Message({header: proof}, BODY), "another secret")
    for wrong in ("", proof[:-1], f"{proof} ", proof.upper(), "é", "\udcff"):
        assert not authentic(Message({header: wrong}, BODY), SECRET)
    assert not authentic(Message({}, BODY), SECRET)
    assert not authentic(Message({"x-other": proof}, BODY), SECRET)
    if header not in {"x-gitlab-token", "authorization"}:
        assert not authentic(Message({header: proof}, BODY + b" "), SECRET)


def test_all_others_are_known_by_their_address() -> None:
    assert {name for name, *_ in PROOFS} | BY_ADDRESS == BY_NAME.keys()
    assert all(BY_NAME[name].authentic(Message({}, BODY), SECRET) for name in BY_ADDRESS)


@pytest.mark.parametrize("sender", SENDERS, ids=lambda sender: sender.NAME)
def test_every_sender_keeps_the_promises_of_all(sender: Sender) -> None:
    assert BY_NAME[sender.NAME] is sender
    assert sender.HELP.endswith(".")
    assert sender.KEY
    assert sender.SCHEMA["required"] == ["secretRef"]
    assert sender.delivery(Message({}, b"")) == ""


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["push", "refs/heads/x", "[x:"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


def mutilated(payload: Any, replacement: Any, at: int) -> Any:
    """The payload with one of its parts, at any depth, replaced."""
    paths: list[tuple[Any, ...]] = []

    def walk(value: Any, path: tuple[Any, ...]) -> None:
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, inner in entries:
            paths.append((*path, key))
            walk(inner, (*path, key))

    copied = json.loads(json.dumps(payload))
    walk(copied, ())
    *way, last = paths[at % len(paths)]
    place = copied
    for key in way:
        place = place[key]
    place[last] = replacement
    return copied


@given(st.sampled_from(READ), values, st.integers(0, 10_000))
def test_no_body_whatsoever_is_an_error(case: tuple[str, dict[str, str], Any, Any], value: Any, at: int) -> None:
    name, headers, payload, _ = case
    for strange in (mutilated(payload, value, at), {"any": value}):
        for one in BY_NAME[name].read(Message(headers, b""), strange, {}):
            assert isinstance(one, News)
            assert all(one.addresses)
