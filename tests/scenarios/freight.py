"""What stories of freight from several subscriptions share: images to publish, a stage that writes them down."""

from typing import Any

import yaml

from bot.sandbox.oci import push_image, storage_of
from tests.scenarios.scene import REPO, Scene

STEPS = """\
    promotionTemplate:
      spec:
        steps:
          - {uses: git-clone, config: {checkout: [{path: ./src}]}}
          - {uses: file-write, config: {path: ./src/out/STAGE.txt, contents: "CONTENT", overwrite: true}}
          - {uses: git-commit, config: {path: ./src/out}}
          - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
          - {uses: git-open-pr, config: {}}
          - {uses: git-wait-for-pr, config: {}}
"""
BOTH = "${{ imageFrom('ADDRESS/acme/service').Tag }} with ${{ imageFrom('ADDRESS/acme/proxy').Tag }}"


def stage(name: str, content: str = BOTH, more: str = "", source: str = "app") -> str:
    return f"  {name}:\n    from: {source}\n{more}" + STEPS.replace("STAGE", name).replace("CONTENT", content)


async def publish(shop: Scene, **versions: str) -> None:
    """Push images, and have their pipelines tell of it."""
    for image, version in versions.items():
        push_image(storage_of(shop.github.sandbox.world), f"acme/{image}", version)
    (await shop.who("owner").post(f"{REPO}/dispatches", {"event_type": "published"})).ok(204)
    await shop.quiet()


async def lock(shop: Scene, name: str) -> Any:
    """The one freight in a stage."""
    (freight,) = yaml.safe_load(await shop.read(f".promotion/{name}.lock"))["freight"]
    return freight


async def head(shop: Scene) -> str:
    sha: str = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    return sha
