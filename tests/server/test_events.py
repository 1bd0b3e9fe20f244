"""From webhooks to what they ask for: a table, GitHub's own examples, and whatever else may come."""

import copy
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.jobs import CommandRef
from bot.core.news import News
from bot.server.events import EVENTS, HANDLED, Delivery, translate

EXAMPLES = Path(__file__).parents[2] / ".tools" / "github" / "webhooks-examples.json"
BOT = "towpath[bot]"
SHOP = {"full_name": "acme/shop", "id": 1}
OTHER = {"full_name": "acme/b"}


def payload(action=None, sender="maintainer", **more):
    return {"action": action, "repository": SHOP, "sender": {"login": sender}, **more}


def comment(body="/promote uat", action="created", login="maintainer", **more):
    return payload(
        action, login, issue={"number": 5}, comment={"id": 123, "body": body, "user": {"login": login}}, **more
    )


LOOK = (("acme/shop",), ())
NOTHING = ((), ())
COMMAND = ((), (CommandRef("acme/shop", 5, 123),))


def suite(slug, sender="maintainer"):
    return payload("completed", sender, check_suite={"app": {"slug": slug}})


TABLE = [
    ("push", payload(), LOOK),
    ("push", payload(sender=BOT), LOOK),
    ("pull_request", payload("labeled"), LOOK),
    ("pull_request", payload("labeled", BOT), NOTHING),
    ("pull_request", payload("closed", BOT), LOOK),
    ("pull_request", payload("assigned"), NOTHING),
    ("pull_request_review", payload("submitted"), LOOK),
    ("pull_request_review", payload("edited"), NOTHING),
    ("issues", payload("labeled"), LOOK),
    ("issues", payload("opened"), NOTHING),
    ("check_run", payload("requested_action"), LOOK),
    ("check_run", payload("rerequested"), LOOK),
    ("check_run", payload("completed"), NOTHING),
    ("check_suite", suite("their-ci"), LOOK),
    ("check_suite", suite("towpath"), NOTHING),
    ("check_suite", payload("rerequested", check_suite={"app": {"slug": "towpath"}}), LOOK),
    ("status", payload(state="success"), LOOK),
    ("status", payload(state="pending"), NOTHING),
    ("repository", payload("renamed"), LOOK),
    ("repository", payload("starred"), NOTHING),
    ("repository_dispatch", payload("freight"), LOOK),
    (
        "installation",
        payload("created", repositories=[SHOP, {"full_name": "acme/b"}, SHOP]),
        (("acme/shop", "acme/b"), ()),
    ),
    ("installation", payload("deleted", repositories=[SHOP]), NOTHING),
    ("installation", payload("suspend"), NOTHING),
    ("installation_repositories", payload("added", repositories_added=[OTHER]), (("acme/b",), ())),
    ("installation_repositories", payload("removed", repositories_removed=[SHOP]), NOTHING),
    ("issue_comment", comment(), COMMAND),
    ("issue_comment", comment("thanks\r\n/promote uat"), COMMAND),
    ("issue_comment", comment("see a/b and https://example.com/x"), NOTHING),
    ("issue_comment", comment(action="edited"), NOTHING),
    ("issue_comment", comment(action="deleted"), NOTHING),
    ("issue_comment", comment(login=BOT), NOTHING),
    ("issue_comment", comment(login="dependabot[bot]"), COMMAND),
    ("ping", {"zen": "x"}, NOTHING),
    ("star", payload("created"), NOTHING),
    ("", payload(), NOTHING),
    ("push", {"repository": {"full_name": "../../x"}}, NOTHING),
    ("push", {"repository": {"full_name": "acme/shop\n"}}, NOTHING),
    ("push", {"repository": "acme/shop"}, NOTHING),
    ("push", {}, NOTHING),
    ("issue_comment", comment() | {"issue": {"number": True}}, NOTHING),
    ("issue_comment", comment() | {"issue": {"number": 2**63}}, NOTHING),
    ("issue_comment", comment() | {"comment": {"id": "1", "body": "/promote"}}, NOTHING),
]


