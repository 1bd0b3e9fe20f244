"""Pipelines in the manner of Kargo's public samples: PromotionTasks, their fields and their quirks, to the end.

What is remarkable about each is said with it. Argo CD is the sandbox's.
"""

from pathlib import Path

from bot.rendering import find_programs
from tests.environment import required
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO, REPOSITORY, Scene, scene
from tests.scenarios.test_argocd import SlowClock, application, secrets, shown

WAREHOUSE = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: guestbook, namespace: shop}
spec:
  interval: 1h
  subscriptions:
  - image: {repoURL: ADDRESS/acme/service, imageSelectionStrategy: SemVerMORE}
"""
STAGE = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: NAME, namespace: shop, annotations: {kargo.akuity.io/color: red}}
spec:
  requestedFreight:
  - origin: {kind: Warehouse, name: guestbook}
    sources: SOURCES
"""
TEMPLATE = "  promotionTemplate: {spec: {steps: [{task: {name: promote}VARS}]}}\n"
TASK = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: {name: promote, namespace: shop}
spec:
  vars:
  - {name: repoURL, value: http://ADDRESS/acme/shop.git}
  - {name: branch, value: main}
  - {name: image, value: ADDRESS/acme/service}
"""
BASE = {
    "base/kustomization.yaml": "resources: [deploy.yaml]\n",
    "base/deploy.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: guestbook}\nspec:\n  selector: {matchLabels: {a: b}}\n"
        "  template:\n    metadata: {labels: {a: b}}\n    spec:\n"
        "      containers: [{name: guestbook, image: 'ADDRESS/acme/service:latest'}]\n"
    ),
}
OVERLAY = "resources: [../../base]\nnamespace: guestbook-STAGE\n"


def a_stage(name: str, sources: str, *, variables: str = "", template: str = TEMPLATE, more: str = "") -> str:
    text = STAGE.replace("NAME", name).replace("SOURCES", sources)
    return text + template.replace("VARS", f", vars: {variables}" if variables else "") + more


def a_warehouse(more: str = "") -> str:
    return WAREHOUSE.replace("MORE", more)


def overlays(*stages: str) -> dict[str, str]:
    return {f"env/{name}/kustomization.yaml": OVERLAY.replace("STAGE", name) for name in stages}


async def promote(shop: Scene, stage: str, what: str = "", branch: str = "main") -> str:
    """By command, on an issue of its own; its steps end with Argo CD. Gives the commit that landed."""
    number = await shop.issue()
    await shop.say("writer", number, f"/promote {stage} {what}")

    async def verified() -> bool:
        head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
        return (await shop.checks(head)).get(f"verification/{stage}") == "success"

    await shop.comes_true(f"the verification in {stage}", verified)
    await shop.quiet()
    await shop.hears(number, f"`{stage}`")
    app = await shown(shop, f"guestbook-{stage}")
    assert app["status"]["health"]["status"] == "Healthy"
    revision: str = app["status"]["operationState"]["syncResult"]["revision"]
    return revision


# A variable decides whether a pull request is opened; `createTargetBranch` and the output `prNumber` are no longer
# Kargo's; the push to the branch itself and the one to a generated branch have conditions that exclude one another.
SIMPLE = (
    TASK
    + """\
  - {name: openpr, value: "false"}
  steps:
  - uses: git-clone
    config:
      repoURL: ${{ vars.repoURL }}
      checkout:
      - branch: ${{ vars.branch }}
        path: ./src
  - uses: kustomize-set-image
    as: update-image
    config:
      path: ./src/env/${{ ctx.stage }}
      images:
      - image: ${{ vars.image }}
        tag: ${{ imageFrom( vars.image ).Tag }}
  - uses: git-commit
    as: commit
    config:
      path: ./src
      message: ${{ task.outputs['update-image'].commitMessage }}
  - uses: git-push
    if: ${{ vars.openpr != 'true' }}
    config:
      path: ./src
  - uses: git-push
    if: ${{ vars.openpr == 'true' }}
    as: push
    config:
      path: ./src
      generateTargetBranch: true
  - uses: git-open-pr
    as: open-pr
    if: ${{ vars.openpr == 'true' }}
    config:
      repoURL: ${{ vars.repoURL }}
      createTargetBranch: true
      sourceBranch: ${{ task.outputs.push.branch }}
      targetBranch: ${{ vars.branch }}
  - uses: git-wait-for-pr
    as: wait-for-pr
    if: ${{ vars.openpr == 'true' }}
    config:
      repoURL: ${{ vars.repoURL }}
      prNumber: ${{ task.outputs['open-pr'].prNumber }}
  - uses: argocd-update
    config:
      apps:
      - name: guestbook-${{ ctx.stage }}
        sources:
        - repoURL: ${{ vars.repoURL }}
"""
)


async def test_one_task_pushes_for_some_stages_and_proposes_for_others(github: GitHub, tmp_path: Path) -> None:
    manifests = a_warehouse() + SIMPLE
    manifests += a_stage("dev", "{direct: true}")
    manifests += a_stage("prod", "{stages: [dev]}", variables='[{name: openpr, value: "true"}]')
    files = {**BASE, **overlays("dev", "prod"), ".promotion.yaml": manifests}
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", files, SlowClock(), **kept) as shop:
        for stage in ("dev", "prod"):
            await application(shop, f"guestbook-{stage}", f"shop:{stage}", path=f"env/{stage}")
        await shop.publish("1.0.0")

        await promote(shop, "dev")
        assert "newTag: 1.0.0" in await shop.read("env/dev/kustomization.yaml")

        number = await shop.issue()
        await shop.say("writer", number, "/promote prod")
        await shop.hears(number, "on its way into `prod`")
        pull = await shop.proposal("prod")
        merged = await shop.merge(pull["number"])
        await shop.hears(pull["number"], "service 1.0.0 is verified in `prod`")
        assert "newTag: 1.0.0" in await shop.read("env/prod/kustomization.yaml")
        app = await shown(shop, "guestbook-prod")
        assert app["status"]["operationState"]["syncResult"]["revision"] == merged


# Each stage has a branch of its own that holds what was rendered; freight has a commit of this very repository; tags
# are chosen by `allowTags`, which Kargo no longer takes; a junction gathers two stages that were verified.
ADVANCED = (
    TASK
    + """\
  steps:
  - uses: git-clone
    config:
      repoURL: ${{ vars.repoURL }}
      checkout:
      - commit: ${{ commitFrom(vars.repoURL).ID }}
        path: ./src
      - branch: env/${{ ctx.stage }}
        path: ./out
        create: true
  - uses: git-clear
    config:
      path: ./out
  - uses: kustomize-set-image
    as: update-image
    config:
      path: ./src/env/${{ ctx.stage }}
      images:
      - image: ${{ vars.image }}
        tag: ${{ imageFrom(vars.image).Tag}}
  - uses: kustomize-build
    config:
      path: ./src/env/${{ ctx.stage }}
      outPath: ./out
  - uses: git-commit
    as: commit
    config:
      path: ./out
      message: ${{ task.outputs['update-image'].commitMessage }}
  - uses: git-push
    config:
      path: ./out
  - uses: argocd-update
    config:
      apps:
      - name: guestbook-${{ ctx.stage }}
        sources:
        - repoURL: ${{ vars.repoURL }}
          desiredRevision: ${{ task.outputs['commit'].commit }}"""
)
ANALYSIS = """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: sync, namespace: shop}
spec:
  args:
  - name: app
  metrics:
  - name: sync
    interval: 1s
    count: 2
    successCondition: result == "Synced"
    failureLimit: 1
    provider:
      web:
        url: http://ADDRESS/cluster/apps
        jsonPath: "{$[?(@.metadata.name=='{{args.app}}')].status.sync.status}"
