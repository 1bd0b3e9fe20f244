"""Who is told of news: warehouses of every repository that was looked at, and of no other."""

from typing import Any

import pytest

from bot.core import news
from bot.core.model import Pipeline, Receiver, RepositoryName, Subscription, Warehouse, WarehouseName
from bot.core.news import Refresh
from bot.engine.subscribers import Subscribers
from bot.subscriptions import BY_NAME

GITOPS, OTHER = RepositoryName("acme/GitOps"), RepositoryName("acme/other")
LIB = "https://github.com/acme/lib"


def pipeline(*receivers: Receiver, **warehouses: list[tuple[str, dict[str, Any]]]) -> Pipeline:
    made = {
        WarehouseName(name): Warehouse(WarehouseName(name), tuple(Subscription(kind, config) for kind, config in each))
        for name, each in warehouses.items()
    }
    return Pipeline(made, {}, receivers=receivers)


def lib(**rules: Any) -> tuple[str, dict[str, Any]]:
    return "git", {"repoURL": f"{LIB}.git", **rules}


def service(constraint: str = "") -> tuple[str, dict[str, Any]]:
    return "image", {"repoURL": "ghcr.io/acme/service", "constraint": constraint}


def known(**pipelines: Pipeline) -> Subscribers:
    subscribers = Subscribers(BY_NAME)
    for name, one in pipelines.items():
        subscribers.take({"gitops": GITOPS, "other": OTHER}[name], one)
    return subscribers


PUSH = news.push([LIB], "refs/heads/main", "main", ("app/x",))


def test_a_push_wakes_whoever_watches_that_repository() -> None:
    subscribers = known(
        gitops=pipeline(app=[service(), lib()], next=[lib(branch="next")], image=[service()]),
        other=pipeline(rules=[lib(includePaths=["app"])], docs=[lib(includePaths=["docs"])]),
    )
    assert subscribers.of_all(PUSH) == {GITOPS: {"app"}, OTHER: {"rules"}}
    assert subscribers.of_all(news.push([LIB + "2"], "refs/heads/main")) == {}
    assert subscribers.of_all(()) == {}


def test_a_pipeline_that_changed_is_told_by_what_it_is_now() -> None:
    subscribers = known(gitops=pipeline(app=[lib()]))
    assert subscribers.of_all(PUSH) == {GITOPS: {"app"}}
    subscribers.take(GITOPS, pipeline(renamed=[lib()], image=[service()]))
    assert subscribers.of_all(PUSH) == {GITOPS: {"renamed"}}
    subscribers.take(GITOPS, pipeline(image=[service()]))
    assert subscribers.of_all(PUSH) == {}
    assert subscribers.of_all(news.image("ghcr.io/acme/service", "1.0.0")) == {GITOPS: {"image"}}


def test_a_receivers_news_is_for_its_own_repository() -> None:
    subscribers = known(gitops=pipeline(app=[lib()]), other=pipeline(app=[lib()], images=[service("^1")]))
    assert subscribers.of_one(GITOPS, PUSH) == {"app"}
    assert subscribers.of_one(OTHER, (*PUSH, *news.image("ghcr.io/acme/service", "2.0.0"))) == {"app"}
    assert subscribers.of_one(RepositoryName("acme/unknown"), PUSH) == frozenset()


def test_warehouses_are_chosen_by_name_and_by_what_they_watch() -> None:
    subscribers = known(gitops=pipeline(app=[service(), lib()], images=[service()]))

    def chosen(**how: Any) -> set[str]:
        return set(subscribers.of_one(GITOPS, [Refresh(**how)]))

    assert chosen() == {"app", "images"}
    assert chosen(name="app") == {"app"}
    assert chosen(name="none") == set()
    assert chosen(watching=("ghcr.io/acme/service",)) == {"app", "images"}
    assert chosen(watching=("ghcr.io/acme/service", LIB)) == {"app"}
    assert chosen(not_watching=(LIB,)) == {"images"}
    assert chosen(name="images", watching=(LIB,)) == set()


def test_a_subscription_that_can_not_be_read_is_woken_so_that_the_look_says_so() -> None:
    subscribers = known(gitops=pipeline(app=[service("nonsense !")], none=[("image", {})]))
    assert subscribers.of_all(news.image("ghcr.io/acme/service", "1.0.0")) == {GITOPS: {"app"}}


def test_a_receiver_is_found_by_all_three_names() -> None:
    hub = Receiver("hub", "dockerhub", "secret")
    subscribers = known(gitops=pipeline(hub, app=[lib()]))
    assert subscribers.receiver("ACME/gitops", "dockerhub", "hub") == (GITOPS, hub)
    for wrong in (
        ("acme/other", "dockerhub", "hub"),
        ("acme/gitops", "quay", "hub"),
        ("acme/gitops", "dockerhub", "x"),
    ):
        assert subscribers.receiver(*wrong) is None
    subscribers.take(GITOPS, pipeline(app=[lib()]))
    assert subscribers.receiver("acme/gitops", "dockerhub", "hub") is None


def test_a_repository_without_a_pipeline_is_forgotten_but_not_for_a_look_that_failed() -> None:
    hub = Receiver("hub", "dockerhub", "secret")
    whole = pipeline(hub, app=[lib()])
    subscribers = known(gitops=whole)
    with subscribers.looking(GITOPS):
        subscribers.take(GITOPS, whole)
    with pytest.raises(OSError, match="no network"), subscribers.looking(GITOPS):
        raise OSError("no network")
    assert subscribers.of_all(PUSH) == {GITOPS: {"app"}}

    with subscribers.looking(GITOPS), subscribers.looking(OTHER):
        pass

    assert subscribers.of_all(PUSH) == {}
    assert subscribers.receiver("acme/gitops", "dockerhub", "hub") is None
