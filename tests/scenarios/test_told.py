"""Told, not polled: news of an artifact wakes whoever wants it at once, and nobody else; `interval` is an hour."""

import asyncio
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web
from aiohttp.typedefs import Handler

from bot.core import doors
from bot.sandbox.oci import Storage, push_image, routes, storage_of
from bot.sandbox.oci.images import MANIFEST
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene
from tests.scenarios.test_git_warehouse import LIBRARY, STAGE, TAGS

WORD = "a word between Harbor and us"


async def push_to_registry(shop: Scene, version: str) -> None:
    """As `docker push` does: over HTTP, so that the registry tells of it. Nobody else does."""
    storage = storage_of(shop.github.sandbox.world)
    await asyncio.to_thread(push_image, storage, "acme/service", version)
    body = storage.manifest("acme/service", version).body
    url = f"{shop.github.sandbox.url}/v2/acme/service/manifests/{version}"
    async with shop.github.session.put(url, data=body, headers={"Content-Type": MANIFEST}) as answer:
        assert answer.status == 201
    await shop.quiet()


async def test_an_image_is_freight_as_soon_as_the_registry_tells(shop: Scene) -> None:
    await push_to_registry(shop, "1.0.0")

    await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified in `test`")
    assert await shop.holds("test") == "1.0.0"


async def test_an_image_that_nobody_wants_wakes_nobody(shop: Scene) -> None:
    before = await shop.bot.work.stats()
    calls = len(shop.github.sandbox.record.calls)

    for version in ("2.0.0", "latest"):
        await push_to_registry(shop, version)

    assert await shop.bot.work.stats() == before
    assert len(shop.github.sandbox.record.calls) == calls
    assert "registry_package.published" in await shop.github.events()


async def test_a_tag_of_another_repository_wakes_whoever_watches_that(github: GitHub, tmp_path: Path) -> None:
    await github.repo("library")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": TAGS + STAGE}) as shop:
        sha = await github.file(LIBRARY, "rules.yaml", "strict: true\n")
        await shop.quiet()
        for tag in ("v2.0.0", "nightly", "v1.0.0"):
            assert not await shop.pulls("test")
            ref = {"ref": f"refs/tags/{tag}", "sha": sha}
            (await shop.who("owner").post(f"{LIBRARY}/git/refs", ref)).ok(201)
            await shop.quiet()

        await shop.hears((await shop.landed("test"))["number"], "library v1.0.0 is verified in `test`")


# --- a registry that tells by itself -------------------------------------------------------------------


class Registry:
    """A registry of its own, and what it was asked."""

    def __init__(self, folder: Path) -> None:
        self.storage = Storage(folder)
        self.asked: list[str] = []
        self.address = ""

    @asynccontextmanager
    async def running(self) -> AsyncIterator["Registry"]:
        @web.middleware
        async def count(request: web.Request, handler: Handler) -> web.StreamResponse:
            self.asked.append(request.path)
            return await handler(request)

        app = web.Application(middlewares=[count])
        app.add_routes(routes(self.storage))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        self.address = f"127.0.0.1:{runner.addresses[0][1]}"
        yield self
        await runner.cleanup()


def keep(folder: Path, secret: str, key: str, value: str) -> None:
    place = folder / "acme" / "shop" / secret
    place.mkdir(parents=True)
    (place / key).write_text(value)


async def tell(shop: Scene, path: str, body: bytes, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    sent = {"Content-Type": "application/json", **named}
    async with shop.github.session.post(shop.bot.url + path, data=body, headers=sent) as answer:
        return answer.status


def harbor(registry: Registry, version: str) -> bytes:
    resource = {"tag": version, "resource_url": f"{registry.address}/acme/service:{version}"}
    return json.dumps({"type": "PUSH_ARTIFACT", "event_data": {"resources": [resource]}}).encode()


async def test_a_receiver_wakes_a_warehouse_and_a_tag_that_is_not_wanted_asks_the_registry_nothing(
    github: GitHub, tmp_path: Path
) -> None:
    keep(tmp_path / "secrets", "harbor", "auth-header", WORD)
    door = doors.path("acme/shop", "harbor", "images", WORD)
    async with Registry(tmp_path / "registry").running() as registry:
        pipeline = PIPELINE.replace("ADDRESS/acme", f"{registry.address}/acme")
        chart = {name: text.replace("ADDRESS/acme", f"{registry.address}/acme") for name, text in CHART.items()}
        files = {**chart, ".promotion.yaml": pipeline + "receivers: {images: {harbor: harbor}}\n"}
        async with scene(github, tmp_path / "bot", files, SECRETS_DIR=str(tmp_path / "secrets")) as shop:
            asked = len(registry.asked)
            for version in ("1.0.0", "2.0.0"):
                push_image(registry.storage, "acme/service", version)

            assert await tell(shop, door, harbor(registry, "2.0.0"), Authorization=WORD) == 200
            assert await tell(shop, door, harbor(registry, "1.0.0"), Authorization="guess") == 401
            assert await tell(shop, door[:-1], harbor(registry, "1.0.0"), Authorization=WORD) == 404
            await shop.quiet()
            assert len(registry.asked) == asked

            assert await tell(shop, door, harbor(registry, "1.0.0"), Authorization=WORD) == 202
            await shop.quiet()

            assert len(registry.asked) > asked
            await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified in `test`")
            assert await shop.holds("test") == "1.0.0"


async def test_a_receiver_that_is_no_longer_configured_is_closed(github: GitHub, tmp_path: Path) -> None:
    keep(tmp_path / "secrets", "forge", "secret", WORD)
    door = doors.path("acme/shop", "gitea", "forge", WORD)
    body = b'{"ref": "refs/heads/main"}'
    proof = {"X_Gitea_Signature": hmac.new(WORD.encode(), body, hashlib.sha256).hexdigest(), "X_Gitea_Event": "push"}
    files = {**CHART, ".promotion.yaml": PIPELINE + "receivers: {forge: {gitea: forge}}\n"}
    async with scene(github, tmp_path / "bot", files, SECRETS_DIR=str(tmp_path / "secrets")) as shop:
        assert await tell(shop, door, body, **proof) == 200

        await shop.write({".promotion.yaml": PIPELINE})
        await shop.quiet()

        assert await tell(shop, door, body, **proof) == 404
