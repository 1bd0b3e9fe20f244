"""What `towpath render` writes from a person's clone is what the pull request holds, byte for byte."""

import asyncio
import io
import json
from pathlib import Path

import pytest

from bot.cli.freight import Wanted
from bot.cli.render import Asked
from bot.workbench import render_checkout
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, REPO, Scene, scene

STEPS = """
    steps:
      - {uses: git-clone, config: {checkout: [{path: ./src}]}}
      - {uses: git-clear, config: {path: ./src/live}}
      - uses: yaml-update
        config:
          path: ./src/chart/values-test.yaml
          updates: [{key: image.tag, value: "${{ imageFrom(vars.image).Tag }}"}]
      - uses: helm-template
        config: {path: ./src/chart, releaseName: "${{ ctx.stage }}", outPath: ./src/live, outLayout: flat,
                 valuesFiles: [./src/chart/values-test.yaml]}
      - uses: kustomize-build
        config: {path: ./src/overlay, outPath: ./src/live/overlay.yaml}
      - uses: file-write
        config: {path: ./src/live/digest, contents: "${{ imageFrom(vars.image).Digest }}"}
      - {uses: git-commit, config: {path: ./src}}
      - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
      - {uses: git-open-pr, as: open, config: {}}
      - {uses: git-wait-for-pr, config: {prNumber: "${{ outputs.open.pr.id }}"}}
    vars: [{name: image, value: ADDRESS/acme/service}]
"""
SHORT = "    render: {helm: {chart: chart, values: values-test.yaml}}\n"
BRANCH = '    render: {helm: {chart: chart}, branch: "stage/${{ ctx.stage }}"}\n'
OVERLAY = {
    "overlay/kustomization.yaml": "resources: [a.yaml]\nnamePrefix: test-\n",
    "overlay/a.yaml": "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n",
}


def pipeline(stage: str) -> str:
    return (
        "warehouses:\n  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}\n"
        f"stages:\n  test:\n    from: service\n    auto: true\n{stage}"
    )


@pytest.mark.parametrize("stage", [SHORT, BRANCH, STEPS], ids=["a folder", "a branch", "steps of its own"])
async def test_a_clone_renders_what_the_pull_request_holds(github: GitHub, tmp_path: Path, stage: str) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, **OVERLAY, ".promotion.yaml": pipeline(stage)}) as shop:
        clone = await cloned(shop, tmp_path / "clone")
        await shop.publish("1.0.0")
        pull = await shop.proposal("test")
        proposed = {
            one["filename"]: await shop.read(one["filename"], pull["head"]["sha"])
            for one in (await shop.who("owner").get(f"{REPO}/pulls/{pull['number']}/files")).ok()
        }
        assert proposed.pop(".promotion/test.lock")

        out = io.StringIO()
        asked = Asked("test", Wanted(versions=[("service", "1.0.0")]), tmp_path / "out", as_json=True)
        assert await render_checkout(clone, asked, None, out, io.StringIO()) == 0, out.getvalue()

        written = {
            path.relative_to(tmp_path / "out").as_posix(): path.read_text()
            for path in (tmp_path / "out").rglob("*")
            if path.is_file()
        }
        assert written == proposed != {}
        assert json.loads(out.getvalue())["files"] == [
            {"path": path, "change": "changed" if path.startswith("chart/") else "added"} for path in sorted(written)
        ]


async def cloned(shop: Scene, folder: Path) -> Path:
    """A clone as a person has one, with a token in the address."""
    address = f"http://octocat:{shop.github.keys.tokens['owner']}@{shop.address}/acme/shop.git"
    process = await asyncio.create_subprocess_exec("git", "clone", "--quiet", address, str(folder))
    assert await process.wait() == 0
    return folder
