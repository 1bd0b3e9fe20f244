"""An image that the registry took in becomes news for the Apps of its owner."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.sandbox.packages import announce_image
from tests.sandbox.driver import GitHub

_DIGEST = "sha256:" + "a" * 64


async def test_the_apps_of_the_owner_hear_of_a_tag(github: GitHub) -> None:
    world, hooks = github.sandbox.world, github.sandbox.hooks
    await announce_image(world, hooks, "acme", "shop/web", "1.0.0", _DIGEST)
    await announce_image(world, hooks, "acme", "shop/web", "1.1.0", _DIGEST)
    assert await github.events() == ["registry_package.published"] * 2
    first, second = (json.loads(body)["registry_package"] for _, body in github.received)
    assert (first["name"], first["namespace"], first["package_type"]) == ("shop/web", "acme", "CONTAINER")
    version = first["package_version"]
    assert version["container_metadata"]["tag"] == {"name": "1.0.0", "digest": _DIGEST}
    assert version["package_url"] == f"127.0.0.1:{github.sandbox.port}/acme/shop/web:1.0.0"
    assert first["id"] == second["id"]
    assert version["id"] != second["package_version"]["id"]


async def test_nobody_hears_of_an_image_without_an_owner_or_permission(github: GitHub) -> None:
    world, hooks = github.sandbox.world, github.sandbox.hooks
    await announce_image(world, hooks, "library", "nginx", "1", _DIGEST)
    await announce_image(world, hooks, "outsider", "nginx", "1", _DIGEST)
    async with world.change():
        for row in list(world.installations):
            world.installations.put(replace(row, permissions={}))
    await announce_image(world, hooks, "acme", "nginx", "1", _DIGEST)
    assert await github.events() == []
