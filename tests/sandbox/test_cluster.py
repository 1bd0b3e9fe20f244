"""The cluster runs what Git says, some time later, and answers as the version deployed there would."""

import base64
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from bot.sandbox import cluster as sandbox_cluster
from bot.sandbox import oci
from bot.sandbox.cluster import Change, Cluster, Fault, Health, Rules, routes
from bot.sandbox.cluster.manifests import read, version_of
from bot.sandbox.seed import seed
from bot.sandbox.server import start

NOON = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PATH = "out/stages/{}/manifests.yaml"
DEPLOYMENT = """\
apiVersion: v1
kind: Service
metadata: {{name: service}}
---
apiVersion: apps/v1
kind: Deployment
spec:
  template:
    spec:
      containers:
      - {{name: service, image: "127.0.0.1:5000/acme/service:{}"}}
      - {{name: proxy, image: proxy}}
"""


class History:
    """Repositories whose commits a test makes, and a clock that it moves."""

    def __init__(self):
        self.now, self.commits = NOON, {}

    def commit(self, stage, version, sha, repository="acme/gitops", made_at=None, content=None):
        text = DEPLOYMENT.format(version) if content is None else content
        change = (Change(sha, made_at or self.now), text.encode() if version else None)
        self.commits.setdefault((repository, PATH.format(stage)), []).insert(0, change)

    def clock(self):
        return self.now

    def wait(self, seconds):
        self.now += timedelta(seconds=seconds)

    async def repositories(self):
        return sorted({repository for repository, _ in self.commits})

    async def changes(self, repository, path):
        return [change for change, _ in self.commits.get((repository, path), ())]

    async def read(self, repository, sha, path):
        return next(content for change, content in self.commits[repository, path] if change.sha == sha)


@pytest.fixture
def history():
    return History()


@pytest.fixture
def cluster(history, tmp_path):
    return Cluster(history, tmp_path / "cluster.json", history.clock, Rules(delay=timedelta(seconds=10)))


@pytest.fixture
async def http(cluster):
    application = web.Application()
    application.add_routes(routes(cluster))
    async with TestClient(TestServer(application)) as client:

        async def call(method, path, status=200, **options):
            async with client.request(method, path, **options) as response:
                data = await response.json()
                assert response.status == status, data
                return data

        yield call


async def test_a_commit_is_rolled_out_after_the_delay(cluster, history, http):
    assert "No repository" in (await http("GET", "/cluster/test", 503))["message"]
    history.commit("test", "1.0.0", "one")
    assert (await http("GET", "/cluster/test/test", 503))["message"] == "Nothing runs in stage test yet"
    status = await http("GET", "/cluster/test")
    assert (status["desiredRevision"], status["syncedRevision"], status["health"]) == ("one", None, "Progressing")

    history.wait(10)
    assert await http("GET", "/cluster/test/test") == {
        "message": "Hello Audience!",
        "version": "1.0.0",
        "stage": "test",
        "revision": "one",
    }
    assert await http("GET", "/cluster/test") == {
        "stage": "test",
        "repository": "acme/gitops",
        "desiredRevision": "one",
        "syncedRevision": "one",
        "version": "1.0.0",
        "images": ["127.0.0.1:5000/acme/service:1.0.0", "proxy"],
        "health": "Healthy",
        "problem": None,
    }

    history.commit("test", "1.1.0", "two")
    history.wait(9)
    assert (await http("GET", "/cluster/test"))["health"] == "Progressing"
    assert (await http("GET", "/cluster/test/version"))["version"] == "1.0.0"
    history.wait(1)
    assert await http("GET", "/cluster/test/version") == {"version": "1.1.0", "stage": "test", "revision": "two"}
    assert (await http("GET", "/cluster/test"))["health"] == "Healthy"


async def test_each_stage_has_its_own(cluster, history, http):
    history.commit("test", "1.1.0", "two")
    history.commit("uat", "1.0.0", "one")
    history.wait(10)
    assert (await http("GET", "/cluster/test/version"))["version"] == "1.1.0"
    assert (await http("GET", "/cluster/uat/version"))["version"] == "1.0.0"
    await http("GET", "/cluster/prod/version", 503)


