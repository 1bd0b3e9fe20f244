"""`towpath discover`: what the warehouses hold now, and which freight that makes."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol, TextIO

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.cli.files import CLEAN, PROBLEMS, UNREADABLE
from bot.cli.pipeline import pipeline_of
from bot.core import freight as freight_data
from bot.core.config import PlugIns
from bot.core.discoveries import DiscoveryProblem, Finding
from bot.core.model import Artifact, Chart, Commit, Freight, FreightCreation, Image, Pipeline, Warehouse, WarehouseName

_WIDTH = 140  # of a table that goes to a file
_OTHERS = 5


class Found(Protocol):
    """What a warehouse holds, or why that is not known."""

    @property
    def warehouse(self) -> Warehouse: ...
    @property
    def freight(self) -> Freight | None: ...
    @property
    def problem(self) -> DiscoveryProblem | None: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...


Ask = Callable[[Pipeline, Callable[[WarehouseName], None]], Awaitable[Mapping[WarehouseName, Found]]]


def discover(path: Path, only: str, as_json: bool, plugins: PlugIns, ask: Ask, out: TextIO, err: TextIO) -> int:
    """Ask the warehouses of a `.promotion.yaml`, or that of a directory, or `only` the one of that name.

    Returns the exit status: 0 when all found something, 1 when one found nothing or could not be asked, 2 when the
    configuration can't be read or has errors (which go to `err`).
    """
    pipeline = pipeline_of("discover", path, plugins, err)
    if isinstance(pipeline, int):
        return pipeline
    warehouses = {name: one for name, one in pipeline.warehouses.items() if only in {"", name}}
    if not warehouses:
        known = ", ".join(pipeline.warehouses) or "none at all"
        print(f"towpath discover: there is no warehouse {only!r}; there is {known}", file=err)
        return UNREADABLE
    found = _asked(replace(pipeline, warehouses=warehouses), ask, err)
    if as_json:
        json.dump([as_data(found[name]) for name in warehouses], out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        _print([found[name] for name in warehouses], out)
    return CLEAN if all(_holds(one) for one in found.values()) else PROBLEMS


def _asked(pipeline: Pipeline, ask: Ask, err: TextIO) -> Mapping[WarehouseName, Found]:
    """The answers, with word of who is still awaited where somebody is watching."""
    waiting = dict.fromkeys(pipeline.warehouses)
    with Console(file=err).status(_awaited(waiting)) as status:

        def told(name: WarehouseName) -> None:
            del waiting[name]
            if waiting:
                status.update(_awaited(waiting))

        async def run() -> Mapping[WarehouseName, Found]:
            return await ask(pipeline, told)

        return asyncio.run(run())


def _awaited(waiting: Mapping[WarehouseName, None]) -> Text:
    names = list(waiting)
    more = f" and {len(names) - _OTHERS} more" if len(names) > _OTHERS else ""
    return Text(f"asking {', '.join(names[:_OTHERS])}{more}")


def _holds(found: Found) -> bool:
    """Whether every subscription found something; criteria that are not met are no fault of theirs."""
    broken = found.problem is not None and found.problem.is_fault
    return not broken and bool(found.findings) and all(finding.artifacts for finding in found.findings)


# --- JSON ----------------------------------------------------------------------------------------------


def as_data(found: Found) -> dict[str, Any]:
    """One warehouse: the newest artifact of each subscription, and the freight they make, if they do.

    `problem` is there when something keeps them from it, and says what.
    """
    artifacts = [_artifact(finding, *dated[0]) for finding in found.findings if (dated := finding.dated())]
    freight = {"id": found.freight.id, "alias": found.freight.alias} if found.freight else None
    data: dict[str, Any] = {"warehouse": found.warehouse.name, "artifacts": artifacts, "freight": freight}
    if found.problem is not None:
        data["problem"] = found.problem.text
    return data


def _artifact(finding: Finding, artifact: Artifact, created: datetime | None) -> dict[str, Any]:
    chart_name = artifact.name if isinstance(artifact, Chart) else ""
    data: dict[str, Any] = {
        "kind": finding.subscription.kind,
        "repoURL": artifact.repo_url,
        "name": chart_name or freight_data.names_of(artifact)[0],
        "tag": None if isinstance(artifact, Chart) else artifact.tag or None,
        "version": freight_data.version(artifact),
        "digest": artifact.digest if isinstance(artifact, Image) else None,
        "commit": artifact.id if isinstance(artifact, Commit) else None,
        "createdAt": created.isoformat() if created else None,
    }
    if artifact.subscription_name:
        data["subscriptionName"] = artifact.subscription_name
    if isinstance(artifact, Commit):
        data |= {"branch": artifact.branch or None, "message": artifact.message, "author": artifact.author}
    data["others"] = [freight_data.version(other) for other in finding.artifacts[1:]]
    return data


# --- text ----------------------------------------------------------------------------------------------


def _print(found: list[Found], out: TextIO) -> None:
    terminal = Console(file=out, highlight=False)
    console = terminal if terminal.is_terminal else Console(file=out, width=_WIDTH, highlight=False)
    for place, one in enumerate(found):
        if place:
            console.print()
        console.print(_heading(one))
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for heading in ("", "kind", "repository", "newest", "made", "also there"):
            table.add_column(heading, overflow="fold")
        for finding in one.findings:
            table.add_row("", *map(_plain, _row(finding)))
        if one.findings:
            console.print(table)


def _heading(found: Found) -> Text:
    text = Text(found.warehouse.name, style="bold")
    if found.freight is not None:
        text.append(f"  makes freight {found.freight.alias} ({found.freight.id[:7]})", style="green")
    elif found.problem is not None:
        text.append_text(_plain(f"  {found.problem.text}", "red" if found.problem.is_fault else "yellow"))
    elif found.warehouse.creation_policy is FreightCreation.MANUAL:
        text.append("  its freight is made by hand", style="yellow")
    return text


def _row(finding: Finding) -> tuple[str, ...]:
    subscription = finding.subscription
    named = f"{subscription.name}: " if subscription.name else ""
    if finding.newest is None:
        return subscription.kind, f"{named}{subscription.config.get('repoURL', '')}", "nothing", "", ""
    newest, created = finding.dated()[0]
    chart = f" {newest.name}" if isinstance(newest, Chart) and newest.name else ""
    others = [freight_data.version(one) for one in finding.artifacts[1:]]
    more = f", {len(others) - _OTHERS} more" if len(others) > _OTHERS else ""
    return (
        subscription.kind,
        f"{named}{newest.repo_url}{chart}",
        _shown(newest),
        f"{created:%Y-%m-%d %H:%M}" if created else "",
        ", ".join(others[:_OTHERS]) + more,
    )


def _shown(artifact: Artifact) -> str:
    if isinstance(artifact, Image):
        return f"{artifact.tag} {artifact.digest[:19]}"
    if isinstance(artifact, Commit):
        return f"{artifact.tag} {artifact.id[:7]} {artifact.message}".strip()
    return artifact.version


def _plain(text: str, style: str = "") -> Text:
    """What others wrote, without what a terminal would act on."""
    return Text("".join(letter for letter in text if letter.isprintable()), style=style)
