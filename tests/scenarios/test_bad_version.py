"""A version misbehaves: it gets no further, is taken back, and the next one goes on."""

from tests.scenarios.scene import Scene


async def test_a_bad_version_stays_out_of_uat_and_a_rollback_brings_the_good_one_back(shop: Scene) -> None:
    await shop.spoil("1.1.0")
    await shop.publish("1.0.0")
    good = await shop.landed("test")
    await shop.hears(good["number"], "service 1.0.0 is verified in `test`")

    await shop.publish("1.1.0")
    bad = await shop.landed("test")
    assert await shop.holds("test") == "1.1.0"
    assert await shop.checks(bad["merge_commit_sha"]) == {"verification/test": "failure"}
    assert await shop.state(bad["number"]) == {"failed"}
    await shop.hears(bad["number"], "service 1.1.0 is not verified in `test`", "Hello ...?", "/rollback test")

    await shop.say("maintainer", bad["number"], "/promote uat 1.1.0")
    await shop.hears(bad["number"], "was refused", "verification of service 1.1.0 in test failed")
    assert not await shop.pulls("uat")

    await shop.say("maintainer", bad["number"], "/rollback test")
    back = await shop.landed("test")
    assert back["title"] == "rollback(test): service 1.1.0 → 1.0.0"
    assert await shop.holds("test") == "1.0.0"
    await shop.hears(bad["number"], f"service 1.0.0 is on its way into `test`: #{back['number']}")
    await shop.hears(back["number"], "service 1.0.0 is verified in `test`")

    await shop.publish("1.1.1")
    next_one = await shop.landed("test")
    assert await shop.holds("test") == "1.1.1"
    await shop.hears(next_one["number"], "service 1.1.1 is verified in `test`")


async def test_automation_never_brings_back_what_was_taken_back(shop: Scene) -> None:
    await shop.spoil("1.1.0")
    for version in ("1.0.0", "1.1.0"):
        await shop.publish(version)
        await shop.hears((await shop.landed("test"))["number"], version)
    bad = (await shop.landed("test"))["number"]
    await shop.say("maintainer", bad, "/rollback test")
    await shop.hears(bad, "on its way")
    await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified")

    await shop.publish("1.1.0")  # the very same again: nothing new

    assert len(await shop.pulls("test")) == 3
    assert await shop.holds("test") == "1.0.0"


async def test_a_revert_by_hand_moves_the_stage_back_and_is_verified(shop: Scene) -> None:
    await shop.publish("1.0.0")
    await shop.hears((await shop.landed("test"))["number"], "1.0.0 is verified")
    before = {path: await shop.read(path) for path in (".promotion/test.lock", "out/stages/test/manifests.yaml")}
    await shop.publish("1.1.0")
    await shop.hears((await shop.landed("test"))["number"], "1.1.0 is verified")

    reverted = await shop.write(before, message='Revert "promote(test): service 1.1.0"')
    await shop.quiet()

    assert await shop.holds("test") == "1.0.0"
    assert await shop.checks(reverted) == {"verification/test": "success"}
    assert len(await shop.pulls("test")) == 2