async def test_a_bad_version_misbehaves_wherever_it_runs_until_it_is_mended(cluster, history, http):
    history.commit("test", "1.0.0", "one")
    history.wait(10)
    await http("POST", "/cluster/bad", json={"version": "1.1.0"})
    assert (await http("GET", "/cluster/test/test"))["message"] == "Hello Audience!"

    history.commit("test", "1.1.0", "two")
    history.wait(10)
    assert (await http("GET", "/cluster/test/test"))["message"] == "Hello ...?"
    assert (await http("GET", "/cluster/test"))["health"] == "Degraded"

    assert (await http("POST", "/cluster/bad", json={"version": "1.1.0", "how": "error"}))["bad"] == {"1.1.0": "error"}
    assert (await http("GET", "/cluster/test/test", 500))["version"] == "1.1.0"
    assert (await http("GET", "/cluster/test/version"))["version"] == "1.1.0"

    history.commit("test", "1.0.0", "three")
    history.wait(5)
    assert (await http("GET", "/cluster/test"))["health"] == "Progressing"
    history.wait(5)
    assert (await http("GET", "/cluster/test/test"))["message"] == "Hello Audience!"

    assert (await http("DELETE", "/cluster/bad?version=1.1.0"))["bad"] == {}
    await http("POST", "/cluster/bad", json={"version": "1.0.0"})
    assert (await http("DELETE", "/cluster/bad"))["bad"] == {}
    assert (await http("GET", "/cluster/test"))["health"] == "Healthy"


async def test_the_bad_image_may_be_a_sidecar(cluster, history):
    history.commit("test", "1.0.0", "one")
    history.wait(10)
    await cluster.spoil("latest", Fault.MESSAGE)
    assert (await cluster.status("test")).health is Health.DEGRADED


async def test_a_commit_counts_from_when_it_appeared_not_from_when_it_was_made(cluster, history):
    history.commit("test", "1.0.0", "one")
    history.wait(100)
    assert (await cluster.status("test")).synced == "one"
    history.commit("test", "1.1.0", "two", made_at=NOON)
    history.wait(9)
    assert (await cluster.status("test")).synced == "one"
    history.wait(1)
    assert (await cluster.status("test")).synced == "two"


async def test_a_commit_from_the_future_counts_from_now(cluster, history):
    history.commit("test", "1.0.0", "one", made_at=NOON + timedelta(days=1))
    assert (await cluster.status("test")).synced == ""
    history.wait(10)
    assert (await cluster.status("test")).synced == "one"


async def test_what_was_seen_is_still_known_after_a_restart(cluster, history, tmp_path):
    history.commit("test", "1.0.0", "one", made_at=NOON + timedelta(days=1))
    await cluster.status("test")
    await cluster.spoil("1.0.0", Fault.ERROR)
    history.wait(10)
    again = Cluster(history, tmp_path / "cluster.json", history.clock)
    status = await again.status("test")
    assert (status.synced, status.fault, again.rules.delay) == ("one", Fault.ERROR, timedelta(seconds=10))


async def test_manifests_that_are_none_keep_the_old_version_running(cluster, history, http):
    history.commit("test", "1.0.0", "one")
    history.commit("test", "x", "two", content="a: [")
    history.wait(10)
    assert (await http("GET", "/cluster/test/test"))["version"] == "1.0.0"
    status = await http("GET", "/cluster/test")
    assert (status["health"], status["desiredRevision"], status["syncedRevision"]) == ("Degraded", "two", "one")
    assert status["problem"].startswith("two: the manifests are not YAML")


async def test_a_stage_whose_manifests_were_removed_runs_nothing(cluster, history, http):
    history.commit("test", "1.0.0", "one")
    history.commit("test", None, "two")
    history.wait(10)
    await http("GET", "/cluster/test/test", 503)
    assert (await http("GET", "/cluster/test"))["version"] is None


