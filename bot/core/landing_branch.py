"""The branch of the pipeline's repository that a stage's promotions land on, and its lock with them."""

import posixpath
import re
from collections.abc import Sequence
from typing import Any

from bot.core.destinations import at_home
from bot.core.model import RepositoryName, Stage, StepSpec
from bot.core.templates import render_stage_text, render_stage_value

_LONGEST = 1000  # beyond any name of a branch that Git takes
_VARIABLE = re.compile(r"\$\{\{\s*vars\.(\w+)\s*\}\}")


def landing_branch(stage: Stage, repository: RepositoryName, url: str) -> str:
    """As is known once it is known which repository is the pipeline's own; "" for the default branch.

    Raises UserError where it can't be evaluated.
    """

    def evaluate(step: StepSpec, value: Any) -> Any:
        return render_stage_value(value, repository, stage, step.vars)

    steps = stage.template.steps if stage.template else ()
    home = at_home(steps, url, evaluate)
    text = stage.target_branch if len(home) == len(steps) else target_branch(home)
    return render_stage_text(text, repository, stage)


def target_branch(steps: Sequence[StepSpec]) -> str:
    """Where promotions land: what the pull request goes to, else what is pushed to, else "" (the default branch)."""
    for uses in ("git-open-pr", "git-push"):
        for step in steps:
            branch = step.config.get("targetBranch")
            if step.uses == uses and isinstance(branch, str) and branch:
                return _with_own_variables(branch, step)
    proposed = any(step.uses == "git-open-pr" for step in steps)
    pushes = [step for step in steps if step.uses == "git-push"]
    straight = [step for step in pushes if proposed or not step.config.get("generateTargetBranch")]
    return next(filter(None, (_checked_out(step, steps) for step in straight)), "")


def _checked_out(push: StepSpec, steps: Sequence[StepSpec]) -> str:
    """Where a push and its pull request go that name no branch: that of the checkout the path is in, else the first."""
    where = posixpath.normpath(str(push.config.get("path", ".")))
    found: list[tuple[int, str]] = []
    for step in steps[: steps.index(push)]:
        checkouts = step.config.get("checkout", ()) if step.uses == "git-clone" else ()
        for each in checkouts if isinstance(checkouts, list | tuple) else ():
            path = posixpath.normpath(str(each.get("path", ".")))
            depth = len(path) if where == path or where.startswith(f"{path}/") else 0
            branch = each.get("branch")
            found.append((depth, _with_own_variables(branch, step) if isinstance(branch, str) else ""))
    return max(found, key=lambda each: each[0])[1] if found else ""


def _with_own_variables(text: str, step: StepSpec) -> str:
    """A text of a step that will be read without it: its own variables, a task's for instance, filled in."""
    values = {each.name: each.value for each in step.vars}

    def fill(found: re.Match[str]) -> str:
        value = values.get(found[1])
        return found[0] if value is None or isinstance(value, dict | list) else str(value)[:_LONGEST]

    for _ in step.vars:  # a variable may use another, and so grow without end
        if len(text) <= _LONGEST:
            text = _VARIABLE.sub(fill, text)
    return text
