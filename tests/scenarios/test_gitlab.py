"""A stage whose manifests are on GitLab: proposed there, merged there, and known here."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from bot.sandbox.gitlab import GitLabSandbox, Role
from bot.sandbox.gitlab import start as start_gitlab
from bot.sandbox.gitlab.model import MergeRequest, Project
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import PIPELINE, REPO, Scene, scene

HEAD, _, REST = PIPELINE.partition("stages:\n")
# As Kargo's documentation writes it, but for the addresses.
STAGES = """\
stages:
  test:
    from: service
    auto: true
    promotionTemplate:
      spec:
        vars: [{name: repo, value: GITLAB/platform/apps.git}]
        steps:
          - uses: git-clone
            config: {repoURL: "${{ vars.repo }}", checkout: [{branch: main, path: ./apps}]}
          - uses: yaml-update
            config:
              path: ./apps/service.yaml
              updates: [{key: image.tag, value: '${{ imageFrom("ADDRESS/acme/service").Tag }}'}]
          - uses: git-commit
            as: commit
            config: {path: ./apps, message: "Update service"}
          - uses: git-push
            as: push
            config: {path: ./apps, generateTargetBranch: true, provider: gitlab}
          - uses: git-open-pr
            as: open
            config:
              repoURL: ${{ vars.repo }}
              provider: gitlab
              sourceBranch: ${{ outputs.push.branch }}
              targetBranch: main
              title: Deploy ${{ imageFrom("ADDRESS/acme/service").Tag }}
              labels: [deploy]
          ENDING
  uat: {from: test, steps: [{uses: compose-output, config: {of: '${{ outputs }}'}}]}
"""
WAITS = """\
- uses: git-wait-for-pr
            as: wait
            config: {repoURL: "${{ vars.repo }}", provider: gitlab, prNumber: "${{ outputs.open.pr.id }}"}
          - uses: set-metadata
            config:
              updates: [{kind: Stage, name: test, values: {landed: "${{ outputs.wait.commit }}"}}]
"""
MERGES = """\
- uses: git-merge-pr
            config: {repoURL: "${{ vars.repo }}", provider: gitlab, mergeMethod: squash}
