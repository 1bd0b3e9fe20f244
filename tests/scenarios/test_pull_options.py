"""Who is asked to look, and who merges: options of a promotion's pull request, told as stories."""

from typing import Any

from tests.scenarios.scene import REPO, Scene

STAGE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    steps:
    - {uses: git-clone, config: {checkout: [{path: ./src}]}}
    - uses: yaml-update
      config:
        path: ./src/test.yaml
        updates: [{key: image.tag, value: "${{ imageFrom('ADDRESS/acme/service').Tag }}"}]
    - {uses: git-commit, config: {path: ./src, message: "Promote"}}
    - {uses: PUSH, config: {path: ./src, generateTargetBranch: true}}
"""


async def configured(shop: Scene, after: str, push: str = "git-push") -> None:
    """The stage with these steps after its push; version 1.0.0 is there to be promoted."""
    values = "image:\n  tag: none\n"
    text = STAGE.replace("PUSH", push) + after
    await shop.write({".promotion.yaml": text, "test.yaml": values}, message="by hand")
    await shop.publish("1.0.0")


async def approve(shop: Scene, login: str, number: int, event: str = "APPROVE") -> None:
    body = {"event": event, "body": "I have looked"}
    (await shop.who(login).post(f"{REPO}/pulls/{number}/reviews", body)).ok()
    await shop.quiet()


async def is_merged(shop: Scene, number: int) -> bool:
    return (await shop.who("owner").get(f"{REPO}/pulls/{number}/merge")).status == 204


async def ends_well(shop: Scene, number: int) -> None:
    """It is merged, and said to have arrived."""

    async def arrived() -> Any:
        return await is_merged(shop, number) and await shop.state(number) == {"verified"}

    await shop.comes_true("the merge", arrived)
    assert "tag: 1.0.0" in await shop.read("test.yaml")
    await shop.hears(number, "service 1.0.0")


async def test_people_are_asked_and_assigned_once_and_merge_when_it_is_ready(shop: Scene) -> None:
    await configured(
        shop,
        "    - uses: git-open-pr\n      config:\n        draft: true\n        labels: [needs-care]\n"
        "        reviewers: [writer, '@acme/maintainers']\n        assignees: [reader]\n"
        "    - {uses: git-wait-for-pr}\n",
    )
    pull = await shop.proposal("test")
    assert pull["draft"]
    assert [one["login"] for one in pull["requested_reviewers"]] == ["writer"]
    assert [one["slug"] for one in pull["requested_teams"]] == ["maintainers"]
    assert [one["login"] for one in pull["assignees"]] == ["reader"]
    assert "needs-care" in {one["name"] for one in pull["labels"]}
    assert not await is_merged(shop, pull["number"])


async def test_a_reviewer_who_may_not_look_is_named_on_the_commit(shop: Scene) -> None:
    await configured(shop, "    - {uses: git-open-pr, config: {reviewers: [nobody-here]}}\n")
    head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    check = await shop.check(head, "promotion/test")
    assert check["conclusion"] == "failure"
    assert "nobody-here" in check["output"]["summary"] + check["output"]["text"]


async def test_auto_merge_is_as_good_as_the_stages_own(shop: Scene) -> None:
    await configured(
        shop,
        "    - {uses: git-open-pr, config: {autoMerge: '${{ ctx.stage == \"test\" }}', mergeMethod: squash}}\n"
        "    - {uses: git-wait-for-pr}\n",
    )
    pull = await shop.landed("test")
    await ends_well(shop, pull["number"])
    commit = (await shop.who("owner").get(f"{REPO}/commits/{pull['merge_commit_sha']}")).ok()
    assert len(commit["parents"]) == 1


async def test_a_step_has_it_merged_by_its_method(shop: Scene) -> None:
    await configured(
        shop,
        "    - {uses: git-open-pr}\n    - {uses: git-merge-pr, config: {mergeMethod: rebase}}\n"
        "    - {uses: git-wait-for-pr}\n",
    )
    pull = await shop.landed("test")
    await ends_well(shop, pull["number"])
    commit = (await shop.who("owner").get(f"{REPO}/commits/{pull['merge_commit_sha']}")).ok()
    assert len(commit["parents"]) == 1


async def test_a_step_that_may_not_come_to_its_turn_merges_nothing(shop: Scene) -> None:
    await configured(
        shop, "    - {uses: git-open-pr}\n    - {uses: git-merge-pr, if: \"${{ ctx.stage == 'prod' }}\"}\n"
    )
    assert not await is_merged(shop, (await shop.proposal("test"))["number"])


async def test_a_step_waits_for_what_the_branch_asks_for(shop: Scene) -> None:
    rules = {
        "required_status_checks": {"strict": False, "contexts": ["ci"]},
        "enforce_admins": False,
        "required_pull_request_reviews": None,
        "restrictions": None,
    }
    (await shop.who("owner").put(f"{REPO}/branches/main/protection", rules)).ok()
    await configured(shop, "    - {uses: git-open-pr}\n    - {uses: git-merge-pr, config: {wait: false}}\n")
    pull = await shop.proposal("test")
    assert not await is_merged(shop, pull["number"])
    state = {"state": "success", "context": "ci"}
    (await shop.who("writer").post(f"{REPO}/statuses/{pull['head']['sha']}", state)).ok(201)
    await ends_well(shop, pull["number"])


async def test_approval_comes_before_the_merge_and_is_of_what_is_proposed_now(shop: Scene) -> None:
    await configured(
        shop,
        "    - {uses: git-open-pr}\n    - {uses: wait-for-approval, config: {approvers: ['@acme/maintainers']}}\n"
        "    - {uses: git-merge-pr}\n",
    )
    number = (await shop.proposal("test"))["number"]
    await approve(shop, "writer", number)
    assert not await is_merged(shop, number)  # not one of the approvers
    await approve(shop, "maintainer", number, "REQUEST_CHANGES")
    assert not await is_merged(shop, number)
    await approve(shop, "maintainer", number)
    await ends_well(shop, number)


async def test_an_approval_of_older_content_does_not_count(shop: Scene) -> None:
    await configured(
        shop,
        "    - {uses: git-open-pr}\n    - {uses: wait-for-approval, config: {minApprovals: 2}}\n"
        "    - {uses: git-merge-pr}\n",
    )
    number = (await shop.proposal("test"))["number"]
    await approve(shop, "maintainer", number)
    await shop.write({"test.yaml": "image:\n  tag: none\nreplicas: 3\n"}, message="what is rendered has changed")
    await shop.quiet()
    await approve(shop, "owner", number)
    assert not await is_merged(shop, number)
    await approve(shop, "maintainer", number)
    await ends_well(shop, number)
    assert "replicas: 3" in await shop.read("test.yaml")


async def test_a_stage_that_merges_by_itself_waits_for_its_approval_too(shop: Scene) -> None:
    text = STAGE.replace("PUSH", "git-push").replace("    auto: true\n", "    auto: true\n    merge: auto\n")
    after = "    - {uses: git-open-pr}\n    - {uses: wait-for-approval}\n    - {uses: git-wait-for-pr}\n"
    await shop.write({".promotion.yaml": text + after, "test.yaml": "image:\n  tag: none\n"}, message="by hand")
    await shop.publish("1.0.0")
    number = (await shop.proposal("test"))["number"]
    assert not await is_merged(shop, number)
    await approve(shop, "maintainer", number)
    await ends_well(shop, number)


async def test_what_github_commits_for_us_is_verified_and_promoted_like_any_other(shop: Scene) -> None:
    await configured(
        shop, "    - {uses: git-open-pr}\n    - {uses: git-merge-pr, config: {mergeMethod: merge}}\n", "github-push"
    )
    pull = await shop.landed("test")
    await ends_well(shop, pull["number"])
    (commit,) = (await shop.who("owner").get(f"{REPO}/pulls/{pull['number']}/commits")).ok()
    assert commit["commit"]["verification"]["verified"]
    assert commit["author"]["login"] == "towpath[bot]"
    assert (await shop.who("owner").get(f"{REPO}/git/matching-refs/towpath")).ok() == []


async def test_where_the_branch_has_a_merge_queue_it_is_entered_once_and_waited_for(shop: Scene) -> None:
    control = f"{shop.github.sandbox.url}/sandbox/merge_queue"
    (await shop.who("owner").call("POST", control, {"repository": "acme/shop", "branch": "main"})).ok()
    await configured(shop, "    - {uses: git-open-pr}\n    - {uses: git-merge-pr}\n")
    number = (await shop.proposal("test"))["number"]
    assert not await is_merged(shop, number)
    await approve(shop, "writer", number)  # one more look: it is there already
    assert not await is_merged(shop, number)

    assert (await shop.who("owner").call("POST", f"{control}/run")).ok() == {"merged": 1}

    await ends_well(shop, number)
