"""Container packages as GitHub tells of them: what the sandbox's registry took in becomes an event for Apps."""

from __future__ import annotations

import hashlib

from bot.sandbox.hooks import Hooks
from bot.sandbox.model.accounts import Account
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.values import JsonObject, stamp
from bot.sandbox.world import World


async def announce_image(world: World, hooks: Hooks, owner: str, name: str, tag: str, digest: str) -> None:
    """Tell the Apps on account `owner` that image `owner/name` has `tag`, which is `digest` (`sha256:…`).

    Nobody is told of an image whose first part names no account. Opens a change of the world itself.
    https://docs.github.com/en/webhooks/webhook-events-and-payloads#registry_package
    """
    account = world.account(owner)
    if account is None:
        return
    async with world.change():
        payload = {"action": "published", "registry_package": _package(world, account, name, tag, digest)}
        for installation in world.installations.of(account.id):
            if installation.suspended_at is None and "packages" in installation.permissions:
                hooks.emit("registry_package", payload, sender=account, installation=installation)


def _package(world: World, owner: Account, name: str, tag: str, digest: str) -> JsonObject:
    now, host = stamp(world.now()), world.url.partition("://")[2]
    image, page = f"{host}/{owner.login.lower()}/{name}:{tag}", f"{world.url}/{owner.login}/packages/{name}"
    return {
        "id": int(hashlib.sha256(f"{owner.id}/{name}".encode()).hexdigest()[:8], 16),
        "name": name,
        "namespace": owner.login,
        "description": "",
        "ecosystem": "CONTAINER",
        "package_type": "CONTAINER",
        "html_url": page,
        "created_at": now,
        "updated_at": now,
        "owner": simple_user(world, owner),
        "package_version": {
            "id": world.new_id(),
            "version": digest,
            "name": digest,
            "description": "",
            "summary": "",
            "body": "",
            "metadata": [],
            "container_metadata": {"tag": {"name": tag, "digest": digest}, "labels": {}, "manifest": {}},
            "package_files": [],
            "package_url": image,
            "installation_command": f"docker pull {image}",
            "author": simple_user(world, owner),
            "html_url": page,
            "target_commitish": "",
            "target_oid": "",
            "created_at": now,
            "updated_at": now,
        },
        "registry": {
            "about_url": "https://docs.github.com/packages/learn-github-packages/introduction-to-github-packages",
            "name": "GitHub CONTAINER registry",
            "type": "CONTAINER",
            "url": f"{world.url}/{owner.login}",
            "vendor": "GitHub Inc",
        },
    }
