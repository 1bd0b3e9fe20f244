"""After the merge Argo CD is told to sync, and the verification waits until what was merged runs and is well."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.sandbox.cluster.argocd import TOKEN
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, REPOSITORY, Scene, scene

PASTED = Path(__file__).parents[1] / "core" / "pasted.yaml"
# What the article's Stage refers to, and does not show.
MISSING = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: kargo-poc-tags}
spec: {interval: 1h, subscriptions: [{image: {repoURL: ADDRESS/acme/service}}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: teststable-tags}
spec:
  requestedFreight: [{origin: {kind: Warehouse, name: kargo-poc-tags}, sources: {direct: true}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: kargo-poc-uat-analysis}
spec:
  metrics:
    - name: healthy
      successCondition: result == "Healthy"
      provider: {web: {url: "http://ADDRESS/cluster/apps", jsonPath: "{$[0].status.health.status}"}}
"""
SERVICE = {
    "chart/service/values-uat.yaml": CHART["chart/values-uat.yaml"],
    "chart/techcelerate-service/Chart.yaml": CHART["chart/Chart.yaml"],
    "chart/techcelerate-service/templates/deployment.yaml": CHART["chart/templates/deployment.yaml"],
}
SYNCED = """\
    steps:
      - {uses: argocd-update, config: {apps: [{name: service-test}]}}
"""


class SlowClock:
    """A clock a minute slow, so that waiting up to a minute takes no time."""

    def now(self) -> datetime:
        return datetime.now(UTC) - timedelta(minutes=1)


def secrets(folder: Path, repository: str, server: str) -> dict[str, str]:
    """The setting that gives the repository Argo CD's address and token."""
    where = folder / "secrets" / repository / "argocd"
    where.mkdir(parents=True)
    (where / "server").write_text(f"{server}\n")
    (where / "token").write_text(f"{TOKEN}\n")
    return {"SECRETS_DIR": str(folder / "secrets")}


async def application(shop: Scene, name: str, stages: str, **source: Any) -> None:
    """An Application in the sandbox's Argo CD that lets these stages change it."""
    url = shop.github.sandbox.url
    app = {
        "metadata": {"name": name, "annotations": {"kargo.akuity.io/authorized-stage": stages}},
        "spec": {"source": {"repoURL": f"{url}/{REPOSITORY}.git", **source}},
    }
    (await shop.who("owner").call("POST", f"{url}/cluster/apps", app)).ok(201)


async def shown(shop: Scene, name: str) -> dict[str, Any]:
    apps = (await shop.who("owner").call("GET", f"{shop.github.sandbox.url}/cluster/apps")).ok()
    (found,) = [app for app in apps if app["metadata"]["name"] == name]
    return dict(found)


async def the_articles_repository(shop: Scene) -> None:
    """A branch `develop` with the chart under both names the article gives it."""
    owner = shop.who("owner")
    main = (await owner.get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    (await owner.post(f"{REPO}/git/refs", {"ref": "refs/heads/develop", "sha": main})).ok(201)
    commit = await shop.write(SERVICE, branch="develop")
    base = (await owner.get(f"{REPO}/git/commits/{commit}")).ok()["tree"]["sha"]
    link = {
        "path": "chart/techcelerate-service/values-uat.yaml",
        "mode": "120000",
        "type": "blob",
        "content": "../service/values-uat.yaml",
    }
    tree = (await owner.post(f"{REPO}/git/trees", {"base_tree": base, "tree": [link]})).ok(201)["sha"]
    linked = {"message": "one file of values, two names", "tree": tree, "parents": [commit]}
    sha = (await owner.post(f"{REPO}/git/commits", linked)).ok(201)["sha"]
    (await owner.patch(f"{REPO}/git/refs/heads/develop", {"sha": sha})).ok()


async def test_the_stage_of_the_article_runs_as_pasted(github: GitHub, tmp_path: Path) -> None:
    (stage,) = [text for text in PASTED.read_text().split("---\n") if "name: uat-tags\n" in text]
    stage = stage.replace("https://github.com/service-cicd.git", "http://ADDRESS/acme/shop.git")
    stage = stage.replace("image-registry.com/service-image", "ADDRESS/acme/service")
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", {"README.md": "shop\n"}, SlowClock(), **kept) as shop:
        await the_articles_repository(shop)
        await application(shop, "service-uat", "shop:uat-tags", path="out/stages/uat", targetRevision="develop")
        await shop.write({".promotion.yaml": stage + MISSING})
        await shop.publish("1.0.0")
        number = await shop.issue()

        await shop.say("writer", number, "/promote uat-tags")

        await shop.hears(number, "on its way into `uat-tags`")
        pull = await shop.proposal("uat-tags")
        assert pull["base"]["ref"] == "develop"
        assert (await shown(shop, "service-uat"))["status"]["health"]["status"] == "Missing"
        merged = await shop.merge(pull["number"])
        await shop.hears(pull["number"], "service 1.0.0 is verified in `uat-tags`")
        app = await shown(shop, "service-uat")
        assert app["status"]["operationState"]["syncResult"]["revision"] == merged
        assert app["status"]["health"]["status"] == "Healthy"
        manifests = await shop.read("out/stages/uat/manifests.yaml", "develop")
        assert f"{shop.address}/acme/service:1.0.0" in manifests


async def test_a_stage_that_the_application_does_not_know_is_told_so(github: GitHub, tmp_path: Path) -> None:
    pipeline = PIPELINE.replace("    merge: auto\n", f"    merge: auto\n{SYNCED}")
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}, SlowClock(), **kept) as shop:
        await application(shop, "service-test", "shop:uat", path="out/stages/test")
        await shop.publish("1.0.0")
        pull = await shop.landed("test")
        await shop.hears(
            pull["number"], "service 1.0.0 is not verified in `test`", "make that", "shop:uat,acme/shop:test"
        )
        assert (await shown(shop, "service-test"))["status"]["health"]["status"] == "Missing"


async def test_an_application_that_does_not_get_well_keeps_the_stage_waiting(github: GitHub, tmp_path: Path) -> None:
    pipeline = PIPELINE.replace("    merge: auto\n", f"    merge: auto\n{SYNCED}")
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}, **kept) as shop:
        await application(shop, "service-test", "acme/shop:test", path="out/stages/test")
        await shop.spoil("1.0.0")
        await shop.publish("1.0.0")
        pull = await shop.landed("test")

        async def synced() -> bool:
            return (await shown(shop, "service-test"))["status"]["health"]["status"] == "Degraded"

        await shop.comes_true("the sync", synced)
        assert await shop.state(pull["number"]) == {"syncing"}
        (await shop.who("owner").call("DELETE", f"{github.sandbox.url}/cluster/bad")).ok()

        async def verified() -> bool:
            return await shop.state(pull["number"]) == {"verified"}

        await shop.comes_true("the verification", verified)
        await shop.quiet()
        await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
        assert (await shown(shop, "service-test"))["status"]["operationState"]["phase"] == "Succeeded"
