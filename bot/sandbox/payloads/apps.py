"""GitHub Apps and their installations."""

from __future__ import annotations

from bot.sandbox.model.accounts import App, Installation, Permissions
from bot.sandbox.payloads.accounts import simple_user
from bot.sandbox.payloads.values import JsonObject, node_id, stamp, stamp_or_none
from bot.sandbox.world import World


def permissions_json(permissions: Permissions) -> JsonObject:
    """Permissions as GitHub lists them; metadata is always among them."""
    return {"metadata": "read", **{name: str(level) for name, level in sorted(permissions.items())}}


def integration(world: World, app: App) -> JsonObject:
    """`integration`: an App."""
    return {
        "id": app.id,
        "slug": app.slug,
        "client_id": app.client_id,
        "node_id": node_id("App", app.id),
        "owner": simple_user(world, world.accounts[app.owner_id]),
        "name": app.name,
        "description": None,
        "external_url": world.url,
        "html_url": f"{world.url}/apps/{app.slug}",
        "created_at": stamp(app.created_at),
        "updated_at": stamp(app.created_at),
        "permissions": permissions_json(app.permissions),
        "events": list(app.events),
        "installations_count": sum(row.app_id == app.id for row in world.installations),
    }


def via_app(world: World, app_id: int | None) -> JsonObject | None:
    """`performed_via_github_app`: the App by which something was written, or None."""
    app = world.apps.get(app_id)
    return None if app is None else integration(world, app)


def installation_payload(world: World, row: Installation) -> JsonObject:
    """`installation`."""
    app, account = world.apps[row.app_id], world.accounts[row.account_id]
    return {
        "id": row.id,
        "client_id": app.client_id,
        "account": simple_user(world, account),
        "repository_selection": "all" if row.repositories is None else "selected",
        "access_tokens_url": f"{world.api}/app/installations/{row.id}/access_tokens",
        "repositories_url": f"{world.api}/installation/repositories",
        "html_url": f"{world.url}/organizations/{account.login}/settings/installations/{row.id}",
        "app_id": app.id,
        "app_slug": app.slug,
        "target_id": account.id,
        "target_type": str(account.kind),
        "permissions": permissions_json(row.permissions),
        "events": list(row.events),
        "created_at": stamp(row.created_at),
        "updated_at": stamp(row.created_at),
        "single_file_name": None,
        "has_multiple_single_files": False,
        "single_file_paths": [],
        "suspended_by": None,
        "suspended_at": stamp_or_none(row.suspended_at),
    }
