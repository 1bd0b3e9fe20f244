"""The check run on a pull request that touches the configuration: what is wrong with it, or what it would do."""

from collections.abc import Mapping

from bot.core import freight as freight_data
from bot.core.facts import Annotation, CheckRun, CheckStatus, Conclusion
from bot.core.messages.markdown import code, plain, table
from bot.core.model import Pipeline, Problem, Severity, StageName
from bot.core.proposals import ConfigChange, Difference, difference
from bot.core.snapshot import CONFIG_CHECK, StageFacts


def annotations(problems: tuple[Problem, ...]) -> tuple[Annotation, ...]:
    """Problems, as remarks beside the lines they are on."""
    level = {Severity.ERROR: "failure", Severity.WARNING: "warning"}
    return tuple(Annotation(p.file, p.line, p.column, level[p.severity], p.message, p.code) for p in problems)


def problem_table(problems: tuple[Problem, ...]) -> str:
    rows = [(f"{code(p.file)} {p.line}:{p.column}", p.severity.value, plain(p.message)) for p in problems]
    return table(("where", "kind", "what"), rows)


def config_change_check(
    change: ConfigChange, holds: Pipeline | None, stages: Mapping[StageName, StageFacts]
) -> CheckRun:
    """Failure with every problem on its line, or success with what merging would change."""
    count = len(change.errors)
    if change.pipeline is None or count:
        title = f"{count} {'problem' if count == 1 else 'problems'} in the configuration"
        conclusion, summary = Conclusion.FAILURE, problem_table(change.problems)
    else:
        seen = difference(holds, change.pipeline)
        conclusion, title, summary = Conclusion.SUCCESS, _title(seen), _summary(seen, change, stages)
    return CheckRun(
        name=CONFIG_CHECK,
        head_sha=change.pull.head_sha,
        status=CheckStatus.COMPLETED,
        conclusion=conclusion,
        external_id="config",
        title=title,
        summary=summary,
        annotations=annotations(change.problems),
    )


def _title(seen: Difference) -> str:
    words = [
        f"{len(names)} {word}"
        for names, word in (
            (seen.added, "added"),
            (seen.removed, "removed"),
            (seen.rewired, "rewired"),
            (seen.changed, "changed"),
        )
        if names
    ]
    return f"Valid; stages: {', '.join(words)}" if words else "Valid; the stages stay as they are"


def _summary(seen: Difference, change: ConfigChange, stages: Mapping[StageName, StageFacts]) -> str:
    rows = [(code(name), "added", _open(stages.get(name))) for name in seen.added]
    rows += [(code(name), "removed", _closing(stages.get(name))) for name in seen.removed]
    rows += [
        (code(name), f"takes freight from {_list(after)} instead of {_list(before)}", _open(stages.get(name)))
        for name, before, after in seen.rewired
    ]
    rows += [(code(name), plain(", ".join(words)), _open(stages.get(name))) for name, words in seen.changed]
    parts = []
    if rows:
        head = ("stage", "what changes", "open promotion")
        parts.append(f"Merging this changes the pipeline:\n\n{table(head, rows)}")
    else:
        parts.append("Merging this leaves every stage as it is.")
    if seen.warehouses:
        parts.append("Warehouses: " + "; ".join(seen.warehouses) + ".")
    if change.problems:
        parts.append("Warnings:\n\n" + problem_table(change.problems))
    return "\n\n".join(parts)


def _list(sources: tuple[str, ...]) -> str:
    return plain(", ".join(sources)) or "nowhere"


def _open(facts: StageFacts | None) -> str:
    proposal = facts.proposal if facts else None
    if proposal is None:
        return ""
    name = plain(freight_data.describe(proposal.freight)) if proposal.freight else "a promotion"
    return f"{name} in #{proposal.pull.number} is judged anew"


def _closing(facts: StageFacts | None) -> str:
    return f"#{facts.proposal.pull.number} is closed" if facts and facts.proposal else ""
