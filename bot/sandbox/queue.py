"""The merge queue of a protected branch, and as much of GitHub's GraphQL as it takes to get into it.

POST /api/graphql              the query and the mutation below, and no other
POST /sandbox/merge_queue      {"repository": "acme/shop", "branch": "main"}: from now on this branch has a queue
POST /sandbox/merge_queue/run  merges what is in the queues and may be merged

https://docs.github.com/en/graphql/reference/mutations#enqueuepullrequest
"""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from bot.sandbox import merges
from bot.sandbox.access import Verdict, judge, writes
from bot.sandbox.auth import BadCredentials, authenticate
from bot.sandbox.hooks import Hooks
from bot.sandbox.model.issues import Issue
from bot.sandbox.model.repos import Protection
from bot.sandbox.payloads.pulls import part_of
from bot.sandbox.payloads.values import node_id
from bot.sandbox.world import World

_PULL = re.compile(r"query\b.*\brepository\(.*\bpullRequest\(", re.S)
_ENQUEUE = re.compile(r"mutation\b.*\benqueuePullRequest\(", re.S)
_NODE = re.compile(r"\d+:PullRequest(\d+)")


@dataclass(frozen=True, slots=True)
class Queue:
    """Serves the addresses above."""

    world: World
    hooks: Hooks

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/api/graphql", self._graphql),
            web.post("/sandbox/merge_queue", self._begin),
            web.post("/sandbox/merge_queue/run", self._run),
        ]

    async def _graphql(self, request: web.Request) -> web.Response:
        try:
            actor = authenticate(self.world, request.headers.get("Authorization"))
        except BadCredentials as error:
            return web.json_response({"message": str(error)}, status=401)
        asked = await request.json()
        query, variables = str(asked["query"]), asked.get("variables") or {}
        issue = self._named(variables) if _PULL.search(query) else self._of_node(variables)
        if issue is None:
            return _refused("NOT_FOUND", "Could not resolve to a PullRequest.")
        repo = self.world.repos[issue.repo_id]
        if judge(self.world, actor, repo, writes("pull_requests")) is not Verdict.ALLOWED:
            return _refused("FORBIDDEN", "Resource not accessible by integration")
        if _PULL.search(query):
            shown = {"id": node_id("PullRequest", issue.id), "isInMergeQueue": part_of(issue).queued}
            return web.json_response({"data": {"repository": {"pullRequest": shown}}})
        if not _ENQUEUE.search(query):
            return _refused("undefinedField", "The sandbox has no such field.")
        return await self._enqueue(issue, variables)

    async def _enqueue(self, issue: Issue, variables: dict[str, Any]) -> web.Response:
        pull = part_of(issue)
        rules = self.world.protection(self.world.repos[issue.repo_id], pull.base_ref)
        if rules is None or not rules.merge_queue:
            return _refused("UNPROCESSABLE", "Merge queues are not enabled for this branch.")
        if variables.get("head") not in (None, pull.head_sha):
            return _refused("UNPROCESSABLE", "Head branch was modified. Review and try again.")
        if pull.queued:
            return _refused("UNPROCESSABLE", "Pull request is already in the merge queue.")
        if pull.draft or not issue.is_open:
            return _refused("UNPROCESSABLE", "Pull request is not mergeable.")
        async with self.world.change():
            self.world.issues.put(replace(issue, pull=replace(pull, queued=True)))
        return web.json_response({"data": {"enqueuePullRequest": {"mergeQueueEntry": {"state": "QUEUED"}}}})

    async def _begin(self, request: web.Request) -> web.Response:
        wish = await request.json()
        repo = self.world.repo(*str(wish["repository"]).split("/"))
        if repo is None:
            raise web.HTTPNotFound
        async with self.world.change():
            rules = self.world.protection(repo, wish["branch"])
            rules = rules or Protection(self.world.new_id(), repo.id, wish["branch"])
            self.world.protections.put(replace(rules, merge_queue=True))
        return web.json_response({})

    async def _run(self, _: web.Request) -> web.Response:
        merged = 0
        async with self.world.change():
            for issue in [row for row in self.world.issues if row.pull and row.pull.queued and row.is_open]:
                owner = self.world.owner(self.world.repos[issue.repo_id])
                try:
                    await merges.merge(self.world, self.hooks, issue, owner, merges.Merge(queue=True))
                except (merges.Refused, merges.HeadMoved):
                    self.world.issues.put(replace(issue, pull=replace(part_of(issue), queued=False)))
                else:
                    merged += 1
        return web.json_response({"merged": merged})

    def _named(self, variables: dict[str, Any]) -> Issue | None:
        repo = self.world.repo(str(variables.get("owner")), str(variables.get("name")))
        issue = self.world.issue(repo, int(variables["number"])) if repo else None
        return issue if issue and issue.pull else None

    def _of_node(self, variables: dict[str, Any]) -> Issue | None:
        found = _NODE.fullmatch(base64.b64decode(str(variables.get("id", ""))).decode("utf-8", "replace"))
        issue = self.world.issues.get(int(found[1])) if found else None
        return issue if issue and issue.pull else None


def plug(world: World, hooks: Hooks) -> list[web.RouteDef]:
    return Queue(world, hooks).routes()


def _refused(kind: str, message: str) -> web.Response:
    """GraphQL says 200 and what went wrong."""
    return web.json_response({"data": None, "errors": [{"type": kind, "message": message}]})
