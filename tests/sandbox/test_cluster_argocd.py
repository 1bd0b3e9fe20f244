"""The sandbox's Argo CD: Applications, operations that take their time, health, and answers in Argo CD's shapes."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox.cluster import Fault, Rules
from bot.sandbox.cluster.applications import Applications
from bot.sandbox.cluster.argocd import TOKEN, routes
from bot.sandbox.cluster.targets import images, selected

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
POD = "kind: Pod\nspec: {{containers: [{{image: 'service:{}'}}]}}\n"
URL = "http://127.0.0.1:1/acme/gitops.git"
API = "/argocd/api/v1/applications"
APP = {
    "metadata": {"name": "service", "labels": {"team": "shop"}},
    "spec": {"project": "default", "source": {"repoURL": URL, "path": "out", "targetRevision": "main"}},
}
Ask = Callable[..., Awaitable[Any]]


@dataclass
class Repository:
    """Commits of one branch, each a mapping of paths to texts; and a clock that a test moves."""

    commits: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    now: datetime = NOON

    def commit(self, sha: str, **files: str) -> None:
        before = self.commits[-1][1] if self.commits else {}
        self.commits.append(
            (sha, {**before, **{name.replace("__", "/") + ".yaml": text for name, text in files.items()}})
        )

    def clock(self) -> datetime:
        return self.now

    def wait(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    async def resolve(self, url: str, revision: str) -> str | None:
        if url != URL:
            return None
        if revision in {"main", "HEAD"}:
            return self.commits[-1][0]
        return next((sha for sha, _ in self.commits if sha == revision), None)

    async def files(self, url: str, sha: str, folder: str) -> Mapping[str, bytes]:
        whole = dict(self.commits)[sha]
        prefix = f"{folder}/" if folder else ""
        inside = {path.removeprefix(prefix): text for path, text in whole.items() if path.startswith(prefix)}
        return {name: text.encode() for name, text in inside.items() if "/" not in name}

    async def read(self, url: str, sha: str, path: str) -> bytes | None:
        text = dict(self.commits)[sha].get(path)
        return None if text is None else text.encode()


@dataclass
class Argo:
    """A server over one repository, and what it keeps."""

    repository: Repository
    state: Path
    rules: Rules = field(default_factory=lambda: Rules(delay=timedelta(seconds=20)))

    def applications(self) -> Applications:
        return Applications(self.repository, self.state, self.repository.clock, lambda: self.rules)


@pytest.fixture
def argo(tmp_path: Path) -> Argo:
    repository = Repository()
    repository.commit("one", out__pod=POD.format("1.0.0"))
    return Argo(repository, tmp_path / "argocd.json")


@pytest.fixture
async def ask(argo: Argo) -> AsyncIterator[Ask]:
    application = web.Application()
    application.add_routes(routes(argo.applications()))
    async with TestClient(TestServer(application)) as client:

        async def call(method: str, path: str, status: int = 200, token: str = TOKEN, **options: Any) -> Any:
            headers = {"Authorization": f"Bearer {token}"}
            async with client.request(method, path, headers=headers, **options) as response:
                data = await response.json()
                assert response.status == status, data
                return data

        yield call


def about(app: Mapping[str, Any]) -> tuple[str, str, str]:
    status = app["status"]
    return status.get("operationState", {}).get("phase", ""), status["sync"]["status"], status["health"]["status"]


async def test_an_operation_takes_its_time_and_so_does_what_it_brings(argo: Argo, ask: Ask) -> None:
    assert about(await ask("POST", "/cluster/apps", 201, json=APP)) == ("", "OutOfSync", "Missing")
    infos = [{"name": "who", "value": "me"}]

    started = await ask("POST", f"{API}/service/sync", json={"name": "service", "infos": infos})

    assert about(started) == ("Running", "OutOfSync", "Missing")
    assert started["operation"]["info"] == infos
    assert started["status"]["operationState"]["operation"]["initiatedBy"] == {"username": "towpath"}
    argo.repository.wait(10)
    ended = await ask("GET", f"{API}/service")
    assert about(ended) == ("Succeeded", "Synced", "Progressing")
    assert "operation" not in ended
    state = ended["status"]["operationState"]
    assert state["startedAt"] == "2026-11-20T12:00:00Z"
    assert state["finishedAt"] == ended["status"]["reconciledAt"] == "2026-11-20T12:00:10Z"
    assert state["syncResult"] == {"revision": "one", "source": APP["spec"]["source"]}
    argo.repository.wait(10)
    assert about(await ask("GET", f"{API}/service")) == ("Succeeded", "Synced", "Healthy")


async def test_only_one_operation_at_a_time(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    await ask("POST", f"{API}/service/sync", json={})
    refused = await ask("POST", f"{API}/service/sync", 400, json={})
    assert refused["message"] == refused["error"] == "another operation is already in progress"
    assert refused["code"] == 9
    argo.repository.wait(10)
    await ask("POST", f"{API}/service/sync", json={})


async def test_bad_versions_degrade(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    await ask("POST", f"{API}/service/sync", json={})
    argo.repository.wait(20)
    argo.rules = replace(argo.rules, bad={"1.0.0": Fault.ERROR})
    health = (await ask("GET", f"{API}/service"))["status"]["health"]
    assert health == {"status": "Degraded", "message": "version 1.0.0 does not become ready"}


async def test_only_what_is_in_its_folder_brings_it_out_of_sync(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    await ask("POST", f"{API}/service/sync", json={})
    argo.repository.wait(20)
    argo.repository.commit("two", elsewhere__pod="x")
    assert about(await ask("GET", f"{API}/service")) == ("Succeeded", "Synced", "Healthy")
    argo.repository.commit("three", out__pod=POD.format("1.1.0"))
    assert about(await ask("GET", f"{API}/service")) == ("Succeeded", "OutOfSync", "Healthy")


async def test_an_automated_application_syncs_itself_when_refreshed(argo: Argo, ask: Ask) -> None:
    automated = {**APP, "spec": {**APP["spec"], "syncPolicy": {"automated": {}}}}
    await ask("POST", "/cluster/apps", 201, json=automated)
    assert about(await ask("GET", f"{API}/service?refresh=hard"))[0] == "Running"
    argo.repository.wait(20)
    assert about(await ask("GET", f"{API}/service?refresh=normal")) == ("Succeeded", "Synced", "Healthy")


async def test_several_sources(argo: Argo, ask: Ask) -> None:
    sources = [{"repoURL": URL, "path": "out"}, {"repoURL": URL, "path": "out", "targetRevision": "one"}]
    argo.repository.commit("two", out__pod=POD.format("1.1.0"))
    await ask("POST", "/cluster/apps", 201, json={**APP, "spec": {"sources": sources}})
    await ask("POST", f"{API}/service/sync", json={})
    argo.repository.wait(20)
    shown = await ask("GET", f"{API}/service")
    assert shown["status"]["operationState"]["syncResult"]["revisions"] == ["two", "one"]
    assert about(shown) == ("Succeeded", "Synced", "Healthy")


async def test_its_spec_and_annotations_are_patched_and_put(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    patch = '{"spec": {"source": {"targetRevision": "one", "path": null}}, "metadata": {"annotations": {"a": "b"}}}'
    changed = await ask("PATCH", f"{API}/service", json={"patch": patch, "patchType": "merge"})
    assert changed["spec"]["source"] == {"repoURL": URL, "targetRevision": "one"}
    assert changed["metadata"]["annotations"] == {"a": "b"}
    assert changed["metadata"]["labels"] == {"team": "shop"}
    assert await ask("PUT", f"{API}/service/spec", json=APP["spec"]) == APP["spec"]
    assert "not supported" in (await ask("PATCH", f"{API}/service", 400, json={"patch": "[]"}))["message"]
    assert (await ask("PATCH", f"{API}/service", 400, json={"patch": "{", "patchType": "merge"}))["code"] == 3


async def test_what_is_not_there_and_who_may_not_ask(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    assert (await ask("GET", f"{API}/other", 403))["code"] == 7
    await ask("GET", f"{API}/service?appNamespace=elsewhere", 403)
    await ask("POST", f"{API}/service/sync", 403, json={"appNamespace": "elsewhere"})
    for method, path in (("GET", API), ("GET", f"{API}/service"), ("POST", f"{API}/service/sync")):
        assert (await ask(method, path, 401, token="wrong"))["code"] == 16


async def test_they_are_listed_by_labels_and_namespace(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    await ask("POST", "/cluster/apps", 201, json={**APP, "metadata": {"name": "b", "namespace": "teams"}})

    async def names(query: str) -> list[str]:
        return [app["metadata"]["name"] for app in (await ask("GET", f"{API}?{query}"))["items"]]

    assert await names("") == ["service", "b"]
    assert await names("selector=team%3Dshop") == ["service"]
    assert await names("appNamespace=teams") == ["b"]
    assert len(await ask("GET", "/cluster/apps")) == 2
    assert (await ask("GET", f"{API}?selector=a+like+b", 400))["code"] == 3


async def test_operations_fail_when_told_to_and_when_there_is_nothing_to_sync(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json={**APP, "syncFails": "no quota"})
    await ask("POST", f"{API}/service/sync", json={})
    argo.repository.wait(10)
    failed = await ask("GET", f"{API}/service")
    assert about(failed) == ("Failed", "OutOfSync", "Missing")
    assert failed["status"]["operationState"]["message"] == "no quota"
    nowhere = {"source": {"repoURL": URL, "path": "nowhere"}}
    await ask("POST", "/cluster/apps", 201, json={**APP, "spec": nowhere})
    await ask("POST", f"{API}/service/sync", json={})
    argo.repository.wait(10)
    state = (await ask("GET", f"{API}/service"))["status"]["operationState"]
    assert state["message"] == "ComparisonError: Failed to load target state: nowhere: app path does not exist"
    unknown = {"source": {"repoURL": URL, "targetRevision": "gone"}}
    await ask("POST", "/cluster/apps", 201, json={**APP, "spec": unknown})
    assert "unable to resolve 'gone'" in (await ask("POST", f"{API}/service/sync", 400, json={}))["message"]


@pytest.mark.parametrize(
    "body", [{}, {"metadata": {"name": "a"}}, {"metadata": {}, "spec": {}}, {**APP, "spec": {}}, []]
)
async def test_control_that_makes_no_sense_is_refused(ask: Ask, body: Any) -> None:
    assert (await ask("POST", "/cluster/apps", 400, json=body))["message"]


async def test_a_restart_changes_nothing(argo: Argo, ask: Ask) -> None:
    await ask("POST", "/cluster/apps", 201, json=APP)
    before = await ask("POST", f"{API}/service/sync", json={})
    again = argo.applications()
    (app,) = again.all()
    assert await again.shown(app) == before


@pytest.mark.parametrize(
    ("files", "source", "expected"),
    [
        ({"out__a": POD.format("1"), "out__b": POD.format("2")}, {}, ("service:1", "service:2")),
        (
            {"out__kustomization": "images: [{name: a, newTag: '1'}, {name: b, newName: c, digest: d}]"},
            {},
            ("a:1", "c@d"),
        ),
        ({"out__a": POD.format("1")}, {"kustomize": {"images": ["x=y:2"]}}, ("y:2", "service:1")),
        ({"out__Chart": "", "out__values": "image: {tag: 1.0.0}"}, {}, ("chart:1.0.0",)),
        (
            {"out__Chart": "", "out__values": "image: {tag: a}", "env__v": "image: {tag: b}"},
            {"helm": {"valueFiles": ["/env/v.yaml"]}},
            ("chart:b",),
        ),
        (
            {"out__Chart": "", "out__values": "image: {tag: a}"},
            {"helm": {"valueFiles": ["values.yaml"], "parameters": [{"name": "image.tag", "value": "c"}]}},
            ("chart:c",),
        ),
    ],
)
async def test_what_an_application_would_run(files: Any, source: Any, expected: tuple[str, ...]) -> None:
    repository = Repository()
    repository.commit("one", **files)
    assert await images(repository, {"repoURL": URL, "path": "./out/", **source}, "one") == expected


@pytest.mark.parametrize(
    ("selector", "fits"),
    [
        ("", True),
        ("a=1", True),
        ("a==1,b=2", True),
        ("a=2", False),
        ("a!=2", True),
        ("a in (1,2),b", True),
        ("a notin (1,2)", False),
        ("c", False),
        ("!c,a", True),
    ],
)
def test_selectors(selector: str, fits: bool) -> None:
    assert selected({"a": "1", "b": "2"}, selector) is fits