"""
VERIFIED = "  verification: {analysisTemplates: [{name: sync}], args: [{name: app, value: guestbook-NAME}]}\n"


async def test_rendered_branches_and_a_junction(github: GitHub, tmp_path: Path) -> None:
    required(find_programs().kustomize, "needs kubectl or kustomize")
    stages = ("dev", "ab-test-a", "ab-test-b", "prod-west")
    warehouse = a_warehouse(", allowTags: '^v?[0-9]+\\.[0-9]+\\.[0-9]+([\\+-].*)?$'")
    warehouse += "  - git: {repoURL: http://ADDRESS/acme/shop.git, branch: main}\n"
    manifests = warehouse + ANALYSIS + ADVANCED + "\n" + a_stage("dev", "{direct: true}")
    for name in ("ab-test-a", "ab-test-b"):
        manifests += a_stage(name, "{stages: [dev]}", more=VERIFIED.replace("NAME", name))
    manifests += a_stage("prod", "{stages: [ab-test-a, ab-test-b]}", template="")
    manifests += a_stage("prod-west", "{stages: [prod]}")
    files = {**BASE, **overlays(*stages), ".promotion.yaml": manifests}
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", files, SlowClock(), **kept) as shop:
        for stage in stages:
            await application(shop, f"guestbook-{stage}", f"shop:{stage}", path="./", targetRevision=f"env/{stage}")
        await shop.publish("1.0.0")
        for stage in ("dev", "ab-test-a", "prod-west"):
            synced = await promote(shop, stage, branch=f"env/{stage}")
            head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/env/{stage}")).ok()["object"]["sha"]
            assert synced == head


# Two warehouses, and steps that only run for the freight of one of them; a message that chooses between two; a chart
# whose values Argo CD reads itself; Applications named without their sources.
HELM = (
    TASK
    + """\
  steps:
  - uses: git-clone
    config:
      repoURL: ${{ vars.repoURL }}
      checkout:
      - branch: ${{ vars.branch }}
        path: ./out
  - if: ${{ ctx.targetFreight.origin.name == "guestbook" }}
    uses: yaml-update
    as: update-image
    config:
      path: ./out/env/${{ ctx.stage }}/values.yaml
      updates:
      - key: image.tag
        value: ${{ imageFrom( vars.image ).Tag }}
  - if: ${{ ctx.targetFreight.origin.name == "features" }}
    uses: git-clone
    config:
      repoURL: ${{ vars.repoURL }}
      checkout:
      - commit: ${{ commitFrom( vars.repoURL ).ID }}
        path: ./features
  - if: ${{ ctx.targetFreight.origin.name == "features" }}
    uses: copy
    config:
      inPath: ./features/base/feature-flags.yaml
      outPath: ./out/env/${{ ctx.stage }}/feature-flags.yaml
  - uses: git-commit
    as: commit
    config:
      path: ./out
      message: "${{
        ctx.targetFreight.origin.name == 'guestbook' ?
        'updated '+ctx.stage+' guestbook to '+imageFrom( vars.image ).Tag :
        'updates '+ctx.stage+' features.yaml from '+commitFrom( vars.repoURL ).ID
        }}"
  - uses: git-push
    config:
      path: ./out
  - uses: argocd-update
    config:
      apps:
      - name: guestbook-${{ ctx.stage }}