@pytest.mark.parametrize(("event", "sent", "asked"), TABLE)
def test_what_a_webhook_asks_for(event, sent, asked):
    delivery = translate(event, "guid", sent, BOT)
    assert (delivery.looks, delivery.commands) == asked
    assert (delivery.id, delivery.event, bool(delivery)) == ("guid", event, asked != NOTHING)


LIB = {"full_name": "acme/lib", "clone_url": "https://github.com/acme/lib.git", "default_branch": "main"}
ADDRESS = ("https://github.com/acme/lib",)
CONTAINER = {"package_type": "CONTAINER", "package_version": {"package_url": "ghcr.io/acme/service:1.0.0"}}
NEWS = [
    (
        "push",
        {"ref": "refs/heads/next", "repository": LIB},
        ("acme/lib",),
        (News("git", ADDRESS, branch="next", default_branch="main"),),
    ),
    ("create", {"ref": "v1", "ref_type": "tag", "repository": LIB}, (), (News("git", ADDRESS, version="v1"),)),
    (
        "release",
        {"action": "published", "release": {"tag_name": "v1"}, "repository": LIB},
        (),
        (News("git", ADDRESS, version="v1"),),
    ),
    ("release", {"action": "edited", "release": {"tag_name": "v1"}, "repository": LIB}, (), ()),
    (
        "registry_package",
        {"action": "published", "registry_package": CONTAINER, "repository": LIB},
        (),
        (News("image", ("ghcr.io/acme/service",)), News("chart", ("ghcr.io/acme/service",))),
    ),
    ("package", {"action": "deleted", "package": CONTAINER, "repository": LIB}, (), ()),
]


@pytest.mark.parametrize(("event", "sent", "looks", "news"), NEWS)
@pytest.mark.parametrize("sender", ["maintainer", BOT])
def test_what_may_be_new_is_told_to_whoever_watches_it(event, sent, looks, news, sender):
    delivery = translate(event, "guid", {**sent, "sender": {"login": sender}}, BOT)
    assert (delivery.looks, delivery.news) == (looks, news)


@pytest.fixture(scope="module")
def examples():
    if not EXAMPLES.exists():
        pytest.skip("GitHub's example payloads are not here: `make tools` gets them")
    named = json.loads(EXAMPLES.read_text(encoding="utf-8"))
    return [(event["name"], example) for event in named for example in event["examples"]]


def test_all_of_githubs_examples_pass(examples):
    assert len(examples) >= 329
    deliveries = [translate(event, "guid", example, BOT) for event, example in examples]
    heard = {delivery.event for delivery in deliveries if delivery}
    # No comment of the examples holds a command, and no container package a tag.
    assert heard == {event.name for event in EVENTS} - {"issue_comment", "package", "registry_package"}


def test_githubs_examples_may_lack_any_part(examples):
    def without_each_part(example):
        for name in example:
            yield {key: value for key, value in example.items() if key != name}
            for strange in (None, [], {}, 0, "x"):
                yield {**example, name: strange}
            if isinstance(example[name], dict):
                for inner in example[name]:
                    smaller = copy.copy(example)
                    smaller[name] = {key: value for key, value in example[name].items() if key != inner}
                    yield smaller

    for event, example in examples:
        if event in {one.name for one in EVENTS}:
            for mutilated in without_each_part(example):
                assert isinstance(translate(event, "guid", mutilated, BOT), Delivery)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
PARTS = (
    "action",
    "repository",
    "sender",
    "comment",
    "issue",
    "repositories",
    "repositories_added",
    "check_suite",
    "state",
    "ref",
    "ref_type",
    "commits",
    "release",
    "package",
    "registry_package",
)


@given(st.sampled_from([event.name for event in EVENTS]), st.dictionaries(st.sampled_from(PARTS), json_values))
def test_nothing_that_arrives_is_an_error(event, sent):
    translate(event, "guid", sent, BOT)


def test_each_event_is_there_once_and_says_what_it_needs():
    assert len({event.name for event in EVENTS}) == len(EVENTS)
    assert set(HANDLED) == {event.name for event in EVENTS} - {"installation", "installation_repositories"}
