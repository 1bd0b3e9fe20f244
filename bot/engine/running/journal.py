"""Where the runs of one promotion's steps are kept while it goes on: nothing that can't be repeated is repeated.

Before a pull request exists that is the branch of what is under way, afterwards the signed record in its body. What
merely changes from poll to poll goes to the work store, which may be lost.
"""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.core import record, step_runs
from bot.core.facts import PullRequest
from bot.core.messages.markdown import COMMENT_LIMIT
from bot.core.record import Record
from bot.core.step_runs import StepRun, worth_keeping
from bot.engine.description import Progress
from bot.engine.ports import Ports, Site
from bot.engine.running.under_way import UnderWay
from bot.errors import UserError

_POLLED = timedelta(days=1)
_LARGEST = 60_000  # bytes: the work store takes small texts only


class Journal:
    """`told` says of the promotion what doesn't change; `on_branch` is what is kept there of it already.

    `pull` is its pull request, once it is merged; until then it is found by what the steps have put out.
    """

    def __init__(
        self,
        ports: Ports,
        site: Site,
        told: Record,
        *,
        on_branch: Record | None = None,
        pull: PullRequest | None = None,
    ) -> None:
        self._ports = ports
        self._site = site
        self._told = told
        self._pull = pull
        self._under_way = UnderWay(ports)
        self._on_branch = on_branch
        self._durable = told if pull else on_branch
        self.written = False  # in this run

    @property
    def notes_landing_by(self) -> str:
        """The step that is noted as the one whose push lands the promotion."""
        return self._on_branch.opened_by if self._on_branch else ""

    async def waits(self, progress: Progress, run: StepRun, at: datetime | None, *, intent: bool) -> None:
        """A step is not at its end yet. What would do harm or be wrong if it were lost is kept for good."""
        progress.runs[run.alias] = run
        if (self._pull or progress.number) and at is None and not intent:
            return  # it waits for the pull request, which tells by itself how it is
        kept = {one.alias: one for one in self._durable.ran} if self._durable else {}
        moved = self._on_branch is not None and not progress.number and self._on_branch.head != self._told.head
        if moved or worth_keeping(kept.get(run.alias), run, intent=intent, age=self._age()):
            await self.keep(progress)
        else:
            await self._remember(progress)

    async def keep(self, progress: Progress) -> None:
        """Write down how far the steps are."""
        told = replace(self._told, ran=tuple(progress.everything()), noted=self._ports.clock.now())
        if self._pull is not None:
            told = replace(told, outputs=progress.outputs)
            await self._into_body(self._pull, told)
        elif progress.number:
            pull = await self._site.github.pull(progress.number)
            await self._into_body(pull, replace(self._in_body(pull), ran=told.ran, noted=told.noted))
        else:
            if progress.lands:
                told = replace(told, opened_by=progress.lands, outputs=progress.outputs)
            await self._under_way.write(self._site, told)
            self._on_branch = self._durable = told
        self.written = True

    async def keep_only(self, ran: tuple[StepRun, ...]) -> None:
        """The promotion is at its end, and may be tried again with today's template: what is left to know of it."""
        if not ran:
            await self.drop()
        elif self._on_branch is None or self._on_branch.ran != ran or self._on_branch.steps:
            self._on_branch = replace(self._told, ran=ran, noted=self._ports.clock.now(), steps=(), vars=())
            await self._under_way.write(self._site, self._on_branch)

    async def drop(self) -> None:
        """Nothing need be known any more of a promotion that has no pull request, or has one that says it."""
        if self._on_branch is not None:
            await self._under_way.drop(self._site, self._told.stage)
            self._on_branch = None

    def _age(self) -> timedelta:
        noted = self._durable.noted if self._durable else None
        return self._ports.clock.now() - noted if noted else timedelta.max

    def _in_body(self, pull: PullRequest) -> Record:
        found = record.unseal(pull.body, self._ports.signing_key, self._told.repository, self._told.stage)
        if found is None:
            raise UserError(f"What the steps have done can't be kept: the record in the text of #{pull.number} is gone")
        return found

    async def _into_body(self, pull: PullRequest, told: Record) -> None:
        body = record.exchanged(pull.body, told, self._ports.signing_key, self._site.secrets.mask)
        if len(body) > COMMENT_LIMIT:
            raise UserError("What the steps put out is too much to be kept in a pull request's body. Put out less.")
        updated = await self._site.github.update_pull(pull.number, body=body)
        if self._pull is not None:
            self._pull = updated
        self._durable = told

    async def _remember(self, progress: Progress) -> None:
        noted = self._ports.clock.now().timestamp()
        ran = self._site.secrets.mask(step_runs.to_json(progress.everything(), outputs=False))
        text = json.dumps({"noted": noted, "ran": ran})
        if len(text.encode()) <= _LARGEST:
            await self._ports.work.remember(_key(self._told), text, _POLLED)


async def newest(ports: Ports, told: Record) -> tuple[StepRun, ...]:
    """The runs of a promotion as they were noted last, be it only in the work store."""
    text = await ports.work.recall(_key(told)) if any(one.waits for one in told.ran) else None
    if text is None:
        return told.ran
    data = json.loads(text)
    polled = datetime.fromtimestamp(data["noted"], UTC)
    return step_runs.from_json(data["ran"]) if told.noted is None or polled > told.noted else told.ran


def _key(told: Record) -> str:
    return f"steps/{told.repository}/{told.promotion}"
