"""People steer by comments: what may be asked, by whom, and what is answered."""

from tests.scenarios.scene import REPO, Scene


async def arrives(shop: Scene, version: str) -> None:
    """A version lands in test, and is verified."""
    await shop.publish(version)
    await shop.hears((await shop.landed("test"))["number"], f"{version} is verified")


async def test_a_reader_may_look_but_not_promote(shop: Scene) -> None:
    await arrives(shop, "1.0.0")
    number = await shop.issue()

    await shop.say("reader", number, "/promote uat")
    await shop.hears(
        number, "@reader", "was refused", "takes **write** access", "you have **read**", "Anybody with write"
    )
    assert not await shop.pulls("uat")

    await shop.say("reader", number, "/status")
    await shop.hears(number, "`test`", "service 1.0.0", "✅ verified")


async def test_a_stage_can_be_reserved_for_a_team_or_a_person(shop: Scene) -> None:
    pipeline = await shop.read(".promotion.yaml")
    reserved = pipeline.replace("  uat:\n", '  uat:\n    allow: {promote: ["@acme/maintainers", owner]}\n')
    await shop.write({".promotion.yaml": reserved}, message="reserve uat")
    await arrives(shop, "1.0.0")
    number = await shop.issue()

    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "`writer` may not", "reserves it for `acme/maintainers`, `owner`")
    assert not await shop.pulls("uat")

    await shop.say("maintainer", number, "/promote uat")
    await shop.hears(number, "on its way into `uat`")
    assert await shop.proposal("uat")


async def test_mistakes_are_answered_with_what_would_have_been_right(shop: Scene) -> None:
    await arrives(shop, "1.0.0")
    number = await shop.issue()

    await shop.say("writer", number, "/promote uta")
    await shop.hears(number, "no such stage", "Did you mean `uat`?")
    await shop.say("writer", number, "/promote uat 9.9.9")
    await shop.hears(number, "No freight by that name", "Known: `1.0.0`")
    await shop.say("writer", number, "/promte uat")
    await shop.hears(number, "did you mean `/promote`?")
    await shop.say("writer", number, "/rollback test")
    await shop.hears(number, "nothing to go back to")
    await shop.say("writer", number, "/promote prod")
    await shop.hears(number, "service 1.0.0 has not been in uat", "/promote uat 1.0.0")
    await shop.say("writer", number, "/help")
    await shop.hears(number, "/promote <stage>", "/rollback <stage>", "/status", "/help")
    assert not await shop.pulls("uat") + await shop.pulls("prod")


async def test_talk_is_left_in_peace(shop: Scene) -> None:
    number = await shop.issue()

    await shop.say(
        "writer", number, "I would /promote uat, but not now.\n> /promote uat\n```\n/promote uat\n```\n/lgtm"
    )

    assert not await shop.comments(number)


async def test_several_commands_get_one_answer(shop: Scene) -> None:
    await arrives(shop, "1.0.0")
    number = await shop.issue()

    comment = await shop.say("writer", number, "/promote uat\n/status")

    await shop.hears(number, "on its way into `uat`", "✅ verified")
    reactions = (await shop.who("owner").get(f"{REPO}/issues/comments/{comment}/reactions")).ok()
    assert {one["content"] for one in reactions} == {"eyes", "+1"}


async def test_on_a_promotions_pull_request_the_stage_goes_without_saying(shop: Scene) -> None:
    await arrives(shop, "1.0.0")
    await arrives(shop, "1.1.0")
    number = (await shop.landed("test"))["number"]

    await shop.say("writer", number, "/rollback")

    await shop.hears(number, "service 1.0.0 is on its way into `test`")
    await shop.hears((await shop.landed("test"))["number"], "1.0.0 is verified")
    assert await shop.holds("test") == "1.0.0"
