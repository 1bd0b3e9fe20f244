"""GitHub's deployments (`bot.contracts.github_areas.Deployments`)."""

import json
from collections.abc import Mapping
from typing import Any

from bot.contracts.github_areas import Deployment, DeploymentStatus
from bot.core.model import CommitSha
from bot.errors import UserError
from bot.github import parse, routes, texts
from bot.github.area import Area
from bot.github.client import Refused

_DESCRIPTION = 140  # characters
_NEWEST = 50


class Deployments(Area):
    async def find(self, environment: str, task: str) -> tuple[Deployment, ...]:
        found = await self._get(routes.LIST_DEPLOYMENTS, environment=environment, task=task, per_page=_NEWEST)
        return tuple(parse.read(_deployment, one) for one in found)

    async def create(
        self, ref: str, environment: str, task: str, description: str, payload: Mapping[str, Any]
    ) -> Deployment:
        """Left to itself, GitHub would merge the default branch first, and ask for every check to be green."""
        request = {
            "ref": ref,
            "task": task,
            "environment": environment,
            "description": texts.line(description, _DESCRIPTION),
            "payload": dict(payload),
            "auto_merge": False,
            "required_contexts": [],
        }
        try:
            return parse.read(_deployment, await self._send(routes.CREATE_DEPLOYMENT, request))
        except Refused as refusal:
            if refusal.status not in (403, 409, 422):
                raise
            raise UserError(f"GitHub made no deployment of {ref}: {refusal.message}") from refusal

    async def status(self, deployment: int) -> DeploymentStatus | None:
        found = await self._get(routes.LIST_DEPLOYMENT_STATUSES, deployment_id=deployment, per_page=1)
        return parse.read(_statuses, found)

    async def set_status(self, deployment: int, status: DeploymentStatus, *, auto_inactive: bool = True) -> None:
        request: dict[str, Any] = {
            "state": status.state,
            "description": texts.line(status.description, _DESCRIPTION),
            "auto_inactive": auto_inactive,
        }
        request |= {"log_url": status.log_url} if status.log_url else {}
        request |= {"environment_url": status.environment_url} if status.environment_url else {}
        try:
            await self._send(routes.CREATE_DEPLOYMENT_STATUS, request, deployment_id=deployment)
        except Refused as refusal:
            if refusal.status != 422:
                raise
            raise UserError(f"GitHub did not take the deployment's status: {refusal.message}") from refusal


def _deployment(data: parse.Json) -> Deployment:
    payload = data.get("payload") or {}
    if isinstance(payload, str):  # as whoever made it sent it
        try:
            payload = json.loads(payload)
        except ValueError:
            payload = {}
    return Deployment(
        id=int(data["id"]),
        commit=CommitSha(data["sha"]),
        environment=str(data["environment"]),
        payload=payload if isinstance(payload, Mapping) else {},
    )


def _statuses(data: list[parse.Json]) -> DeploymentStatus | None:
    if not data:
        return None
    newest = data[0]
    return DeploymentStatus(
        state=str(newest["state"]),
        description=str(newest.get("description") or ""),
        environment_url=str(newest.get("environment_url") or ""),
        log_url=str(newest.get("log_url") or ""),
    )
