"""Who merges, how, and never past a closed gate: only a plan does, whoever wished for it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.core import merging
from bot.core.actions import GoOn, Merge, Promote
from bot.core.lock import Way
from bot.core.model import CommitSha, PromotionTemplate, StageName, StepSpec, Variable
from bot.core.plan import plan
from bot.core.promotion import Severity
from bot.core.record import Record
from bot.core.step_runs import StepRun
from tests.core.world import REPOSITORY, START, World, freight, pipeline, stage

ONE = freight("1.0.0")
RECORD = Record(
    repository=REPOSITORY, stage=StageName("test"), promotion="test.01", promoted=ONE.id, collection=(ONE,),
    actor="automation", way=Way.AUTOMATION, request="", base=CommitSha(""), opened_by="open",
    outputs={"push": {"branch": "promotion/test"}}, vars=(Variable("merges", "${{ ctx.stage == 'test' }}"),),
)  # fmt: skip
URL = "https://github.com/acme/shop.git"


def run(status: Severity = Severity.Running, *, kept: bool = False, **output: Any) -> StepRun:
    return StepRun("one", "step", "f" * 16, status, START, output=output, kept=kept)


@pytest.mark.parametrize(
    ("merge", "config", "method"),
    [
        ("people", {}, ""),
        ("auto", {}, "merge"),
        ("people", {"autoMerge": True}, "merge"),
        ("people", {"autoMerge": "true", "mergeMethod": "squash"}, "squash"),
        ("people", {"autoMerge": False, "mergeMethod": "squash"}, ""),
        ("people", {"autoMerge": "${{ vars.merges }}"}, "merge"),
        ("people", {"autoMerge": "${{ outputs.push.branch == 'main' }}"}, ""),
        ("people", {"autoMerge": "${{ nonsense( }}"}, ""),
        ("people", {"autoMerge": "yes"}, ""),
        ("auto", {"autoMerge": False}, "merge"),
    ],
)
def test_the_stage_or_the_step_that_opens_it_says_who_merges(
    merge: str, config: Mapping[str, Any], method: str
) -> None:
    template = PromotionTemplate((StepSpec("git-open-pr", "open", {"title": "${{ nonsense( }}", **config}),))
    assert merging.method(replace(stage("test", merge=merge), template=template), RECORD, URL) == method


@pytest.mark.parametrize(
    ("waiting", "otherwise", "method"),
    [
        (run(mergeMethod="rebase"), "", "rebase"),
        (run(mergeMethod=""), "", "merge"),  # the stage's
        (run(), "squash", "squash"),
        (run(), "", ""),
    ],
)
def test_a_step_that_waits_for_the_merge_says_how(waiting: StepRun, otherwise: str, method: str) -> None:
    assert merging.wished(stage("test"), waiting, otherwise) == method


@pytest.mark.parametrize(
    ("one", "stays"),
    [
        (run(), True),
        (run(Severity.Succeeded), False),
        (run(Severity.Succeeded, kept=True), True),
        (run(Severity.Succeeded, kept=True, head="a" * 40), False),  # it judged the pull request as it was then
    ],
)
def test_what_was_said_of_the_pull_request_is_asked_anew(one: StepRun, stays: bool) -> None:
    assert bool(merging.still_true([one])) is stays


def proposed(*, merge: str = "people", soak: int = 0, ran: tuple[StepRun, ...] = ()) -> World:
    """`uat` has an open proposal of what is verified in `test`, whose record tells of these steps."""
    world = World(pipeline(stage("test", auto=True, merge="auto"), stage("uat", "test", merge=merge)))
    world.discovered = ONE
    world.settle()
    snapshot = world.snapshot()
    world.apply(Promote(StageName("uat"), ONE, "maintainer", Way.COMMAND), snapshot)
    name = StageName("uat")
    world.proposals[name] = replace(
        world.proposals[name], record=replace(world.proposals[name].record or RECORD, ran=ran)
    )
    if soak:
        world.pipeline = pipeline(stage("test", auto=True, merge="auto"), stage("uat", "test", soak=soak, merge=merge))
    return world


@pytest.mark.parametrize(
    ("merge", "ran", "kinds"),
    [
        ("people", (), []),
        ("auto", (), [Merge]),
        ("people", (run(),), [GoOn]),
        ("auto", (run(),), [GoOn]),  # a step that waits comes first
        ("auto", (run(Severity.Succeeded, kept=True),), [Merge]),
    ],
)
@pytest.mark.parametrize("soak", [0, 3600])
def test_nothing_is_merged_or_gone_on_with_past_a_closed_gate(
    merge: str, ran: tuple[StepRun, ...], kinds: list[type], soak: int
) -> None:
    world = proposed(merge=merge, soak=soak, ran=ran)
    actions = plan(world.snapshot(), world.now).actions
    assert [type(one) for one in actions if isinstance(one, Merge | GoOn)] == ([] if soak else kinds)
    later = plan(world.snapshot(), world.now + timedelta(seconds=soak)).actions
    assert [type(one) for one in later if isinstance(one, Merge | GoOn)] == kinds


def test_a_draft_is_nobodys_to_merge() -> None:
    world = proposed(merge="auto", ran=(run(mergeMethod="squash"),))
    name = StageName("uat")
    proposal = world.proposals[name]
    world.proposals[name] = replace(proposal, pull=replace(proposal.pull, draft=True))
    assert not [one for one in plan(world.snapshot(), world.now).actions if isinstance(one, Merge | GoOn)]
