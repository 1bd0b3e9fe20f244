"""What Kargo says of freight: whether it may enter a stage, how long it was in one, which goes by itself.

Kargo keeps that in the freight's status; here the same is told by what landed in the stages, and when.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from bot.core import candidates
from bot.core.durations import parse_duration
from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.gates import longest_stay, verdict
from bot.core.lock import Lock, Way
from bot.core.model import (
    Availability,
    CommitSha,
    Freight,
    FreightId,
    FreightRequest,
    Pipeline,
    PromotionTemplate,
    RepositoryName,
    Selection,
    Stage,
    StageName,
    WarehouseName,
)
from bot.core.snapshot import Landing, Snapshot, StageFacts, verification_check
from tests.conformance.cases import public
from tests.core.world import START as NOW

STAGE = StageName("the-stage")
# Where Towpath differs, and why.
DIFFERENT = {
    "stage is nil": "there is no stage without a stage: types see to it",
    "freight is nil": "nor freight without freight",
    "stage and freight are in different namespaces": "a configuration is one namespace, and sees no other",
    "freight is approved for stage and stage requests freight from its origin": "there are no approvals yet",
    "no sources at all": "such a request is refused when the configuration is read (no-source)",
    "matchUpstream skips origin when multiple Freight transiently available": "one lock says what is upstream now",
}


def piece(name: str, origin: str, age: float = 0.0) -> Freight:
    return Freight(FreightId(name), name, WarehouseName(origin), discovered_at=NOW - timedelta(seconds=age))


def landed(stage: StageName, freight: Freight, ago: timedelta, *, verified: bool) -> Landing:
    """Freight alone in a stage from some time ago on."""
    sha = CommitSha(f"{stage} {freight.id} {ago}")
    held = Lock(stage, "p", freight.id, (freight,), "somebody", Way.COMMAND)
    check = CheckRun(verification_check(stage), sha, CheckStatus.COMPLETED, Conclusion.SUCCESS, held.content_id)
    return Landing(sha, NOW - ago, held, check if verified else None)


def history(stage: StageName, pieces: Mapping[str, tuple[Freight, Mapping[str, Any]]]) -> tuple[Landing, ...]:
    """The landings of a stage that follow from Kargo's status of each freight, newest first."""
    past, now = [], []
    for freight, status in pieces.values():
        there, since = status.get("verifiedIn", {}).get(stage), status.get("currentlyIn", {}).get(stage)
        if there is not None:  # it was here as long as that, long ago
            began, stay = timedelta(days=10 + len(past)), parse_duration(there.get("longestSoak", "0s"))
            past.append(landed(stage, piece("another", freight.origin), began - stay, verified=False))
            past.append(landed(stage, freight, began, verified=True))
        if since is not None:
            now.append(landed(stage, freight, parse_duration(since["since_ago"]), verified=there is not None))
    return tuple(sorted((*past, *now), key=lambda one: one.at, reverse=True))


def asked(requests: list[dict[str, Any]], pieces: list[tuple[Freight, Mapping[str, Any]]]) -> Snapshot:
    """A stage with these requests, its upstreams with the freight that Kargo says was there."""
    wanted = tuple(
        FreightRequest(
            origin=WarehouseName(one["origin"]["name"]),
            direct=one["sources"].get("direct", False),
            stages=tuple(StageName(f"up-{name}") for name in one["sources"].get("stages", ())),
            required_soak=parse_duration(one["sources"].get("requiredSoakTime", "0s")),
            availability=Availability(one["sources"].get("availabilityStrategy", "OneOf")),
            selection=Selection(one["sources"].get("autoPromotionOptions", {}).get("selectionPolicy", "NewestFreight")),
        )
        for one in requests
    )
    stages = {STAGE: Stage(STAGE, wanted, PromotionTemplate(()))}
    upstream = dict.fromkeys(name for one in wanted for name in one.stages)
    origins = tuple(FreightRequest(one.origin, direct=True) for one in wanted)
    stages |= {name: Stage(name, origins, PromotionTemplate(())) for name in upstream}
    facts = {STAGE: StageFacts(stages[STAGE], "main")}
    for name in upstream:
        known = {freight.id: (freight, _renamed(status)) for freight, status in pieces}
        facts[name] = StageFacts(stages[name], "main", landings=history(name, known))
    discovered: dict[WarehouseName, tuple[Freight, ...]] = {}
    for freight, _ in pieces:
        discovered[freight.origin] = (*discovered.get(freight.origin, ()), freight)
    return Snapshot(
        repository=RepositoryName("acme/shop"),
        url="",
        default_branch="main",
        head=CommitSha("f" * 40),
        pipeline=Pipeline({}, stages),
        discovered=discovered,
        stages=facts,
    )


