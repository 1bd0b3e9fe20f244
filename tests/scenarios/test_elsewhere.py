"""Stages that bring nothing into the pipeline's own repository: what is in them is still known, and still gated."""

import re
from pathlib import Path

import yaml

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, Scene, scene

HEAD, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = """\
verifications:
  passes:
    metrics:
      - name: up
        provider: {web: {url: "http://ADDRESS/sandbox/health"}}
        successCondition: "true"
"""
ONLY_TOLD = """\
stages:
  test:
    from: service
    auto: true
    steps:
      - uses: set-metadata
        config: {updates: [{kind: Stage, name: test, values: {by: towpath}}]}
      - uses: compose-output
        as: told
        config: {tag: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}
  uat: {from: test, steps: [{uses: compose-output, config: {a: b}}]}
"""
BRANCH = "promotion-stages"


async def kept(shop: Scene, stage: str) -> str:
    """The version a stage holds, as the lock says that Towpath keeps itself."""
    lock = yaml.safe_load(await shop.read(f".promotion/{stage}.lock", BRANCH))
    tag: str = lock["freight"][0]["images"][0]["tag"]
    return tag


async def tip(shop: Scene, branch: str = BRANCH) -> str:
    sha: str = (await shop.who("owner").get(f"{REPO}/git/ref/heads/{branch}")).ok()["object"]["sha"]
    return sha


async def test_steps_that_touch_no_repository_make_a_promotion_all_the_same(github: GitHub, tmp_path: Path) -> None:
    pipeline = HEAD + ONLY_TOLD
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")

        assert await kept(shop, "test") == "1.0.0"
        first = await tip(shop)
        assert await shop.checks(first) == {"verification/test": "success"}
        assert not await shop.pulls("test")

        number = await shop.issue()
        await shop.say("writer", number, "/promote uat")
        await shop.hears(number, "service 1.0.0 is pushed to `uat`")
        assert await kept(shop, "uat") == "1.0.0"

        await shop.publish("1.1.0")
        assert await kept(shop, "test") == "1.1.0"
        assert await kept(shop, "uat") == "1.0.0"


async def test_a_lock_put_back_counts_for_nothing(github: GitHub, tmp_path: Path) -> None:
    """Else whoever may write could have freight verified that is not there any more."""
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": HEAD + ONLY_TOLD}) as shop:
        await shop.publish("1.0.0")
        before = await shop.read(".promotion/test.lock", BRANCH)
        await shop.publish("1.1.0")

        await shop.write({".promotion/test.lock": before}, message="revert", branch=BRANCH)
        await shop.quiet()

        number = await shop.issue()
        await shop.say("writer", number, "/status")
        await shop.hears(number, "| `test` | service 1.1.0 |")
        assert await shop.checks(await tip(shop)) == {}

        await shop.say("writer", number, "/rollback test 1.0.0")
        await shop.hears(number, "service 1.0.0 is pushed to `test`")
        assert await kept(shop, "test") == "1.0.0"


async def test_a_lock_somebody_else_writes_counts_for_nothing(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": HEAD + ONLY_TOLD}) as shop:
        await shop.publish("1.0.0")
        genuine = await shop.read(".promotion/test.lock", BRANCH)

        forged = genuine.replace("stage: test", "stage: uat")
        forged = re.sub(r"promotion: test", "promotion: uat", forged)
        await shop.write({".promotion/uat.lock": forged}, branch=BRANCH)
        await shop.quiet()

        number = await shop.issue()
        await shop.say("writer", number, "/status")
        said = await shop.hears(number, "`uat`", "is not signed with the App's private key of now")
        assert "`test` | service 1.0.0" in said


APPS = "/repos/acme/apps"
OTHER = """\
stages:
  test:
    from: service
    auto: true
    steps:
      - uses: git-clone
        config: {checkout: [{path: ./shop}]}
      - uses: git-clone
        config: {repoURL: "http://ADDRESS/acme/apps.git", checkout: [{path: ./apps}]}
      - uses: helm-template
        config:
          path: ./shop/chart
          releaseName: service
          outPath: ./apps/test/manifests.yaml
          setValues: [{key: image.tag, value: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}]
      - uses: git-commit
        config: {path: ./apps}
      - uses: git-push
        config: {path: ./apps, generateTargetBranch: true}
      - uses: git-open-pr
        config: {repoURL: "http://ADDRESS/acme/apps.git", reviewers: [maintainer]}
"""


async def test_sources_at_home_manifests_in_another_repository(github: GitHub, tmp_path: Path) -> None:
    await github.repo("apps")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": HEAD + OTHER}) as shop:
        await shop.publish("1.0.0")

        assert not await shop.pulls("test")
        (pull,) = (await shop.who("owner").get(f"{APPS}/pulls")).ok()
        assert pull["head"]["ref"] == "promotions/acme/shop/test"
        assert pull["user"]["login"] == "towpath[bot]"
        assert [one["login"] for one in pull["requested_reviewers"]] == ["maintainer"]
        assert "Deployment" in pull["body"]
        assert (await shop.who("owner").get(f"{REPO}/git/ref/heads/{BRANCH}")).status == 404

        await shop.publish("1.1.0")
        (pull,) = (await shop.who("owner").get(f"{APPS}/pulls?state=all")).ok()
        assert pull["title"] == "promote(test): service 1.1.0"

        ready = await github.mergeable(f"{APPS}/pulls/{pull['number']}")
        body = {"sha": ready["head"]["sha"], "merge_method": "squash"}
        (await shop.who("maintainer").put(f"{APPS}/pulls/{pull['number']}/merge", body)).ok()
        (await shop.who("owner").post(f"{REPO}/dispatches", {"event_type": "look"})).ok(204)
        await shop.quiet()
        assert await kept(shop, "test") == "1.1.0"


async def test_another_owners_repository_is_not_proposed_to(github: GitHub, tmp_path: Path) -> None:
    pipeline = HEAD + OTHER.replace(
        'repoURL: "http://ADDRESS/acme/apps.git", rev', 'repoURL: "http://ADDRESS/other/x", rev'
    )
    await github.repo("apps")
    async with scene(github, tmp_path / "bot", {**CHART, ".promotion.yaml": pipeline}) as shop:
        await shop.publish("1.0.0")
        check = await shop.check(await tip(shop, "main"), "promotion/test")
        assert check["conclusion"] == "failure"
        assert "git-push" in check["output"]["summary"]  # nothing was pushed there