"""
APPS = {"service.yaml": "# the service\nimage:\n  tag: none # replaced\n"}


@dataclass
class Elsewhere:
    """The scene, and the project on GitLab that its stage writes to."""

    shop: Scene
    gitlab: GitLabSandbox
    project: Project

    async def wake(self) -> None:
        """Something happens at home, so that Towpath looks."""
        (await self.shop.who("owner").post(f"{REPO}/dispatches", {"event_type": "look"})).ok(204)
        await self.shop.quiet()

    def request(self) -> MergeRequest:
        """The newest merge request."""
        return self.project.requests[-1]

    async def held(self, stage: str = "test") -> dict[str, object]:
        lock = yaml.safe_load(await self.shop.read(f".promotion/{stage}.lock", "promotion-stages"))
        return {"tag": lock["freight"][0]["images"][0]["tag"], **lock.get("metadata", {})}

    async def is_empty(self) -> bool:
        """Whether nothing has landed in any stage yet."""
        return (await self.shop.who("owner").get(f"{REPO}/git/ref/heads/promotion-stages")).status == 404


@asynccontextmanager
async def elsewhere(github: GitHub, folder: Path, ending: str = "", stages: str = STAGES) -> AsyncIterator[Elsewhere]:
    gitlab = await start_gitlab(folder / "gitlab")
    try:
        project = await gitlab.world.create_project(
            "platform/apps", APPS, {"towpath": Role.MAINTAINER, "maintainer": Role.MAINTAINER}
        )
        address = gitlab.url.removeprefix("http://")
        login = f"http://oauth2:{gitlab.world.token('towpath')}@{address}/platform"
        kept = {"SECRETS": json.dumps({"acme/shop": {"git": {".git-credentials": f"# for GitLab\n{login}\n"}}})}
        pipeline = HEAD + stages.replace("GITLAB", gitlab.url).replace("ENDING", ending)
        async with scene(github, folder / "bot", {".promotion.yaml": pipeline}, **kept) as shop:
            yield Elsewhere(shop, gitlab, project)
    finally:
        await gitlab.close()


async def test_what_is_merged_there_is_in_the_stage_here(github: GitHub, tmp_path: Path) -> None:
    async with elsewhere(github, tmp_path, WAITS) as there:
        await there.shop.publish("1.0.0")

        request = there.request()
        assert (request.title, request.labels, request.target_branch) == ("Deploy 1.0.0", ["deploy"], "main")
        assert request.source_branch == "promotions/acme/shop/test"
        assert "brings into `test` freight" in request.description
        assert "tag" in request.description
        assert await there.is_empty()
        head = (await there.shop.who("owner").get(f"{REPO}/commits/main")).ok()["sha"]
        check = await there.shop.check(head, "promotion/test")
        assert check["status"] == "in_progress"
        assert "waits to be merged" in check["output"]["summary"]

        number = await there.shop.issue()
        await there.shop.say("writer", number, "/status")
        await there.shop.hears(number, "service 1.0.0 is on its way: ", "/merge\\_requests/1 waits to be merged")

        merged = await there.gitlab.world.merge_as("maintainer", there.project, request.iid)
        await there.wake()

        assert await there.held() == {"tag": "1.0.0", "landed": merged.merge_commit_sha}
        assert (await there.shop.check(head, "promotion/test"))["conclusion"] == "neutral"
        assert len(there.project.requests) == 1

        await there.shop.say("writer", number, "/promote uat")
        await there.shop.hears(number, "service 1.0.0 is pushed to `uat`")
        assert (await there.held("uat"))["tag"] == "1.0.0"


async def test_without_a_step_that_waits_it_is_waited_for_all_the_same(github: GitHub, tmp_path: Path) -> None:
    async with elsewhere(github, tmp_path) as there:
        await there.shop.publish("1.0.0")
        await there.wake()
        assert await there.is_empty()

        await there.gitlab.world.merge_as("maintainer", there.project, 1)
        await there.wake()

        assert await there.held() == {"tag": "1.0.0"}


async def test_newer_freight_takes_the_place_of_what_is_proposed(github: GitHub, tmp_path: Path) -> None:
    async with elsewhere(github, tmp_path, WAITS) as there:
        await there.shop.publish("1.0.0")
        await there.shop.publish("1.1.0")

        (request,) = there.project.requests
        assert request.title == "Deploy 1.1.0"
        await there.gitlab.world.merge_as("maintainer", there.project, 1)
        await there.wake()
        assert (await there.held())["tag"] == "1.1.0"
        landed = await there.project.git.run("show", "main:service.yaml")
        assert landed == "# the service\nimage:\n  tag: 1.1.0 # replaced"


@pytest.mark.parametrize("ending", [MERGES, "AUTOMERGE"])
async def test_it_is_merged_once_nothing_is_in_the_way(github: GitHub, tmp_path: Path, ending: str) -> None:
    auto = "labels: [deploy]\n              autoMerge: true\n              mergeMethod: squash"
    stages = STAGES.replace("labels: [deploy]", auto) if ending == "AUTOMERGE" else STAGES
    async with elsewhere(github, tmp_path, ending.removeprefix("AUTOMERGE"), stages) as there:
        there.project.only_allow_merge_if_pipeline_succeeds = True
        await there.shop.publish("1.0.0")
        request = there.request()
        assert request.sha is not None
        there.project.pipelines[request.sha] = "running"
        await there.wake()
        assert await there.is_empty()

        there.project.pipelines[request.sha] = "success"
        await there.wake()

        assert (await there.held())["tag"] == "1.0.0"
        assert request.squash_commit_sha is not None


async def test_one_that_is_closed_fails_and_is_opened_anew_when_asked_for(github: GitHub, tmp_path: Path) -> None:
    async with elsewhere(github, tmp_path, WAITS) as there:
        await there.shop.publish("1.0.0")
        await there.gitlab.world.close(there.project, 1)
        await there.wake()
        await there.wake()

        head = (await there.shop.who("owner").get(f"{REPO}/commits/main")).ok()["sha"]
        check = await there.shop.check(head, "promotion/test")
        assert check["conclusion"] == "failure"
        assert "was closed without being merged" in check["output"]["summary"]
        assert len(there.project.requests) == 1

        number = await there.shop.issue()
        await there.shop.say("writer", number, "/promote test")
        await there.shop.hears(number, "on its way into `test`")
        assert len(there.project.requests) == 2
        await there.gitlab.world.merge_as("maintainer", there.project, 2)
        await there.wake()
        assert (await there.held())["tag"] == "1.0.0"


async def test_while_gitlab_is_away_it_is_tried_again_and_other_stages_go_on(github: GitHub, tmp_path: Path) -> None:
    told = "  told: {from: service, auto: true, steps: [{uses: compose-output, config: {a: b}}]}\n"
    async with elsewhere(github, tmp_path, WAITS, STAGES + told) as there:
        there.gitlab.faults.fail(503, times=1000)
        await there.shop.publish("1.0.0")
        assert (await there.held("told"))["tag"] == "1.0.0"
        assert not there.project.requests

        there.gitlab.faults.pending.clear()
        await there.wake()
        assert there.request().title == "Deploy 1.0.0"


async def test_the_token_is_shown_nowhere(github: GitHub, tmp_path: Path) -> None:
    async with elsewhere(github, tmp_path, WAITS) as there:
        (token,) = [text for text, held in there.gitlab.world.tokens.items() if held.user.username == "towpath"]
        await there.shop.publish("1.0.0")
        steps = await there.shop.read("test.md", "promotion-steps")
        there.gitlab.world.revoke(token)
        await there.wake()

        head = (await there.shop.who("owner").get(f"{REPO}/commits/main")).ok()["sha"]
        check = await there.shop.check(head, "promotion/test")
        assert check["conclusion"] == "failure"
        assert token not in steps + json.dumps(check) + there.request().description
