"""Which freight `towpath render` takes: of what is named, what is held, and what can be found out."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot.cli.freight import Chosen, Finder, Wanted, choose, needs_digest
from bot.core.freight import make_freight, version
from bot.core.lock import Lock, Way
from bot.core.model import (
    Artifact,
    Chart,
    Commit,
    CommitSha,
    Freight,
    FreightRequest,
    Image,
    Pipeline,
    PromotionTemplate,
    Stage,
    StageName,
    StepSpec,
    Subscription,
    Warehouse,
    WarehouseName,
)
from bot.errors import UserError

APP, CONFIG, CHART, GIT = (
    "ghcr.io/acme/app",
    "ghcr.io/acme/config",
    "https://charts.example.com",
    "https://example.com/x",
)
DIGEST = "sha256:" + "a" * 64
SHA = "c" * 40
BACK, FRONT = WarehouseName("back"), WarehouseName("front")
PIPELINE = Pipeline(
    warehouses={
        BACK: Warehouse(
            BACK,
            (
                Subscription("image", {"repoURL": APP}),
                Subscription("chart", {"repoURL": CHART, "name": "db"}),
                Subscription("git", {"repoURL": GIT}, "settings"),
            ),
        ),
        FRONT: Warehouse(FRONT, (Subscription("image", {"repoURL": CONFIG}),)),
    },
    stages={},
)
TEST = Stage(StageName("test"), (FreightRequest(BACK, direct=True), FreightRequest(FRONT, direct=True)))
UAT = Stage(StageName("uat"), (FreightRequest(FRONT, stages=(StageName("test"),)),))
SETTINGS = Commit(GIT, CommitSha(SHA), subscription_name="settings")
OLD = make_freight(BACK, [Image(APP, "1.0.0", DIGEST), Chart(CHART, "db", "2.0.0"), SETTINGS], None)
OTHER = make_freight(FRONT, [Image(CONFIG, "7", DIGEST)], None)


@dataclass
class Network:
    """What would be asked, and was."""

    asked: list[tuple[str, str]] = field(default_factory=list)

    async def digest(self, url: str, tag: str) -> str | None:
        self.asked.append((url, tag))
        return DIGEST if tag != "none" else None

    async def commit(self, url: str, name: str) -> str | None:
        self.asked.append((url, name))
        return "d" * 40 if name in {"v1", "d" * 9} else None


def a_lock(stage: str, *collection: Freight) -> Lock:
    return Lock(StageName(stage), "x", collection[0].id, collection, "octocat", Way.AUTOMATION)


async def chosen(
    stage: Stage, locks: Sequence[Lock], *texts: str, network: Network | None = None, digests: bool = False,
    freight: Sequence[str] = (),
) -> Chosen:  # fmt: skip
    network = network or Network()
    known: tuple[Artifact, ...] = tuple(a for lock in locks for f in lock.collection for a in f.artifacts)
    wanted = Wanted(freight, [(name, version) for name, _, version in (text.partition("=") for text in texts)])
    return await choose(PIPELINE, stage, locks, wanted, Finder(known, digests, network.digest, network.commit))


def versions(found: Chosen) -> list[list[str]]:
    return [[version(artifact) for artifact in one.artifacts] for one in found.collection]


HELD = [a_lock("test", OLD, OTHER)]


@pytest.mark.parametrize(
    ("texts", "expected", "promoted"),
    [
        ([], [["1.0.0", "2.0.0", "ccccccc"], ["7"]], BACK),
        (["app=1.1.0"], [["1.1.0", "2.0.0", "ccccccc"], ["7"]], BACK),
        (["config=8"], [["1.0.0", "2.0.0", "ccccccc"], ["8"]], FRONT),
        (["db=3.0.0", "settings=v1"], [["1.0.0", "3.0.0", "v1"], ["7"]], BACK),
        ([f"{GIT}={'d' * 9}"], [["1.0.0", "2.0.0", "ddddddd"], ["7"]], BACK),
        ([f"{APP}=1.1.0@sha256:b"], [["1.1.0", "2.0.0", "ccccccc"], ["7"]], BACK),
    ],
)
async def test_what_is_named_comes_in_place_of_what_is_held(
    texts: list[str], expected: list[list[str]], promoted: str
) -> None:
    found = await chosen(TEST, HELD, *texts)
    assert versions(found) == expected
    assert found.promoted.origin == promoted


async def test_nothing_need_be_held_where_everything_is_named() -> None:
    texts = ("app=1.0.0", "db=1.0.0", "settings=v1", "config=1")
    found = await chosen(TEST, [], *texts, network=(network := Network()))
    assert versions(found)[1] == ["1"]
    assert network.asked == [(GIT, "v1")]


async def test_freight_may_come_from_any_lock() -> None:
    locks = [a_lock("prod", OLD), a_lock("test", make_freight(FRONT, [Image(CONFIG, "9", DIGEST)], None))]
    assert versions(await chosen(TEST, locks, freight=["1.0.0"])) == [["1.0.0", "2.0.0", "ccccccc"], ["9"]]
    assert versions(await chosen(UAT, HELD)) == [["7"]]


@pytest.mark.parametrize(
    ("text", "digests", "digest", "asked"),
    [
        ("config=7", True, DIGEST, []),  # a lock has it
        ("config=8", False, "", []),
        ("config=8", True, DIGEST, [(CONFIG, "8")]),
        ("config=8@sha256:b", True, "sha256:b", []),
    ],
)
async def test_a_digest_is_asked_for_only_where_it_is_used(
    text: str, digests: bool, digest: str, asked: list[tuple[str, str]]
) -> None:
    found = await chosen(UAT, HELD, text, network=(network := Network()), digests=digests)
    assert found.promoted.images[0].digest == digest
    assert network.asked == asked


@pytest.mark.parametrize(
    ("stage", "locks", "texts", "freight", "says"),
    [
        (TEST, [], ["app=1"], [], "--set db=VERSION"),
        (TEST, HELD, ["settings=v9"], [], "no commit 'v9' is known here"),
        (UAT, HELD, ["config=none"], [], "no tag 'none'"),
        (UAT, HELD, ["app=1"], [], "takes nothing called 'app'; it takes config"),
        (TEST, HELD, ["app=1", f"{APP}=2"], [], "given twice"),
        (TEST, HELD, [], ["9.9.9"], "No freight by that name"),
        (TEST, HELD, [], ["1.0.0", OLD.alias], "same warehouse"),
    ],
)
async def test_what_is_left_open_is_said(
    stage: Stage, locks: list[Lock], texts: list[str], freight: list[str], says: str
) -> None:
    with pytest.raises(UserError, match=says):
        await chosen(stage, locks, *texts, digests=True, freight=freight)


@pytest.mark.parametrize(
    ("step", "needed"),
    [
        (StepSpec("yaml-update", "a", {"updates": [{"key": "tag", "value": "${{ imageFrom('x').Tag }}"}]}), False),
        (StepSpec("yaml-update", "a", {"updates": [{"key": "d", "value": "${{ imageFrom('x').Digest }}"}]}), True),
        (StepSpec("helm-update-image", "a", {"images": [{"value": "ImageAndDigest"}]}), True),
        (StepSpec("kustomize-set-image", "a", {"path": "x"}), True),
        (StepSpec("kustomize-set-image", "a", {"path": "x", "images": [{"image": "x", "tag": "1"}]}), False),
        (StepSpec("kustomize-set-image", "a", {"path": "x", "images": [{"image": "x", "useDigest": True}]}), True),
    ],
)
def test_steps_that_look_at_digests(step: StepSpec, needed: bool) -> None:
    assert needs_digest(Stage(StageName("x"), (), PromotionTemplate((step,)))) is needed
