"""However a pull request is merged, the verification is of the commit that landed."""

import pytest

from tests.scenarios.scene import REPO, Scene


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_what_landed_is_verified(shop: Scene, method: str) -> None:
    pipeline = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": pipeline.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    await shop.write({"README.md": "meanwhile\n"}, message="something else")  # nothing fast-forwards
    await shop.quiet()
    number = (await shop.proposal("test"))["number"]

    landed = await shop.merge(number, method=method)

    assert await shop.checks(landed) == {"verification/test": "success"}
    assert await shop.state(number) == {"verified"}
    await shop.hears(number, "service 1.0.0 is verified in `test`")

    await shop.publish("1.1.0")
    second = (await shop.proposal("test"))["number"]
    again = await shop.merge(second, method=method)
    assert await shop.checks(again) == {"verification/test": "success"}
    await shop.hears(second, "service 1.1.0 is verified in `test`")
    assert (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"] == again


@pytest.mark.parametrize("method", ["merge", "squash", "rebase"])
async def test_towpath_merges_as_it_is_told(shop: Scene, method: str) -> None:
    pipeline = await shop.read(".promotion.yaml")
    told = pipeline.replace("    merge: auto\n", f"    merge: auto\n    mergeMethod: {method}\n")
    await shop.write({".promotion.yaml": told}, message=f"merge by {method}")

    await shop.publish("1.0.0")

    pull = await shop.landed("test")
    await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
    commit = (await shop.who("owner").get(f"{REPO}/commits/{pull['merge_commit_sha']}")).ok()
    assert len(commit["parents"]) == (2 if method == "merge" else 1)
