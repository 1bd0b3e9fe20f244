"""`python -m benchmarks [NAME...]`: runs the benchmarks, all or those named, and prints what they found."""

import json
import sys
from collections.abc import Sequence
from functools import partial

import click
from rich.console import Console
from rich.status import Status
from rich.table import Table
from rich.text import Text

from benchmarks import (
    bench_config,
    bench_expressions,
    bench_promotion,
    bench_registry,
    bench_rendering,
    bench_warehouses,
    yaml_update,
)
from benchmarks.figures import Benchmark, Figure, Unavailable

BENCHMARKS: tuple[Benchmark, ...] = (
    bench_expressions,
    bench_config,
    bench_promotion,
    bench_registry,
    bench_warehouses,
    bench_rendering,
    yaml_update,
)
_BY_NAME = {one.NAME: one for one in BENCHMARKS}
_WIDTH = 140  # of a table that goes to a file


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("names", metavar="[NAME]...", nargs=-1, type=click.Choice(list(_BY_NAME)))
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end, and nothing else.")
def main(names: Sequence[str], as_json: bool) -> None:
    """Measure Towpath against a peer or a floor in the same run. What counts is the ratio: less is better.

    Exit status 1 if a benchmark could not run; a missed aim is only marked.
    """
    aside = Console(stderr=True)
    results, missing = [], False
    for name in names or _BY_NAME:
        benchmark = _BY_NAME[name]
        figures: list[Figure] = []
        reason = ""
        try:
            with aside.status(name) as status:
                figures = list(benchmark.run(partial(_update, status, name)))
        except Unavailable as error:
            reason, missing = str(error), True
        if as_json:
            shown = [figure.as_json() for figure in figures]
            results.append({"name": name, "about": benchmark.ABOUT, "figures": shown, "unavailable": reason})
        else:
            _print(benchmark, figures, reason)
    if as_json:
        click.echo(json.dumps({"benchmarks": results}, indent=1))
    sys.exit(missing)


def _update(status: Status, name: str, text: str) -> None:
    status.update(f"{name}: {text}")


def _print(benchmark: Benchmark, figures: Sequence[Figure], reason: str) -> None:
    terminal = Console()
    out = terminal if terminal.is_terminal else Console(width=_WIDTH)
    out.print(Text(benchmark.NAME, style="bold"))
    out.print(Text(benchmark.ABOUT))
    if reason:
        out.print(Text(f"could not run: {reason}\n", style="red"))
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("", "Towpath", "against", "", "ratio", "aim"):
        table.add_column(heading, justify="right" if heading in {"Towpath", "ratio"} else "left")
    for figure in figures:
        peer = "" if figure.peer is None else f"{figure.peer:.4g} {figure.unit}"
        ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
        table.add_row(figure.what, f"{figure.value:.4g} {figure.unit}", figure.against, peer, ratio, _aim(figure))
    out.print(table)
    out.print()


def _aim(figure: Figure) -> Text:
    if figure.aim is None:
        return Text()
    met = figure.is_met
    return Text(f"at most {figure.aim:g}{'' if met else ', missed'}", style="green" if met else "red")


if __name__ == "__main__":
    main()
