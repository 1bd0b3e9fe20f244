"""Carries out the commands of one comment, and answers it exactly once.

Towpath's reactions are the marks: eyes say the comment was taken, a thumb up or down that it was answered. The answer
itself carries the comment's id, so that even a process killed between the two answers no second time.
"""

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot.contracts.commands import Answer, Command, Needs, Request, Seek
from bot.core import comments, messages
from bot.core.facts import Comment, Permission
from bot.core.jobs import CommandRef
from bot.core.model import RepositoryName
from bot.core.promotion import Severity
from bot.core.snapshot import Snapshot, promotion_branch
from bot.engine.executor import Executor
from bot.engine.ports import Ports, Site
from bot.engine.snapshot import Gatherer
from bot.errors import Broken, UserError

log = logging.getLogger(__name__)

TAKEN, DONE, REFUSED = "eyes", "+1", "-1"
ANSWERED = frozenset({DONE, REFUSED})
_SKEW = timedelta(minutes=1)
# Whoever may write to a repository may edit everybody's comments there: what it says now need not be its author's word.
_EDITED = "⛔ This comment was edited after it was written, so nothing was done. Give the command in a new comment."


class Commander:
    def __init__(self, ports: Ports, gatherer: Gatherer, executor: Executor) -> None:
        self._ports = ports
        self._gatherer = gatherer
        self._executor = executor

    async def answer(self, ref: CommandRef) -> None:
        """Do what the comment asks, as it reads now, if whoever wrote it may do that now."""
        site = await self._ports.hub.site(ref.repository)
        comment = await site.github.comment(ref.comment_id) if site else None
        if site is None or comment is None or comment.by_bot:
            return
        given = comments.commands(comment.body, self._ports.plugins.commands)
        if not given:
            return
        marker = messages.answer_marker(comment.id)
        said = await site.github.comments(comment.number, since=comment.created_at - _SKEW)
        if any(one.author == site.github.bot_login and one.body.rstrip().endswith(marker) for one in said):
            await self._mark(site, comment, DONE)
            return
        await site.github.react(comment.id, TAKEN)
        answers = [(False, _EDITED)] if comment.edited else await self._each(site, comment, ref, given)
        await self._ports.work.request_look(site.repository)
        text = "\n\n".join(text for _, text in answers)
        await site.github.create_comment(comment.number, messages.with_marker(f"@{comment.author} {text}", marker))
        await self._mark(site, comment, DONE if all(ok for ok, _ in answers) else REFUSED)

    async def _each(
        self, site: Site, comment: Comment, ref: CommandRef, given: Sequence[comments.Given]
    ) -> list[tuple[bool, str]]:
        return [await self._one(site, comment, one, f"{ref.key}/{place}") for place, one in enumerate(given, 1)]

    async def _mark(self, site: Site, comment: Comment, reaction: str) -> None:
        await site.github.react(comment.id, reaction)

    async def _one(self, site: Site, comment: Comment, given: comments.Given, key: str) -> tuple[bool, str]:
        """Whether it was done, and what to say. A refusal is no fault: it is told and that is all."""
        head = f"{messages.code(given.line)}: "
        if given.meant:
            return False, f"{head}did you mean `/{given.meant}`? Nothing was done."
        if given.problem:
            return False, f"{head}{given.problem}. Nothing was done."
        command = self._ports.plugins.commands[given.verb]
        try:
            return True, await self._carry_out(site, comment, given, command, key)
        except UserError as error:
            return False, f"⛔ {messages.code(given.line)} was refused. {error}"

    async def _carry_out(self, site: Site, comment: Comment, given: comments.Given, command: Command, key: str) -> str:
        now = self._ports.clock.now()
        snapshot = await self._gatherer.gather(site, now, deep=True)
        if snapshot is None:
            raise UserError("This repository has no `.promotion.yaml` on its default branch.")
        request = Request(
            args=given.args,
            actor=comment.author,
            stage=await self._stage(site, comment, snapshot),
            menu=tuple(self._ports.plugins.commands.values()),
        )
        await self._permit(site, comment.author, given.line, command.needs(request, snapshot))
        done = next(((name, held) for name, f in snapshot.stages.items() if (held := f.answers(key))), None)
        if done is not None:  # carried out before, and killed before it was told
            pulls = await site.github.pulls_from(promotion_branch(done[0]), 1)
            return messages.accepted(done[0], done[1].freight, pulls[0] if pulls else None)
        outcome = command.decide(request, snapshot, now)
        if isinstance(outcome, Seek):
            snapshot = await self._gatherer.seek(site, snapshot, outcome.versions)
            request = replace(request, sought=True)
            outcome = command.decide(request, snapshot, now)
        if isinstance(outcome, Seek):
            raise Broken(f"{command.NAME} looks for {outcome.versions!r} for ever")
        if isinstance(outcome, Answer):
            return outcome.text
        ran = await self._executor.promote(site, snapshot, replace(outcome, request=key))
        if ran.outcome >= Severity.Failed:
            raise UserError(f"Step `{ran.step}` failed:\n\n{messages.block(ran.message)}")
        pull = await site.github.pull(ran.opened) if ran.opened else None
        waits = ran.outcome is Severity.Running and not ran.landed
        accepted = messages.accepted(
            outcome.stage, outcome.freight, pull, "" if waits else ran.pushed, ran.message if waits else ""
        )
        return accepted + (messages.came_along(outcome.freight, given.args) if request.sought else "")

    async def _stage(self, site: Site, comment: Comment, snapshot: Snapshot) -> str:
        """The stage whose promotion the comment is on."""
        if not comment.on_pull_request or snapshot.pipeline is None:
            return ""
        pull = await site.github.pull(comment.number)
        ours = pull.author == site.github.bot_login and pull.head_repository == site.repository
        stages = [name for name in snapshot.pipeline.stages if promotion_branch(name) == pull.head_branch]
        return stages[0] if ours and stages else ""

    async def _permit(self, site: Site, login: str, line: str, needs: Needs) -> None:
        """Asked at the moment of execution: an installation token could do it for anybody.

        https://docs.github.com/en/apps/creating-github-apps/about-creating-github-apps/best-practices-for-creating-a-github-app
        """
        have = await site.github.permission(login)
        if not needs.allow:
            allowed = have >= needs.permission
        else:
            allowed = have >= Permission.READ and await self._is_among(site, login, needs.allow)
        if not allowed:
            raise UserError(messages.refused(login, line, needs.permission, needs.allow, have))

    async def _is_among(self, site: Site, login: str, allow: tuple[str, ...]) -> bool:
        for one in allow:
            if one.startswith("@"):
                organisation, _, team = one[1:].partition("/")
                if team and await site.github.is_team_member(organisation, team, login):
                    return True
            elif one.casefold() == login.casefold():
                return True
        return False

    async def find_lost(self, repository: RepositoryName, since: datetime) -> list[CommandRef]:
        """Comments with commands that nobody answered: their webhook was lost, or the work store was."""
        lost: list[CommandRef] = []
        site = await self._ports.hub.site(repository)
        if site is None:
            return lost
        for comment in await site.github.recent_comments(since):
            if comment.by_bot or not comments.commands(comment.body, self._ports.plugins.commands):
                continue
            counted = comment.reactions or {}
            if any(counted.get(mark) for mark in ANSWERED) and await site.github.own_reactions(comment.id) & ANSWERED:
                continue
            lost.append(CommandRef(site.repository, comment.number, comment.id))
        return lost
