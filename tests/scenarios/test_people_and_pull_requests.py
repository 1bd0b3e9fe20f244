"""What people do to a promotion's pull request: close it, add to it, edit its text."""

from tests.scenarios.scene import REPO, Scene


async def waiting_in_test(shop: Scene, version: str = "1.0.0") -> dict[str, object]:
    """The pull request into test, which people merge in these stories."""
    pipeline = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": pipeline.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish(version)
    return await shop.proposal("test")


async def test_closing_means_not_this_one(shop: Scene) -> None:
    pull = await waiting_in_test(shop)
    number = int(str(pull["number"]))

    await shop.close(number)

    await shop.hears(number, "closed without merging", "/promote test 1.0.0")
    assert await shop.state(number) == {"aborted"}
    assert len(await shop.pulls("test")) == 1

    await shop.publish("1.1.0")
    assert (await shop.proposal("test"))["title"] == "promote(test): service 1.1.0"


async def test_what_was_closed_comes_back_by_command(shop: Scene) -> None:
    number = int(str((await waiting_in_test(shop))["number"]))
    await shop.close(number)
    await shop.hears(number, "closed without merging")

    await shop.say("writer", number, "/promote test 1.0.0")

    again = await shop.proposal("test")
    assert again["number"] != number
    await shop.hears(number, f"#{again['number']}")


async def test_somebodys_own_commit_is_never_overwritten(shop: Scene) -> None:
    pull = await waiting_in_test(shop)
    number = int(str(pull["number"]))
    own = await shop.write({"out/stages/test/extra.yaml": "mine: true\n"}, message="mine", branch="promotion/test")
    await shop.quiet()

    await shop.publish("1.1.0")

    now = await shop.proposal("test")
    assert now["head"]["sha"] == own
    assert await shop.state(number) == {"held"}
    check = await shop.check(own, "promotion/test")
    assert check["conclusion"] == "action_required"
    assert "`owner`" in check["output"]["summary"]


async def test_a_text_that_somebody_edited_is_believed_only_where_the_record_holds(shop: Scene) -> None:
    number = int(str((await waiting_in_test(shop))["number"]))
    body = (await shop.proposal("test"))["body"]
    (await shop.who("maintainer").patch(f"{REPO}/pulls/{number}", {"body": "Nothing to see here."})).ok()
    await shop.quiet()

    again = await shop.proposal("test")
    assert again["number"] == number
    assert "towpath:record" in again["body"]
    assert again["title"] == "promote(test): service 1.0.0"

    (await shop.who("maintainer").patch(f"{REPO}/pulls/{number}", {"body": f"My own words.\n\n{body}"})).ok()
    await shop.quiet()
    assert (await shop.proposal("test"))["body"].startswith("My own words.")


async def test_a_pull_request_by_somebody_else_is_none_of_ours(shop: Scene) -> None:
    main = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    (await shop.who("writer").post(f"{REPO}/git/refs", {"ref": "refs/heads/promotion/prod", "sha": main})).ok(201)
    await shop.write({"evil.yaml": "a: b\n"}, branch="promotion/prod")
    made = await shop.who("writer").post(
        f"{REPO}/pulls", {"title": "promote(prod): trust me", "head": "promotion/prod", "base": "main"}
    )
    number = made.ok(201)["number"]
    await shop.quiet()

    assert not await shop.comments(number)
    assert await shop.checks(made.body["head"]["sha"]) == {}
    assert await shop.state(number) == set()


async def test_what_somebody_changed_in_the_stages_folder_does_not_stay_in_the_way(shop: Scene) -> None:
    """The first promotion has landed; a hand edit of what it rendered would conflict with the second."""
    first = await waiting_in_test(shop)
    await shop.merge(int(str(first["number"])))
    await shop.hears(int(str(first["number"])), "1.0.0 is verified")
    await shop.publish("1.1.0")
    before = await shop.proposal("test")
    rendered = await shop.read("out/stages/test/manifests.yaml")

    await shop.write({"out/stages/test/manifests.yaml": rendered.replace("1.0.0", "by-hand")}, message="edit by hand")
    await shop.quiet()

    after = await shop.proposal("test")
    assert after["number"] == before["number"]
    seen = await shop.github.mergeable(f"{REPO}/pulls/{after['number']}")
    assert seen["mergeable"] is True
    assert "by-hand" not in await shop.read("out/stages/test/manifests.yaml", "promotion/test")


async def test_a_promotion_into_another_stage_leaves_an_open_one_alone(shop: Scene) -> None:
    await waiting_in_test(shop)
    await shop.merge((await shop.proposal("test"))["number"])
    await shop.hears((await shop.landed("test"))["number"], "1.0.0 is verified")
    number = await shop.issue()
    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "on its way into `uat`")
    before = (await shop.proposal("uat"))["head"]["sha"]

    await shop.publish("1.1.0")
    await shop.merge((await shop.proposal("test"))["number"])

    await shop.hears((await shop.landed("test"))["number"], "1.1.0 is verified")
    assert (await shop.proposal("uat"))["head"]["sha"] == before
