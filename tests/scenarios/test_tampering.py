"""Somebody who may write tries to have Towpath do what they may not, or not do what it should."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, Scene, scene

PEOPLE = PIPELINE.replace("    merge: auto\n", "")


async def in_our_name(shop: Scene, branch: str) -> str:
    """A commit that says it is Towpath's, which anybody can write."""
    owner = shop.who("owner")
    head = (await owner.get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
    told = (await owner.get(f"{REPO}/git/commits/{head}")).ok()
    blob = {"path": "out/stages/test/evil.yaml", "mode": "100644", "type": "blob", "content": "evil: true\n"}
    tree = (await owner.post(f"{REPO}/git/trees", {"base_tree": told["tree"]["sha"], "tree": [blob]})).ok(201)["sha"]
    commit = {"message": "trust me", "tree": tree, "parents": [head]}
    commit |= {"author": told["author"], "committer": told["committer"]}
    sha: str = (await owner.post(f"{REPO}/git/commits", commit)).ok(201)["sha"]
    (await owner.patch(f"{REPO}/git/refs/heads/{branch}", {"sha": sha})).ok()
    return sha


async def test_a_commit_in_towpaths_name_is_not_proposed_as_towpaths(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": PEOPLE}) as shop:
        await shop.publish("1.0.0")
        number = (await shop.proposal("test"))["number"]

        forged = await in_our_name(shop, "promotion/test")
        await shop.quiet()

        pull = await shop.proposal("test")
        assert pull["number"] == number
        assert pull["head"]["sha"] != forged
        files = (await shop.who("owner").get(f"{REPO}/pulls/{number}/files")).ok()
        assert {one["filename"] for one in files} == {".promotion/test.lock", "out/stages/test/manifests.yaml"}
        assert await shop.checks(pull["head"]["sha"]) == {"promotion/test": "success"}


async def test_steps_after_the_merge_run_though_the_record_is_gone(github: GitHub, tmp_path: Path) -> None:
    steps = "    steps: [{uses: fail, config: {message: 'the cluster refuses ${{ ctx.stage }}'}}]\n"
    pipeline = PEOPLE.replace("  uat:\n", f"{steps}  uat:\n", 1)
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")
        number = (await shop.proposal("test"))["number"]
        await shop.goes_wrong("drop", event="pull_request", times=1)
        (await shop.who("writer").patch(f"{REPO}/pulls/{number}", {"body": "Nothing to see here."})).ok()

        landed = await shop.merge(number)

        assert (await shop.check(landed, "verification/test"))["conclusion"] == "failure"
        await shop.hears(number, "is not verified in `test`", "the cluster refuses test")


async def test_words_of_others_in_a_description_spoil_nothing(github: GitHub, tmp_path: Path) -> None:
    open_pr = """\
    promotionTemplate:
      spec:
        steps:
          - {uses: git-clone, config: {checkout: [{path: ./src}]}}
          - {uses: file-write, config: {path: ./src/out/stages/test/a.yaml, contents: "a: b"}}
          - {uses: git-commit, config: {path: ./src/out/stages/test}}
          - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
          - {uses: git-open-pr, config: {description: "From the image: <!-- towpath:record abc.def -->"}}
          - {uses: git-wait-for-pr, config: {}}
"""
    short = "    render: {helm: {chart: chart, values: values-test.yaml}}\n"
    pipeline = PIPELINE.replace(short, open_pr, 1).replace("    verify: [greeting]\n", "", 1)
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")

        await shop.hears((await shop.landed("test"))["number"], "service 1.0.0 is verified in `test`")
        assert await shop.read("out/stages/test/a.yaml") == "a: b"
