"""GitHub Actions (`bot.contracts.github_areas.Workflows`)."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.contracts.github_areas import WorkflowRun
from bot.core.model import RepositoryName
from bot.errors import UserError
from bot.github import parse, routes, texts
from bot.github.area import Area
from bot.github.client import Client, Refused


class Workflows(Area):
    def __init__(self, client: Client, name: RepositoryName, own_login: str) -> None:
        super().__init__(client, name)
        self._own_login = own_login

    async def dispatch(self, workflow: str, ref: str, inputs: Mapping[str, Any]) -> WorkflowRun | None:
        request = {"ref": ref, "inputs": dict(inputs), "return_run_details": True}
        try:
            answer = await self._send(routes.DISPATCH, request, workflow_id=workflow)
        except Refused as refusal:
            if refusal.status == 404:
                raise UserError(
                    f"{self._name} has no workflow {workflow!r}; name its file in .github/workflows, as in deploy.yaml"
                ) from refusal
            if refusal.status == 403:
                raise UserError(f"GitHub did not start {workflow}: {refusal.message}; let the App write Actions") from (
                    refusal
                )
            if refusal.status == 422:
                raise UserError(f"GitHub did not start {workflow} at {ref}: {refusal.message}") from refusal
            raise
        return parse.read(_started, answer) if answer else None

    async def dispatched(self, workflow: str, since: datetime) -> tuple[WorkflowRun, ...]:
        found = await self._pages(
            routes.LIST_RUNS,
            "workflow_runs",
            workflow_id=workflow,
            actor=self._own_login,
            event="workflow_dispatch",
            created=f">={texts.moment(since)}",
        )
        return tuple(sorted((parse.read(_run, one) for one in found), key=lambda run: run.id))

    async def run(self, run_id: int) -> WorkflowRun | None:
        try:
            return parse.read(_run, await self._get(routes.GET_RUN, run_id=run_id))
        except Refused as refusal:
            if refusal.status != 404:
                raise
            return None


def _started(data: parse.Json) -> WorkflowRun:
    return WorkflowRun(int(data["workflow_run_id"]), str(data["html_url"]), "queued", "")


def _run(data: parse.Json) -> WorkflowRun:
    return WorkflowRun(int(data["id"]), str(data["html_url"]), str(data["status"]), str(data["conclusion"] or ""))
