"""Where a stage's lock is looked for: the branch of its own repository that its promotions land on."""

from typing import Any

import pytest

from bot.core.landing_branch import landing_branch, target_branch
from bot.core.model import PromotionTemplate, RepositoryName, Stage, StageName, StepSpec, Variable

HOME = "https://github.com/acme/shop.git"
APPS = "https://gitlab.example.com/acme/apps.git"


def clone(url: str, path: str, branch: str = "") -> StepSpec:
    checkout = {"path": path, **({"branch": branch} if branch else {})}
    return StepSpec("git-clone", f"clone-{path}", {"repoURL": url, "checkout": [checkout]})


def push(path: str, branch: str = "", **more: Any) -> StepSpec:
    return StepSpec("git-push", f"push-{path}", {"path": path, **({"targetBranch": branch} if branch else {}), **more})


def opens(url: str, branch: str = "") -> StepSpec:
    return StepSpec("git-open-pr", f"open-{url}", {"repoURL": url, **({"targetBranch": branch} if branch else {})})


@pytest.mark.parametrize(
    ("steps", "branch"),
    [
        ([clone(HOME, "./src"), push("./src", "env/uat")], "env/uat"),
        ([clone(HOME, "./src", "env/uat"), push("./src", generateTargetBranch=True), opens(HOME)], "env/uat"),
        ([clone(APPS, "./apps"), push("./apps", "release"), clone(HOME, "./src"), push("./src", "main")], "main"),
        ([clone(APPS, "./apps", "release"), push("./apps"), clone(HOME, "./src", "env"), push("./src")], "env"),
        ([clone(APPS, "./apps"), push("./apps"), opens(APPS, "release"), clone(HOME, "./src"), opens(HOME)], ""),
        ([clone("${{ vars.apps }}", "./apps"), push("./apps", "release"), clone(HOME, "./src"), push("./src")], ""),
        ([clone(APPS, "./apps"), push("./apps", "release")], ""),
        ([clone(HOME, "./src"), push("./src", "env/${{ ctx.stage }}")], "env/uat"),
    ],
)
def test_what_goes_elsewhere_says_nothing_of_it(steps: list[StepSpec], branch: str) -> None:
    template = PromotionTemplate(tuple(steps), (Variable("apps", APPS),))
    stage = Stage(StageName("uat"), (), template, target_branch=target_branch(steps))
    assert landing_branch(stage, RepositoryName("acme/shop"), HOME) == branch
