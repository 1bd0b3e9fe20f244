"""A stage is rendered by Kustomize: in the short form, and by Kargo's own steps."""

from pathlib import Path

import pytest

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import PIPELINE, scene

OVERLAYS = {
    "base/kustomization.yaml": "resources: [deployment.yaml]\n",
    "base/deployment.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: service}\nspec:\n  template:\n    spec:\n"
        "      containers:\n        - {name: service, image: 'ADDRESS/acme/service'}\n"
    ),
    "overlays/test/kustomization.yaml": "resources: [../../base]\nnamePrefix: test-\n",
}
WAREHOUSE, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = REST[REST.index("verifications:") :]
SHORT = "    render: {kustomize: {path: overlays/test}}\n"
LONG = """\
    promotionTemplate:
      spec:
        steps:
          - uses: git-clone
            config: {checkout: [{path: ./src}]}
          - uses: git-clear
            config: {path: ./src/out/stages/test}
          - uses: kustomize-set-image
            as: update
            config:
              path: ./src/overlays/test
              images: [{image: "ADDRESS/acme/service", tag: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}]
          - uses: kustomize-build
            config: {path: ./src/overlays/test, outPath: ./src/out/stages/test/manifests.yaml}
          - uses: git-commit
            config: {path: ./src/out/stages/test, message: "${{ outputs.update.commitMessage }}"}
          - uses: git-push
            config: {path: ./src, generateTargetBranch: true}
          - uses: git-open-pr
            as: open-pr
            config: {}
          - uses: git-wait-for-pr
            config: {prNumber: "${{ outputs['open-pr'].pr.id }}"}
"""


@pytest.mark.parametrize("render", [SHORT, LONG], ids=["short", "Kargo's steps"])
async def test_an_overlay_is_built_with_the_image_that_was_promoted(
    github: GitHub, tmp_path: Path, render: str
) -> None:
    stage = f"  test:\n    from: service\n    auto: true\n    merge: auto\n    verify: [greeting]\n{render}"
    pipeline = f"{WAREHOUSE}stages:\n{stage}{VERIFICATIONS}"
    async with scene(github, tmp_path / "bot", {**OVERLAYS, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")

        pull = await shop.landed("test")
        assert await shop.holds("test") == "1.0.0"
        assert "name: test-service" in await shop.read("out/stages/test/manifests.yaml")
        assert await shop.read("overlays/test/kustomization.yaml") == OVERLAYS["overlays/test/kustomization.yaml"]
        await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
