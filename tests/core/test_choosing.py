"""`name=version`: which subscription of which warehouse a person means, and what to say when that can't be told."""

import pytest

from bot.core import choosing
from bot.core.freight import make_freight
from bot.core.model import (
    Chart,
    Commit,
    CommitSha,
    FreightRequest,
    Image,
    Pipeline,
    PromotionTemplate,
    RepositoryName,
    Stage,
    StageName,
    Subscription,
    Warehouse,
    WarehouseName,
)
from bot.core.snapshot import Snapshot
from bot.errors import UserError

APP, LIB = WarehouseName("app"), WarehouseName("lib")
SERVICE = Subscription("image", {"repoURL": "ghcr.io/acme/service"})
SOURCE = Subscription("git", {"repoURL": "https://github.com/acme/service.git"})
CHART = Subscription("chart", {"repoURL": "https://charts.acme.io", "name": "web"})
BLUE = Subscription("image", {"repoURL": "ghcr.io/acme/colour"}, "blue")
GREEN = Subscription("image", {"repoURL": "ghcr.io/acme/colour"}, "green")
OTHER = Subscription("chart", {"repoURL": "oci://ghcr.io/acme/lib"})
WAREHOUSES = {APP: Warehouse(APP, (SERVICE, SOURCE, CHART, BLUE, GREEN)), LIB: Warehouse(LIB, (OTHER,))}
STAGE = Stage(
    StageName("test"), (FreightRequest(APP, direct=True), FreightRequest(LIB, direct=True)), PromotionTemplate(())
)
SNAPSHOT = Snapshot(
    RepositoryName("acme/shop"), "", "main", CommitSha("f" * 40), Pipeline(WAREHOUSES, {STAGE.name: STAGE})
)
FREIGHT = make_freight(
    APP,
    [
        Image("ghcr.io/acme/service", "1.4.2", "sha256:" + "1" * 64),
        Commit("https://github.com/acme/service.git", CommitSha("2" * 40)),
        Chart("https://charts.acme.io", "web", "0.3.1"),
        Image("ghcr.io/acme/colour", "1.0.0", "sha256:" + "3" * 64, subscription_name="blue"),
        Image("ghcr.io/acme/colour", "2.0.0", "sha256:" + "4" * 64, subscription_name="green"),
    ],
    None,
)


@pytest.mark.parametrize(
    ("words", "warehouse", "versions"),
    [
        (["web=0.3.1"], APP, {2: "0.3.1"}),
        (["WEB=0.3.1", "Blue=1.0.0"], APP, {2: "0.3.1", 3: "1.0.0"}),
        (["ghcr.io/acme/service=1.4.2"], APP, {0: "1.4.2"}),
        (["https://github.com/acme/service=abc1234"], APP, {1: "abc1234"}),
        (["green=sha256:4444444"], APP, {4: "sha256:4444444"}),
        (["lib=2.0.0"], LIB, {0: "2.0.0"}),
        (["web=a=b"], APP, {2: "a=b"}),
    ],
)
def test_names_mean_subscriptions(words, warehouse, versions):
    found = choosing.named(SNAPSHOT, STAGE, words)
    assert (found.warehouse.name, found.versions) == (warehouse, versions)
    assert found.all is (warehouse == LIB)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["wep=1"], "`test` takes nothing called `wep`. Did you mean `web`?"),
        (
            ["nothing=1"],
            "It takes: `ghcr.io/acme/service`, `https://github.com/acme/service.git`, `web`, `blue`, `green`",
        ),
        (["service=1"], "`service` can mean `ghcr.io/acme/service` or `https://github.com/acme/service.git`"),
        (["colour=1"], "`colour` can mean `blue` or `green`"),
        (["web=1", "lib=1"], "of different warehouses, `app` and `lib`. Promote the freight of one at a time"),
        (["web=1", "web=2"], "`web` is named twice"),
        (["web="], "`web=` is no `name=version`"),
        (["=1"], "`=1` is no `name=version`"),
    ],
)
def test_what_cannot_be_told_is_answered_with_what_can(words, message):
    with pytest.raises(UserError) as raised:
        choosing.named(SNAPSHOT, STAGE, words)
    assert message in str(raised.value)


def test_one_name_in_two_warehouses_is_not_guessed():
    twins = {APP: Warehouse(APP, (SERVICE,)), LIB: Warehouse(LIB, (SERVICE,))}
    snapshot = Snapshot(SNAPSHOT.repository, "", "main", SNAPSHOT.head, Pipeline(twins, {STAGE.name: STAGE}))
    with pytest.raises(UserError, match="can mean freight of `app` or `lib`"):
        choosing.named(snapshot, STAGE, ["service=1"])


@pytest.mark.parametrize(
    ("words", "fits"),
    [
        (["web=0.3.1"], True),
        (["web=v0.3.1", "ghcr.io/acme/service=v1.4.2"], True),
        (["web=0.3.0"], False),
        (["blue=1.0.0", "green=2.0.0"], True),
        (["blue=2.0.0"], False),
        (["https://github.com/acme/service=2222222"], True),
        (["green=sha256:4444444"], True),
        (["lib=1.4.2"], False),
    ],
)
def test_freight_fits_where_each_has_its_version(words, fits):
    assert choosing.named(SNAPSHOT, STAGE, words).fits(FREIGHT) is fits
