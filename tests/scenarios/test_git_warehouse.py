"""A warehouse watches Git: tags of another repository of the organisation, or a branch. Freight is a commit."""

from pathlib import Path

import yaml

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import Scene, scene

LIBRARY = "/repos/acme/library"
TAGS = """\
warehouses:
  library:
    interval: 1h
    git: {repoURL: "http://ADDRESS/acme/library.git", commitSelectionStrategy: SemVer, semverConstraint: ^1.0.0}
"""
BRANCH = """\
warehouses:
  library: {interval: 1h, git: {repoURL: "http://ADDRESS/acme/library.git", branch: main}}
"""
STAGE = """\
stages:
  test:
    from: library
    auto: true
    merge: auto
    promotionTemplate:
      spec:
        vars: [{name: library, value: "http://ADDRESS/acme/library.git"}]
        steps:
          - uses: git-clone
            config: {checkout: [{path: ./src}]}
          - uses: git-clone
            config:
              repoURL: ${{ vars.library }}
              checkout: [{commit: "${{ commitFrom(vars.library).ID }}", path: ./library}]
          - uses: git-clear
            config: {path: ./src/out/stages/test}
          - uses: copy
            config: {inPath: ./library/rules.yaml, outPath: ./src/out/stages/test/rules.yaml}
          - uses: git-commit
            config: {path: ./src/out/stages/test}
          - uses: git-push
            config: {path: ./src, generateTargetBranch: true}
          - {uses: git-open-pr, config: {}}
          - {uses: git-wait-for-pr, config: {}}
"""


async def release(shop: Scene, rules: str, tag: str = "") -> str:
    """A commit to the library, tagged; whoever builds it tells the shop."""
    sha = await shop.github.file(LIBRARY, "rules.yaml", rules)
    if tag:
        ref = {"ref": f"refs/tags/{tag}", "sha": sha}
        (await shop.who("owner").post(f"{LIBRARY}/git/refs", ref)).ok(201)
    (await shop.who("owner").post("/repos/acme/shop/dispatches", {"event_type": "released"})).ok(204)
    await shop.quiet()
    return sha


async def held(shop: Scene) -> dict[str, str]:
    """The commit in test, as its lock has it."""
    (commit,) = yaml.safe_load(await shop.read(".promotion/test.lock"))["freight"][0]["commits"]
    return dict(commit)


async def test_a_tag_of_another_repository_is_freight(github: GitHub, tmp_path: Path) -> None:
    await github.repo("library")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": TAGS + STAGE}) as shop:
        assert not await shop.pulls("test")
        first = await release(shop, "strict: false\n", "v1.0.0")
        await shop.hears((await shop.landed("test"))["number"], "library v1.0.0 is verified in `test`")
        assert (await held(shop))["id"] == first

        await release(shop, "strict: untagged\n")
        assert len(await shop.pulls("test")) == 1
        second = await release(shop, "strict: true\n", "v1.1.0")

        await shop.hears((await shop.landed("test"))["number"], "library v1.1.0 is verified in `test`")
        assert await held(shop) == {**await held(shop), "id": second, "tag": "v1.1.0"}
        assert await shop.read("out/stages/test/rules.yaml") == "strict: true\n"


async def test_every_commit_of_a_branch_is_freight(github: GitHub, tmp_path: Path) -> None:
    await github.repo("library")
    await github.file(LIBRARY, "rules.yaml", "strict: false\n")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": BRANCH + STAGE}) as shop:
        await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")

        second = await release(shop, "strict: true\n")

        pull = await shop.landed("test")
        assert second[:7] in pull["title"]
        await shop.hears(pull["number"], f"library {second[:7]} is verified in `test`")
        assert await shop.read("out/stages/test/rules.yaml") == "strict: true\n"


async def test_where_nothing_moved_github_says_so_for_nothing(github: GitHub, tmp_path: Path) -> None:
    """The App is installed there: its API is asked with the ETag of the answer before."""
    await github.repo("library")
    await github.file(LIBRARY, "rules.yaml", "strict: false\n")
    async with scene(github, tmp_path / "bot", {".promotion.yaml": BRANCH + STAGE}) as shop:
        await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")
        before = len(github.sandbox.record.calls)

        for _ in range(3):
            (await shop.who("owner").post("/repos/acme/shop/dispatches", {"event_type": "released"})).ok(204)
            await shop.quiet()

        calls = list(github.sandbox.record.calls)[before:]
        asked = [one.status for one in calls if one.path == f"{LIBRARY}/git/ref/heads/main"]
        assert asked[-2:] == [304, 304]
        assert len(await shop.pulls("test")) == 1
        await release(shop, "strict: true\n")
        await shop.hears((await shop.landed("test"))["number"], "is verified in `test`")
