"""What is said of warehouses: why one makes no new freight, and what it put together for somebody."""

from collections.abc import Sequence

from bot.core import freight as freight_data
from bot.core.facts import CheckRun, CheckStatus, Conclusion
from bot.core.messages.markdown import code, plain, prose, table
from bot.core.model import CommitSha, Freight
from bot.core.snapshot import WAREHOUSES_CHECK, Snapshot


def warehouses_check(snapshot: Snapshot) -> CheckRun:
    """Failure when a warehouse could not be asked; neutral when there is just nothing to be had."""
    problems = snapshot.discovery_problems
    faults = [name for name, problem in problems.items() if problem.is_fault]
    named = faults or list(problems)
    which = f"Warehouse {named[0]}" if len(named) == 1 else f"{len(named)} warehouses"
    title = f"{which} can't make freight" if faults else f"No new freight of {which[:1].lower()}{which[1:]}"
    rows = [
        ("⛔" if problem.is_fault else "💤", code(name), prose(problem.text))
        for name, problem in sorted(problems.items())
    ]
    summary = (
        "These warehouses make no new freight at present. What was found before stays, and everything else goes on; "
        "they are asked again at their intervals.\n\n" + table(("", "warehouse", "why"), rows)
    )
    return CheckRun(
        name=WAREHOUSES_CHECK,
        head_sha=snapshot.head,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.FAILURE if faults else Conclusion.NEUTRAL,
        external_id="warehouses",
        title=title[:255],
        summary=summary,
    )


def warehouses_well_check(sha: CommitSha) -> CheckRun:
    return CheckRun(
        name=WAREHOUSES_CHECK,
        head_sha=sha,
        status=CheckStatus.COMPLETED,
        conclusion=Conclusion.SUCCESS,
        external_id="warehouses",
        title="Every warehouse makes freight again",
        summary="What was said here is over.",
    )


def came_along(freight: Freight, words: Sequence[str]) -> str:
    """A sentence on the artifacts that nobody named by `name=version`; nothing where all were named, or none was."""
    named = {word.partition("=")[0].lower() for word in words if "=" in word}
    others = [one for one in freight.artifacts if not named & {name.lower() for name in freight_data.names_of(one)}]
    if not named or not others:
        return ""
    along = " and ".join(plain(freight_data.named(freight, one)) for one in others)
    return f" It was put together for you: of what you did not name it has the newest, {along}."