"""
)
FEATURES = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: features, namespace: shop}
spec:
  interval: 1h
  subscriptions:
  - git:
      branch: main
      commitSelectionStrategy: NewestFromBranch
      discoveryLimit: 20
      repoURL: http://ADDRESS/acme/shop.git
      includePaths:
      - base/feature-flags.yaml
"""


async def test_two_warehouses_and_conditional_steps(github: GitHub, tmp_path: Path) -> None:
    both = a_stage("dev", "{direct: true}", template="")
    both += "  - origin: {kind: Warehouse, name: features}\n    sources: {direct: true}\n"
    both += TEMPLATE.replace("VARS", "")
    files = {
        "charts/guestbook/Chart.yaml": "apiVersion: v2\nname: guestbook\nversion: 0.1.0\n",
        "charts/guestbook/values.yaml": "image: {tag: latest}\n",
        "base/feature-flags.yaml": "featureFlags:\n  FEATURE_AAA: enabled\n",
        "env/dev/values.yaml": "image:\n  tag: v0.0.88\nreplicaCount: 1\n",
        "env/dev/feature-flags.yaml": "featureFlags:\n  FEATURE_FOO: enabled\n",
        ".promotion.yaml": a_warehouse() + FEATURES + HELM + both,
    }
    kept = secrets(tmp_path, REPOSITORY, f"{github.sandbox.url}/argocd")
    async with scene(github, tmp_path / "bot", files, SlowClock(), **kept) as shop:
        values = {"valueFiles": ["/env/dev/values.yaml", "/env/dev/feature-flags.yaml"]}
        await application(shop, "guestbook-dev", "shop:dev", path="charts/guestbook", helm=values)
        await shop.publish("1.0.0")

        await promote(shop, "dev", "1.0.0")
        assert await shop.read("env/dev/values.yaml") == "image:\n  tag: 1.0.0\nreplicaCount: 1\n"
        assert "FEATURE_FOO" in await shop.read("env/dev/feature-flags.yaml")
