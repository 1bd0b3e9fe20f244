"""The steps of a stage written for Kargo 1.0, spellings of that time included, one after the other."""

import yaml

from bot.contracts.steps import StepStatus

# What such a stage's template says, but for its names: only ./src is checked out, and ./out/stages/uat lies beside it.
STEPS = """
- uses: git-clone
  config:
    repoURL: REPOSITORY
    checkout:
    - branch: main
      path: ./src
- uses: git-clear
  config:
    path: ./out/stages/uat
- uses: helm-update-image
  as: update-image
  config:
    path: ./src/chart/values-uat.yaml
    images:
    - image: registry.example.com/service
      key: image.tag
      value: Tag
- uses: helm-template
  config:
    releaseName: service
    path: ./src/chart
    valuesFiles:
      - ./src/chart/values-uat.yaml
    outPath: ./out/stages/uat/manifests.yaml
- uses: git-commit
  as: commit
  config:
    path: ./out/stages/uat
    messageFromSteps:
    - update-image
- uses: git-push
  as: push
  config:
    path: ./out/stages/uat
    generateTargetBranch: true
- uses: git-open-pr
  as: open-pr
  config:
    repoURL: REPOSITORY
    sourceBranchFromStep: push
    targetBranch: main
- uses: git-wait-for-pr
  as: wait-pr
  config:
    repoURL: REPOSITORY
    provider: gitlab
    prNumberFromStep: open-pr
"""


async def test_it_ends_in_a_pull_request_with_the_rendered_manifests_and_the_lock(run, remote):
    results = {}
    for step in yaml.safe_load(STEPS.replace("REPOSITORY", remote.url)):
        results[step.get("as", step["uses"])] = await run(step["uses"], step["config"], alias=step.get("as", ""))

    statuses = [result.status for result in results.values()]
    assert statuses == [StepStatus.SUCCEEDED] * 7 + [StepStatus.RUNNING]
    pull = run.github.pulls[1]
    assert (pull.head_branch, pull.base_branch) == ("promotion/uat", "main")
    changed = remote.git("diff", "--name-status", "main", "promotion/uat", bare=True).splitlines()
    assert changed == ["A\t.promotion/uat.lock", "A\tout/stages/uat/manifests.yaml", "D\tout/stages/uat/old.yaml"]
    assert "image: registry.example.com/service:1.0.0" in remote.read("promotion/uat", "out/stages/uat/manifests.yaml")
    message = remote.git("log", "-1", "--format=%B", "promotion/uat", bare=True)
    assert message.startswith(
        "Updated ./src/chart/values-uat.yaml to use new image\n\n- registry.example.com/service:1.0.0\n\nPromoted-By:"
    )
    assert results["commit"].output["commit"] == results["push"].output["commit"] == remote.at("promotion/uat")


async def test_newer_freight_takes_its_place_on_the_same_branch(run, remote):
    steps = yaml.safe_load(STEPS.replace("REPOSITORY", remote.url))
    for step in steps:
        await run(step["uses"], step["config"], alias=step.get("as", ""))
    again = run.fresh("again")
    again.promoting(branch_head=remote.at("promotion/uat"), lock_text=lambda paths: f"newer {sorted(paths)}\n")
    for step in steps:
        await again(step["uses"], step["config"], alias=step.get("as", ""))

    assert list(run.github.pulls) == [1]
    assert remote.at("promotion/uat~1") == remote.at("main")
    assert remote.read("promotion/uat", ".promotion/uat.lock") == "newer ['out/stages/uat']"