def _renamed(status: Mapping[str, Any]) -> dict[str, Any]:
    return {key: {f"up-{name}": value for name, value in stages.items()} for key, stages in status.items()}


@pytest.fixture(scope="module")
def cases() -> list[dict[str, Any]]:
    return public("kargo_freight")


def of_kind(cases: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """The cases of one kind in which the two agree."""
    found = [case for case in cases if case["kind"] == kind and case.get("name") not in DIFFERENT]
    assert found
    return found


def test_every_difference_is_one_of_a_case(cases: list[dict[str, Any]]) -> None:
    assert set(DIFFERENT) <= {case.get("name") for case in cases}


def test_what_may_enter_a_stage(cases: list[dict[str, Any]]) -> None:
    for case in of_kind(cases, "is_available"):
        given = case["freight"]
        freight = piece(given["name"], given["origin"]["name"])
        snapshot = asked(case["stage"]["requestedFreight"], [(freight, given["status"])])

        answer = verdict(snapshot, STAGE, freight, NOW, Way.COMMAND)

        assert answer.allowed is case["expected"], (case["name"], answer.closed)


def test_how_long_it_was_in_a_stage(cases: list[dict[str, Any]]) -> None:
    for case in of_kind(cases, "longest_soak"):
        freight = piece("freight", "warehouse")
        name = StageName(case["stage"])
        landings = history(name, {"freight": (freight, case["status"])})
        facts = StageFacts(Stage(name, (), PromotionTemplate(())), "main", landings=landings)

        longest, _ = longest_stay(facts, freight, NOW)
        counts = longest.total_seconds() if any(one.verified for one in facts.landings_with(freight.id)) else 0

        assert abs(counts - case["expected_seconds"]) <= case["tolerance_seconds"], case["name"]


def test_what_a_stage_may_choose_from(cases: list[dict[str, Any]]) -> None:
    for case in of_kind(cases, "list_available"):
        pieces = [(piece(one["name"], one["origin"]["name"]), one["status"]) for one in case["freight"]]
        snapshot = asked(case["stage"]["requestedFreight"], pieces)

        available = candidates.available(snapshot, STAGE, NOW)

        assert sorted(answer.freight.id for answer in available) == sorted(case["expected"])


def test_what_goes_by_itself(cases: list[dict[str, Any]]) -> None:
    """Of a warehouse only the newest is ever at hand; so all of what Kargo has lies in a stage before this one here."""
    for case in of_kind(cases, "auto_promotion_candidates"):
        for request in case["requestedFreight"]:
            request["sources"] = {**request["sources"], "direct": False, "stages": ["upstream"]}
        pieces = [(piece(one["name"], one["origin"]["name"], one["created_ago_s"]), {}) for one in case["available"]]
        snapshot = asked(case["requestedFreight"], pieces)
        (upstream,) = (name for name in snapshot.stages if name != STAGE)
        landings = [
            landed(upstream, freight, timedelta(hours=5 + number), verified=True)
            for number, (freight, _) in enumerate(pieces)
        ]
        facts = {**snapshot.stages, upstream: StageFacts(snapshot.stages[upstream].stage, "main", tuple(landings))}
        snapshot = Snapshot(
            snapshot.repository, "", "main", snapshot.head, snapshot.pipeline, discovered={}, stages=facts
        )

        chosen = candidates.automatic(snapshot, STAGE, NOW)

        assert {f"Warehouse/{one.freight.origin}": one.freight.id for one in chosen if one.allowed} == case["expected"]
