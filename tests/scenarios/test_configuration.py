"""A configuration that is broken is said where it broke, and stops nothing else."""

from base64 import b64encode
from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, Scene, scene


async def test_a_broken_configuration_becomes_a_failed_check_with_line_and_column(shop: Scene) -> None:
    broken = (await shop.read(".promotion.yaml")).replace("    merge: auto\n", "    merge: perhaps\n")

    sha = await shop.write({".promotion.yaml": broken}, message="break it")
    await shop.quiet()

    check = await shop.check(sha, "promotion/config")
    assert check["conclusion"] == "failure"
    assert check["output"]["title"] == "1 problem in the configuration"
    found = (await shop.who("owner").get(f"/repos/acme/shop/check-runs/{check['id']}/annotations")).ok()
    line = broken.splitlines().index("    merge: perhaps") + 1
    assert [(one["path"], one["start_line"], one["start_column"]) for one in found] == [(".promotion.yaml", line, 12)]

    await shop.publish("1.0.0")
    assert not await shop.pulls("test")


async def test_what_is_under_way_is_brought_to_its_end_and_mending_goes_on(shop: Scene) -> None:
    good = await shop.read(".promotion.yaml")
    await shop.write({".promotion.yaml": good.replace("    merge: auto\n", "")}, message="people merge test")
    await shop.publish("1.0.0")
    pull = await shop.proposal("test")
    await shop.write({".promotion.yaml": "stages: ["}, message="break it")
    await shop.quiet()
    check = await shop.check(pull["head"]["sha"], "promotion/test")
    assert check["conclusion"] == "action_required"
    assert "has" in check["output"]["title"]

    landed = await shop.merge(pull["number"])

    assert (await shop.checks(landed))["verification/test"] == "success"
    await shop.hears(pull["number"], "service 1.0.0 is verified in `test`")
    number = await shop.issue()
    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "`.promotion.yaml` on `main` has", "problem")

    await shop.write({".promotion.yaml": good}, message="mend it")
    await shop.quiet()
    await shop.say("writer", number, "/promote uat")
    await shop.hears(number, "on its way into `uat`")


async def test_a_repository_without_a_pipeline_is_left_alone(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", CHART) as shop:
        number = await shop.issue()
        await shop.say("writer", number, "/status")

        await shop.hears(number, "no `.promotion.yaml`")


async def test_a_chart_that_does_not_render_is_said_on_the_commit_and_tried_again_with_the_next(
    github: GitHub, tmp_path: Path
) -> None:
    broken = {**CHART, "chart/templates/broken.yaml": '{{ fail "no such thing" }}', ".promotion.yaml": PIPELINE}
    async with scene(github, tmp_path / "bot", broken) as shop:
        await shop.publish("1.0.0")
        head = (await shop.who("owner").get("/repos/acme/shop/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(head, "promotion/test")
        assert check["conclusion"] == "failure"
        assert "no such thing" in check["output"]["summary"]
        assert not await shop.pulls("test")

        await shop.write({"chart/templates/broken.yaml": "# mended\n"}, message="mend the chart")
        await shop.quiet()

        await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified")


async def propose(shop: Scene, branch: str, files: dict[str, str]) -> dict[str, object]:
    """Somebody opens a pull request with these files."""
    main = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    (await shop.who("owner").post(f"{REPO}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main})).ok(201)
    await shop.write(files, branch=branch)
    made = await shop.who("writer").post(f"{REPO}/pulls", {"title": branch, "head": branch, "base": "main"})
    await shop.quiet()
    pull: dict[str, object] = made.ok(201)
    return pull


async def test_a_pull_request_that_changes_the_pipeline_says_what_it_would_do(shop: Scene) -> None:
    await shop.publish("1.0.0")
    await shop.hears((await shop.landed("test"))["number"], "1.0.0 is verified")
    text = await shop.read(".promotion.yaml")
    shorter = text[: text.index("  prod:")] + text[text.index("verifications:") :]

    pull = await propose(
        shop, "drop-prod", {".promotion.yaml": shorter.replace("  uat:\n", "  uat:\n    auto: true\n")}
    )

    check = await shop.check(pull["head"]["sha"], "promotion/config")  # type: ignore[index]
    assert check["conclusion"] == "success"
    assert check["output"]["title"] == "Valid; stages: 1 removed, 1 changed"
    assert "| `prod` | removed |" in check["output"]["summary"]
    assert "| `uat` | promotes by itself |" in check["output"]["summary"]
    assert not await shop.pulls("uat"), "what a pull request says is judged, never obeyed"


async def test_a_mistake_is_shown_on_its_line_in_the_pull_request_that_makes_it(shop: Scene) -> None:
    broken = (await shop.read(".promotion.yaml")).replace("from: test", "from: tset")

    pull = await propose(shop, "typo", {".promotion.yaml": broken})

    check = await shop.check(pull["head"]["sha"], "promotion/config")  # type: ignore[index]
    assert check["conclusion"] == "failure"
    (remark,) = (await shop.who("owner").get(f"{REPO}/check-runs/{check['id']}/annotations")).ok()
    assert remark["start_line"] == broken.splitlines().index("    from: tset") + 1
    assert "did you mean `test`" in remark["message"]


async def test_a_pull_request_that_leaves_the_pipeline_alone_is_left_alone(shop: Scene) -> None:
    pull = await propose(shop, "chart", {"chart/values.yaml": "image: {tag: none}\nreplicas: 9\n"})

    assert await shop.checks(pull["head"]["sha"]) == {}  # type: ignore[index]


async def test_a_strangers_pull_request_from_a_fork_is_judged_on_its_lines_too(shop: Scene) -> None:
    stranger = shop.who("reader")
    (await stranger.post(f"{REPO}/forks")).ok(202)
    now = (await stranger.get("/repos/reader/shop/contents/.promotion.yaml")).ok()
    broken = (await shop.read(".promotion.yaml")).replace("from: test", "from: tset")
    change = {"message": "typo", "sha": now["sha"], "content": b64encode(broken.encode()).decode()}
    (await stranger.put("/repos/reader/shop/contents/.promotion.yaml", change)).ok(200)

    pull = (await stranger.post(f"{REPO}/pulls", {"title": "typo", "head": "reader:main", "base": "main"})).ok(201)
    await shop.quiet()

    check = await shop.check(pull["head"]["sha"], "promotion/config")
    assert check["conclusion"] == "failure"
    (remark,) = (await shop.who("owner").get(f"{REPO}/check-runs/{check['id']}/annotations")).ok()
    assert remark["start_line"] == broken.splitlines().index("    from: tset") + 1


async def test_a_strangers_pull_request_that_leaves_the_pipeline_alone_is_left_alone(shop: Scene) -> None:
    stranger = shop.who("reader")
    (await stranger.post(f"{REPO}/forks")).ok(202)
    change = {"message": "hello", "content": b64encode(b"hello").decode()}
    (await stranger.put("/repos/reader/shop/contents/hello.txt", change)).ok(201)

    pull = (await stranger.post(f"{REPO}/pulls", {"title": "hello", "head": "reader:main", "base": "main"})).ok(201)
    await shop.quiet()

    assert await shop.checks(pull["head"]["sha"]) == {}
