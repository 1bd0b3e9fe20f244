"""Where a template's steps bring a promotion: into the repository its pipeline lives in, or elsewhere.

What is pushed or proposed in the pipeline's own repository carries the stage's lock, and lands with it. Where all goes
elsewhere, or nowhere at all, Towpath keeps the lock itself once the steps have come to their end.
"""

import posixpath
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bot.core.model import StepSpec
from bot.core.urls import same_repository
from bot.expressions import ExpressionError

OPENS, WAITS, MERGES = "git-open-pr", "git-wait-for-pr", "git-merge-pr"
PUSHES = frozenset({"git-push", "github-push"})
_CLONES = "git-clone"

# Evaluates a value in a step's configuration. Raises ExpressionError, for one that no step has put out yet.
Evaluate = Callable[[StepSpec, Any], Any]


def openers(steps: Iterable[StepSpec], repository_url: str, evaluate: Evaluate) -> frozenset[str]:
    """Aliases of the steps that open a pull request in the pipeline's own repository."""
    return frozenset(
        step.alias
        for step in steps
        if step.uses == OPENS and _is_own(_value(step, "repoURL", evaluate), repository_url)
    )


def at_home(steps: Sequence[StepSpec], repository_url: str, evaluate: Evaluate) -> tuple[StepSpec, ...]:
    """The steps without those that push to other repositories, or propose there. What is not sure is at home."""
    own = openers(steps, repository_url, evaluate)
    checkouts: list[tuple[str, bool]] = []
    kept: list[StepSpec] = []
    for step in steps:
        if step.uses == _CLONES:
            cloned = _is_own(_value(step, "repoURL", evaluate), repository_url)
            checkouts += ((path, cloned) for path in _paths(step, evaluate))
        elsewhere = (step.uses == OPENS and step.alias not in own) or (
            step.uses in PUSHES and not _is_of_own(step, checkouts, evaluate)
        )
        if not elsewhere:
            kept.append(step)
    return tuple(kept)


def lands_here(steps: Sequence[StepSpec], repository_url: str, evaluate: Evaluate) -> bool:
    """Whether something is pushed to, or proposed in, the pipeline's own repository. Yes, where that is not sure."""
    return any(
        step.uses == OPENS or (step.uses in PUSHES and "tag" not in step.config)
        for step in at_home(steps, repository_url, evaluate)
    )


def waiting(steps: Sequence[StepSpec], repository_url: str, evaluate: Evaluate) -> tuple[StepSpec, ...]:
    """The steps, and with them what ends the pull requests that they open elsewhere: one that merges those with
    `autoMerge`, and at the end a wait for each that none of them waits for.

    A stage holds what was merged, not what was proposed; Kargo's steps say no more than that one was opened.
    """
    own = openers(steps, repository_url, evaluate)
    complete = list(steps)
    for opener in (step for step in steps if step.uses == OPENS and step.alias not in own):
        later = steps[steps.index(opener) + 1 :]
        if any(step.uses == MERGES for step in later):
            continue
        first = next((step for step in later if step.uses == WAITS), None)
        if _value(opener, "autoMerge", evaluate) in {"True", "true"}:
            complete.insert(complete.index(first) if first else len(complete), _merging(opener))
        elif first is None:
            complete.append(StepSpec(WAITS, f"{opener.alias}-merged", {"prNumberFromStep": opener.alias}))
    return tuple(complete)


def _merging(opener: StepSpec) -> StepSpec:
    config = {name: opener.config[name] for name in ("repoURL", "provider", "mergeMethod") if name in opener.config}
    return StepSpec(MERGES, f"{opener.alias}-merged", config, vars=opener.vars)


def _value(step: StepSpec, field: str, evaluate: Evaluate) -> str | None:
    """What a field says; None where that isn't known yet, or it is left out."""
    try:
        value = evaluate(step, step.config.get(field))
    except ExpressionError:
        return None
    return str(value) if value else None


def _is_own(url: str | None, repository_url: str) -> bool:
    return url is None or same_repository(url, repository_url)


def _paths(clone: StepSpec, evaluate: Evaluate) -> Iterator[str]:
    checkouts = clone.config.get("checkout")
    for each in checkouts if isinstance(checkouts, list | tuple) else ():
        try:
            path = evaluate(clone, each.get("path", ".")) if isinstance(each, dict) else "."
        except ExpressionError:
            path = "."
        yield posixpath.normpath(str(path))


def _is_of_own(push: StepSpec, checkouts: Sequence[tuple[str, bool]], evaluate: Evaluate) -> bool:
    """A path that lies in no checkout means the first one, as for the step itself."""
    if not checkouts:
        return True
    path = _value(push, "path", evaluate)
    if path is None:
        return any(own for _, own in checkouts)
    where = posixpath.normpath(path)
    holding = [(len(folder), own) for folder, own in checkouts if _contains(folder, where)]
    return max(holding)[1] if holding else checkouts[0][1]


def _contains(folder: str, path: str) -> bool:
    return folder in {".", path} or path.startswith(f"{folder}/")
