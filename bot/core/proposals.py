"""What a change of the configuration would do to the pipeline: told in the pull request that makes it."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.facts import CheckRun, PullRequest
from bot.core.model import Pipeline, Problem, Severity, Stage, StageName


@dataclass(frozen=True, slots=True)
class ConfigChange:
    """Somebody's open pull request that touches the configuration. `pipeline` is what it would say, if anything.

    It is read to be judged, never to be obeyed: what holds is the default branch's (DESIGN §3, invariant 8).
    """

    pull: PullRequest
    pipeline: Pipeline | None
    problems: tuple[Problem, ...]
    check: CheckRun | None = None

    @property
    def errors(self) -> tuple[Problem, ...]:
        return tuple(p for p in self.problems if p.severity is Severity.ERROR)


@dataclass(frozen=True, slots=True)
class Difference:
    """Stages added, removed, fed by others than before (name, before, after), and otherwise changed."""

    added: tuple[StageName, ...] = ()
    removed: tuple[StageName, ...] = ()
    rewired: tuple[tuple[StageName, tuple[str, ...], tuple[str, ...]], ...] = ()
    changed: tuple[tuple[StageName, tuple[str, ...]], ...] = ()
    warehouses: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.rewired or self.changed or self.warehouses)


def difference(before: Pipeline | None, after: Pipeline) -> Difference:
    """What merging would change. Without a pipeline before, everything is new."""
    old = dict(before.stages) if before else {}
    both = [(old[name], stage) for name, stage in after.stages.items() if name in old]
    return Difference(
        added=tuple(name for name in after.stages if name not in old),
        removed=tuple(name for name in old if name not in after.stages),
        rewired=tuple((b.name, _sources(a), _sources(b)) for a, b in both if a.requests != b.requests),
        changed=tuple((b.name, words) for a, b in both if (words := tuple(_changes(a, b)))),
        warehouses=tuple(_warehouses(before, after)),
    )


def _sources(stage: Stage) -> tuple[str, ...]:
    """Where a stage takes freight from, in words that fit a table."""
    found = []
    for request in stage.requests:
        soak = f" after {request.required_soak}" if request.required_soak else ""
        if request.direct:
            found.append(f"warehouse {request.origin}")
        joined = f" {'and' if request.availability == 'All' else 'or'} ".join(request.stages)
        if joined:
            found.append(f"{joined}{soak}")
    return tuple(found)


def _changes(before: Stage, after: Stage) -> Iterable[str]:
    if before.template != after.template or before.vars != after.vars:
        yield "promotion steps"
    if before.verification != after.verification:
        yield "verification"
    if before.auto != after.auto:
        yield "promotes by itself" if after.auto else "no longer promotes by itself"
    if before.merge != after.merge or before.merge_method != after.merge_method:
        yield f"merged by {'Towpath' if after.merge == 'auto' else 'people'} ({after.merge_method})"
    if before.allow != after.allow:
        yield "who may promote"
    if before.target_branch != after.target_branch:
        yield f"lives on {after.target_branch or 'the default branch'}"


def _warehouses(before: Pipeline | None, after: Pipeline) -> Iterable[str]:
    old = before.warehouses if before else {}
    for name in {**old, **after.warehouses}:
        if name not in old:
            yield f"`{name}` is new"
        elif name not in after.warehouses:
            yield f"`{name}` is gone"
        elif old[name] != after.warehouses[name]:
            yield f"`{name}` changes"
