"""What is said of warehouses that make no freight: once, as it is now, and no longer than it is so."""

from dataclasses import replace

from bot.core.actions import PutCheck
from bot.core.discoveries import DiscoveryProblem
from bot.core.facts import Conclusion
from bot.core.messages import came_along
from bot.core.model import WarehouseName
from bot.core.plan import plan
from bot.core.snapshot import WAREHOUSES_CHECK, Snapshot
from tests.core.test_choosing import FREIGHT
from tests.core.world import SERVICE, START, World, pipeline, stage

NOTHING = DiscoveryProblem("nothing found that fits", is_fault=False)
BROKEN = DiscoveryProblem("`acme/x` is gone")


def snapshot(**problems: DiscoveryProblem) -> Snapshot:
    found = World(pipeline(stage("test"))).snapshot()
    return replace(found, discovery_problems={WarehouseName(name): one for name, one in problems.items()})


def published(seen: Snapshot) -> tuple[Snapshot, list[PutCheck]]:
    """The snapshot once the plan was carried out, and what it put."""
    actions = plan(seen, START).actions
    puts = [one for one in actions if isinstance(one, PutCheck)]
    assert len(puts) == len(actions)
    checks = {one.check.name: replace(one.check, id=one.check.id or 7) for one in puts}
    return replace(seen, head_checks={**seen.head_checks, **checks}), puts


def test_where_all_is_well_nothing_is_said() -> None:
    assert not plan(snapshot(), START).actions


def test_it_is_said_once_and_taken_back_in_the_same_place() -> None:
    seen, (put,) = published(snapshot(**{SERVICE: NOTHING}))
    assert put.check.conclusion is Conclusion.NEUTRAL
    assert put.check.title == "No new freight of warehouse service"
    assert not published(seen)[1]

    worse, (put,) = published(replace(seen, discovery_problems={SERVICE: BROKEN}))
    assert (put.check.id, put.check.conclusion) == (7, Conclusion.FAILURE)
    assert "`acme/x` is gone" in put.check.summary

    mended, (put,) = published(replace(worse, discovery_problems={}))
    assert (put.check.id, put.check.conclusion) == (7, Conclusion.SUCCESS)
    assert not published(mended)[1]
    assert set(mended.head_checks) == {WAREHOUSES_CHECK}


def test_several_are_counted_and_all_are_named() -> None:
    _, (put,) = published(snapshot(a=NOTHING, b=NOTHING))
    assert put.check.title == "No new freight of 2 warehouses"
    _, (put,) = published(snapshot(a=NOTHING, b=BROKEN, c=BROKEN))
    assert put.check.title == "2 warehouses can't make freight"
    assert [name in put.check.summary for name in ("`a`", "`b`", "`c`")] == [True] * 3


def test_what_came_along_is_told() -> None:
    assert came_along(FREIGHT, ["web=0.3.1", "blue=1.0.0", "green=2.0.0", "ghcr.io/acme/service=1.4.2"]).endswith(
        "of what you did not name it has the newest, https://github.com/acme/service.git 2222222."
    )
    assert not came_along(FREIGHT, ["1.4.2"])
    assert not came_along(FREIGHT, [])
