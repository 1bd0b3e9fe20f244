"""What `--seed demo` adds: the repository `acme/service-cicd`, with a chart and three stages, and an image."""

from __future__ import annotations

import asyncio
import json
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

import aiohttp

from bot.sandbox.oci import push_image, storage_of

if TYPE_CHECKING:
    from bot.sandbox.server import Sandbox

REPOSITORY = "acme/service-cicd"
IMAGE = "acme/service"
FIRST_VERSION = "1.0.0"
_BRANCH = "develop"
_RENAMED = {"promotion.yaml": ".promotion.yaml"}  # so that nothing takes it for this project's own


async def fill(sandbox: Sandbox) -> None:
    """Make the repository as its owner would, and push the first version of the image."""
    await publish(sandbox, FIRST_VERSION)
    token = json.loads((sandbox.world.directory / "tokens.json").read_text())["owner"]
    async with aiohttp.ClientSession(headers={"Authorization": f"token {token}"}) as session:
        await _make_repository(session, sandbox.world.api, _content(sandbox.url.removeprefix("http://")))


async def publish(sandbox: Sandbox, version: str) -> str:
    """Push one version of the demo's image; returns its digest."""
    return await asyncio.to_thread(push_image, storage_of(sandbox.world), IMAGE, version)


async def _make_repository(session: aiohttp.ClientSession, api: str, content: dict[str, str]) -> None:
    owner, _, name = REPOSITORY.partition("/")
    repo = f"{api}/repos/{REPOSITORY}"

    async def ask(method: str, url: str, body: dict[str, Any] | None = None) -> Any:
        async with session.request(method, url, json=body) as answer:
            answer.raise_for_status()
            return await answer.json()

    made = await ask("POST", f"{api}/orgs/{owner}/repos", {"name": name, "private": True, "auto_init": True})
    parent = (await ask("GET", f"{repo}/git/ref/heads/{made['default_branch']}"))["object"]["sha"]
    tree = [{"path": path, "mode": "100644", "type": "blob", "content": text} for path, text in content.items()]
    tree_sha = (await ask("POST", f"{repo}/git/trees", {"tree": tree}))["sha"]
    message = "Add the chart, its values for three stages, and what Towpath does with them"
    commit = await ask("POST", f"{repo}/git/commits", {"message": message, "tree": tree_sha, "parents": [parent]})
    await ask("POST", f"{repo}/git/refs", {"ref": f"refs/heads/{_BRANCH}", "sha": commit["sha"]})
    await ask("PATCH", repo, {"default_branch": _BRANCH})


def _content(address: str) -> dict[str, str]:
    """The files of the repository, for a sandbox at this address."""
    found: dict[str, str] = {}

    def walk(folder: Traversable, prefix: str) -> None:
        for entry in folder.iterdir():
            name = f"{prefix}{_RENAMED.get(entry.name, entry.name)}"
            if entry.is_dir():
                walk(entry, f"{name}/")
            else:
                found[name] = entry.read_text().replace("@ADDRESS@", address)

    walk(files(__package__) / "repository", "")
    return found
