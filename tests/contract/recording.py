"""An observer of the sandbox that holds every exchange and webhook against GitHub's description.

In a fixture of any test folder:

    watch = ContractWatch()
    sandbox = await start(directory, observers=[watch])
    yield sandbox
    await sandbox.close()
    watch.verify()
"""

from __future__ import annotations

from dataclasses import dataclass, field

from bot.sandbox.observers import Exchange, Webhook
from tests.contract.openapi import contract


@dataclass(slots=True)
class ContractWatch:
    """Collects what breaks the contract (`problems`) and what is merely undescribed (`notes`)."""

    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    exchanges: int = 0
    webhooks: int = 0

    def exchange(self, exchange: Exchange) -> None:
        """Judge one REST call; answers made by a fault are nobody's contract."""
        if exchange.injected:
            return
        self.exchanges += 1
        verdict = contract().exchange(
            exchange.method,
            exchange.path,
            exchange.query,
            exchange.request,
            exchange.status,
            exchange.response,
            is_json=exchange.content_type == "application/json",
        )
        where = f"{exchange.method} {exchange.path} -> {exchange.status}"
        self.problems += [f"{where}: {problem}" for problem in verdict.problems]
        self.notes += [f"{where}: {note}" for note in verdict.notes]

    def webhook(self, webhook: Webhook) -> None:
        """Judge one webhook."""
        self.webhooks += 1
        where = f"webhook {webhook.event} {webhook.payload.get('action', '')}"
        verdict = contract().webhook(webhook.event, webhook.payload)
        self.problems += [f"{where}: {problem}" for problem in verdict.problems]

    def verify(self) -> None:
        """Fail the test if anything broke the contract."""
        assert not self.problems, "GitHub would not have said this:\n" + "\n".join(dict.fromkeys(self.problems))
