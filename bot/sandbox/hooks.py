"""Events for Apps: who hears of what, with the parts every payload has, put into the outbox in order."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.sandbox.model.accounts import Account, AccountKind, App, Installation
from bot.sandbox.model.hooks import Delivery, DeliveryState
from bot.sandbox.model.repos import Repo
from bot.sandbox.observers import Record, Webhook
from bot.sandbox.payloads.accounts import org_simple, simple_user
from bot.sandbox.payloads.repos import repository
from bot.sandbox.world import World

# Sent to every App without a subscription.
# https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/using-webhooks-with-github-apps
_ALWAYS = ("installation", "installation_repositories", "github_app_authorization")
_MAX_BYTES = 25 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Hooks:
    """The way into the outbox. Call `emit` only inside a change of the world: it is kept with that change."""

    world: World
    record: Record

    def emit(
        self,
        event: str,
        payload: Mapping[str, Any],
        *,
        sender: Account,
        repo: Repo | None = None,
        installation: Installation | None = None,
        only_app: int | None = None,
    ) -> None:
        """Tell the Apps on `repo` (or one `installation`) of an event; `only_app` narrows it to that App.

        `payload` lacks repository, organization, installation and sender; they are added here.
        """
        targets = self.world.installed(repo) if repo and installation is None else ()
        for target in (installation,) if installation else targets:
            app = self.world.apps[target.app_id]
            if only_app in (None, app.id) and _subscribed(target, event):
                self._put(event, payload, app, target, sender, repo)

    def redeliver(self, delivery: Delivery) -> Delivery:
        """Put a new attempt of an old delivery into the outbox, with the same GUID."""
        return self.world.deliveries.put(
            Delivery(
                self.world.new_id(),
                delivery.guid,
                delivery.app_id,
                delivery.installation_id,
                delivery.repo_id,
                delivery.event,
                delivery.action,
                delivery.payload,
                self.world.now(),
                redelivery=True,
            )
        )

    def pending(self) -> int:
        """How many attempts still wait."""
        return len(self.world.deliveries.of(DeliveryState.PENDING))

    def _put(
        self,
        event: str,
        payload: Mapping[str, Any],
        app: App,
        target: Installation,
        sender: Account,
        repo: Repo | None,
    ) -> None:
        whole = dict(payload)
        if repo is not None:
            whole["repository"] = repository(self.world, repo)
        owner = self.world.accounts[target.account_id]
        if owner.kind is AccountKind.ORGANIZATION:
            whole["organization"] = org_simple(self.world, owner)
        whole["sender"] = simple_user(self.world, sender)
        whole.setdefault("installation", {"id": target.id, "node_id": f"MDIzOkluc3RhbGxhdGlvbg{target.id}"})
        self.record.webhook(Webhook(event, whole))
        text = json.dumps(whole, separators=(",", ":"))
        if len(text) > _MAX_BYTES:
            return
        self.world.deliveries.put(
            Delivery(
                self.world.new_id(),
                str(uuid.uuid4()),
                app.id,
                target.id,
                repo.id if repo else None,
                event,
                whole.get("action"),
                text,
                self.world.now(),
            )
        )


def _subscribed(target: Installation, event: str) -> bool:
    return event in _ALWAYS or event in target.events