async def test_rules_can_be_changed_while_it_runs(cluster, history, http):
    history.commit("test", "1.0.0", "one")
    history.commit("test", "9.0.0", "other", repository="acme/other", made_at=NOON + timedelta(seconds=1))
    await http("POST", "/cluster/config", json={"delaySeconds": 0, "repository": "acme/gitops"})
    assert (await http("GET", "/cluster/test/version"))["version"] == "1.0.0"
    history.wait(1)
    await http("POST", "/cluster/config", json={"repository": None})
    assert (await http("GET", "/cluster/test/version"))["version"] == "9.0.0"
    await http("POST", "/cluster/config", json={"path": "elsewhere/{stage}.yaml"})
    await http("GET", "/cluster/test", 503)
    assert await http("GET", "/cluster") == {
        "delaySeconds": 0,
        "repository": None,
        "path": "elsewhere/{stage}.yaml",
        "bad": {},
    }


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("bad", {}),
        ("bad", {"version": 5}),
        ("bad", {"version": "1", "how": "slowly"}),
        ("bad", {"version": "1", "how": []}),
        ("bad", []),
        ("config", {"delaySeconds": -1}),
        ("config", {"delaySeconds": "2"}),
        ("config", {"delaySeconds": True}),
        ("config", {"repository": "gitops"}),
        ("config", {"repository": 5}),
        ("config", {"path": "x"}),
    ],
)
async def test_control_that_makes_no_sense_is_refused(http, path, body):
    assert (await http("POST", f"/cluster/{path}", 400, json=body))["message"]


@pytest.mark.parametrize(
    ("content", "images"),
    [
        ("", ()),
        ("---\n---\n", ()),
        (DEPLOYMENT.format("1.0.0"), ("127.0.0.1:5000/acme/service:1.0.0", "proxy")),
        ("kind: Pod\nspec: {containers: [{image: a}]}", ("a",)),
        ("kind: CronJob\nspec: {jobTemplate: {spec: {template: {spec: {containers: [{image: a}]}}}}}", ("a",)),
        ("kind: List\nitems: [{kind: Pod, spec: {containers: [{image: a}, 5, {image: 5}]}}, 5]", ("a",)),
        ("kind: List\nitems: 5", ()),
        ("kind: Deployment\nspec: {template: 5}", ()),
        ("kind: Deployment\nspec: {template: {spec: {containers: x}}}", ()),
        ("kind: Service\nspec: {containers: [{image: a}]}", ()),
    ],
)
def test_images_are_those_of_workloads(content, images):
    assert read(content.encode()).images == images


@pytest.mark.parametrize("content", [b"a: [", b"- a", b"text", b"\xff\xfe\x00", b"[" * 5000])
def test_what_is_no_manifest_is_said_so(content):
    with pytest.raises(ValueError, match="the manifests are not"):
        read(content)


@pytest.mark.parametrize(
    ("image", "version"),
    [
        ("a:1.0.0", "1.0.0"),
        ("localhost:5000/a", "latest"),
        ("localhost:5000/a:1", "1"),
        ("a@sha256:12", "sha256:12"),
        ("a:1@sha256:12", "1"),
    ],
)
def test_the_version_is_the_tag(image, version):
    assert version_of(image) == version


async def test_in_a_sandbox_it_follows_the_repositories_there(tmp_path):
    moment = [NOON]
    sandbox = await start(tmp_path / "world", clock=lambda: moment[0], plugs=(oci.plug, sandbox_cluster.plug))
    try:
        keys = await seed(sandbox)
        headers = {"Authorization": f"token {keys.tokens['owner']}"}
        async with aiohttp.ClientSession(headers=headers) as session:

            async def call(method, path, status, **options):
                async with session.request(method, sandbox.url + path, **options) as response:
                    data = await response.json()
                    assert response.status == status, data
                    return data

            await call("POST", "/api/v3/orgs/acme/repos", 201, json={"name": "gitops", "auto_init": True})
            await call("GET", "/cluster/test", 503)
            content = base64.b64encode(DEPLOYMENT.format("1.0.0").encode()).decode()
            made = await call(
                "PUT",
                "/api/v3/repos/acme/gitops/contents/" + PATH.format("test"),
                201,
                json={"message": "Promote 1.0.0", "content": content},
            )
            moment[0] = datetime.now(UTC) + timedelta(hours=1)
            assert await call("GET", "/cluster/test/test", 200) == {
                "message": "Hello Audience!",
                "version": "1.0.0",
                "stage": "test",
                "revision": made["commit"]["sha"],
            }
            oci.push_image(oci.storage_of(sandbox.world), "acme/service", "1.0.0")
            assert (await call("GET", "/v2/acme/service/tags/list", 200))["tags"] == ["1.0.0"]
    finally:
        await sandbox.close()
