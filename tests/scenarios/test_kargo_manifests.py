"""Somebody moves from Kargo: Warehouse, Stages and AnalysisTemplate are pasted as they were, old spellings and all."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, scene

MANIFESTS = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata:
  name: kargo-poc
  namespace: kargo-poc
spec:
  interval: 1h
  subscriptions:
  - image:
      repoURL: ADDRESS/acme/service
      discoveryLimit: 5
      imageSelectionStrategy: SemVer
---
STAGE test
---
STAGE uat
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata:
  name: kargo-poc
  namespace: kargo-poc
spec:
  promotionPolicies:
  - stage: test
    autoPromotionEnabled: true
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata:
  name: kargo-poc-analysis
  namespace: kargo-poc
spec:
  args:
  - name: where
  metrics:
  - name: webmetric
    successCondition: result == "Hello Audience!"
    provider:
      web:
        url: "http://ADDRESS/cluster/{{args.where}}/test"
        timeoutSeconds: 20 # defaults to 10 seconds
        jsonPath: "{$.message}"
"""
STAGE = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata:
  name: STAGE
  namespace: kargo-poc
  annotations:
    kargo.akuity.io/color: green
spec:
  requestedFreight:
  - origin:
      kind: Warehouse
      name: kargo-poc
    sources:
      SOURCES
  verification:
    analysisTemplates:
    - name: kargo-poc-analysis
    args:
    - name: where
      value: STAGE
  promotionTemplate:
    spec:
      steps:
      - uses: git-clone
        config:
          repoURL: http://ADDRESS/acme/shop.git
          checkout:
          - branch: main
            path: ./src
      - uses: git-clear
        config:
          path: ./out/stages/STAGE
      - uses: helm-update-image
        as: update-image
        config:
          path: ./src/chart/values-STAGE.yaml
          images:
          - image: ADDRESS/acme/service
            key: image.tag
            value: Tag
      - uses: helm-template
        config:
          releaseName: service
          path: ./src/chart
          valuesFiles:
            - ./src/chart/values-STAGE.yaml
          outPath: ./out/stages/STAGE/manifests.yaml
      - uses: git-commit
        as: commit
        config:
          path: ./out/stages/STAGE
          messageFromSteps:
          - update-image
      - uses: git-push
        as: push
        config:
          path: ./out/stages/STAGE
          generateTargetBranch: true
      - uses: git-open-pr
        as: open-pr
        config:
          repoURL: http://ADDRESS/acme/shop.git
          sourceBranchFromStep: push
          targetBranch: main
      - uses: git-wait-for-pr
        config:
          repoURL: http://ADDRESS/acme/shop.git
          provider: gitlab
          prNumberFromStep: open-pr
        as: wait-pr
"""


def stage(name: str, sources: str) -> str:
    return STAGE.replace("STAGE", name).replace("SOURCES", sources).rstrip()


async def test_kargos_own_manifests_promote_and_verify(github: GitHub, tmp_path: Path) -> None:
    pasted = MANIFESTS.replace("STAGE test", stage("test", "direct: true"))
    pasted = pasted.replace("STAGE uat", stage("uat", "stages:\n        - test"))
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pasted}) as shop:
        await shop.publish("1.0.0")

        first = await shop.proposal("test")
        assert await shop.checks(first["head"]["sha"]) == {"promotion/test": "success"}
        await shop.merge(first["number"])
        await shop.hears(first["number"], "service 1.0.0 is verified in `test`", "/promote uat 1.0.0")

        await shop.say("writer", first["number"], "/promote uat")
        await shop.hears(first["number"], "on its way into `uat`")
        second = await shop.proposal("uat")
        commit = (await shop.who("owner").get(f"/repos/acme/shop/commits/{second['head']['sha']}")).ok()["commit"]
        assert commit["message"].startswith("Updated ./src/chart/values-uat.yaml to use new image")
        await shop.merge(second["number"])
        await shop.hears(second["number"], "service 1.0.0 is verified in `uat`", "This was the last stage.")
        assert await shop.holds("uat") == "1.0.0"
        assert await shop.read("chart/values-uat.yaml") == CHART["chart/values-uat.yaml"]
