"""A version is published and goes through test, uat and prod."""

from tests.scenarios.scene import Scene


async def test_a_version_goes_from_the_registry_to_production(shop: Scene) -> None:
    await shop.publish("1.0.0")

    first = await shop.landed("test")
    assert first["title"] == "promote(test): service 1.0.0"
    assert first["head"]["ref"] == "promotion/test"
    assert first["user"]["login"] == "towpath[bot]"
    assert await shop.checks(first["head"]["sha"]) == {"promotion/test": "success"}
    assert await shop.checks(first["merge_commit_sha"]) == {"verification/test": "success"}
    assert await shop.state(first["number"]) == {"verified"}
    assert await shop.holds("test") == "1.0.0"
    await shop.hears(first["number"], "service 1.0.0 is verified in `test`", "/promote uat 1.0.0")
    assert not await shop.pulls("uat")

    await shop.say("writer", first["number"], "/promote uat")
    second = await shop.proposal("uat")
    await shop.hears(first["number"], "@writer", f"service 1.0.0 is on its way into `uat`: #{second['number']}")
    assert await shop.state(second["number"]) == {"awaiting-merge"}
    assert await shop.checks(second["head"]["sha"]) == {"promotion/uat": "success"}

    landed = await shop.merge(second["number"])
    assert await shop.checks(landed) == {"verification/uat": "success"}
    await shop.hears(second["number"], "service 1.0.0 is verified in `uat`", "/promote prod 1.0.0")

    await shop.say("writer", second["number"], "/promote prod 1.0.0")
    third = await shop.proposal("prod")
    await shop.hears(second["number"], "on its way into `prod`")
    await shop.merge(third["number"])
    await shop.hears(third["number"], "verified in `prod`", "This was the last stage.")
    assert [await shop.holds(stage) for stage in ("test", "uat", "prod")] == ["1.0.0"] * 3


async def test_a_commit_says_who_promoted_what_where(shop: Scene) -> None:
    await shop.publish("1.0.0")
    pull = await shop.landed("test")
    await shop.hears(pull["number"], "verified in `test`")

    commit = (await shop.who("owner").get(f"/repos/acme/shop/commits/{pull['head']['sha']}")).ok()["commit"]

    assert "Promoted-By: automation" in commit["message"]
    assert "Stage: test" in commit["message"]
    assert commit["author"]["name"] == "towpath[bot]"


async def test_newer_freight_updates_the_open_pull_request_in_place(shop: Scene) -> None:
    pipeline = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": pipeline.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    first = await shop.proposal("test")

    await shop.publish("1.1.0")

    second = await shop.proposal("test")
    assert second["number"] == first["number"]
    assert second["title"] == "promote(test): service 1.1.0"
    assert second["head"]["sha"] != first["head"]["sha"]
    assert await shop.checks(second["head"]["sha"]) == {"promotion/test": "success"}
    assert await shop.state(second["number"]) == {"awaiting-merge"}
    assert len(await shop.pulls("test")) == 1


async def test_what_was_rendered_from_older_sources_is_rendered_anew(shop: Scene) -> None:
    pipeline = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": pipeline.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    before = await shop.proposal("test")

    await shop.write({"chart/values-test.yaml": "image: {tag: none}\nreplicas: 7\n"}, message="more replicas")
    await shop.quiet()

    after = await shop.proposal("test")
    assert after["number"] == before["number"]
    assert "replicas: 7" in await shop.read("out/stages/test/manifests.yaml", "promotion/test")
