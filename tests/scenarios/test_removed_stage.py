"""A stage is taken out of the configuration while its pull request is open."""

from tests.scenarios.scene import Scene


async def test_its_pull_request_is_closed_with_a_word_and_the_stage_may_come_back(shop: Scene) -> None:
    pipeline = await shop.read(".promotion.yaml")
    people = pipeline.replace("    merge: auto\n", "")
    await shop.write({".promotion.yaml": people}, message="people merge test")
    await shop.publish("1.0.0")
    number = (await shop.proposal("test"))["number"]

    renamed = people.replace("\n  test:", "\n  dev:").replace("from: test", "from: dev")
    await shop.write({".promotion.yaml": renamed}, message="test is called dev now")
    await shop.quiet()

    await shop.hears(number, "`promotion/test`", "no longer in `.promotion.yaml`")
    assert not await shop.pulls("test", "open")
    assert await shop.state(number) == {"superseded"}
    assert await shop.proposal("dev")

    await shop.write({".promotion.yaml": people}, message="no, test was right")
    await shop.quiet()

    again = await shop.proposal("test")
    assert again["number"] != number
    assert again["title"] == "promote(test): service 1.0.0"
    dev = (await shop.pulls("dev"))[0]
    await shop.hears(dev["number"], "no longer in `.promotion.yaml`")
