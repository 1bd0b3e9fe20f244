"""Renders what the next steps will want, while an earlier one is still at it: so that every core has something to do.

The steps themselves run in their order, as ever; they only find in the cache what was rendered meanwhile. What is kept
there follows from its input, so a guess that turns out wrong costs time and changes nothing. A step that is done at
once, having found its work in the cache, is not worth looking past.
"""

import asyncio
import logging
import os
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import takewhile
from typing import Any

from bot.contracts import Step, StepContext
from bot.contracts.steps import Prepares
from bot.core.model import StepSpec
from bot.errors import Retry, UserError
from bot.expressions import ExpressionError

log = logging.getLogger(__name__)

Configure = Callable[[StepSpec], Mapping[str, Any]]
Look = Callable[[Sequence[StepSpec]], None]

_AT_ONCE = 0.01  # seconds: more than it takes to find something in the cache, less than any program takes to start


@asynccontextmanager
async def looking_ahead(
    context: StepContext, plugins: Mapping[str, Step], configure: Configure, *, patience: float = _AT_ONCE
) -> AsyncIterator[Look]:
    """Gives a function to be called before each step with the steps from there on.

    `configure` evaluates a step's configuration as it is now. Nothing begins before a step has taken `patience`, in
    seconds. Whatever still runs at the end is cancelled.
    """
    begun: dict[str, asyncio.Task[None]] = {}
    loop, waiting = asyncio.get_running_loop(), list[asyncio.TimerHandle]()
    gate = asyncio.Semaphore(2 * len(os.sched_getaffinity(0)))  # to each core a program, and the next one's input

    async def prepare(step: StepSpec) -> None:
        async with gate:
            await _prepare(context, plugins[step.uses], step, configure)

    def begin(coming: Sequence[StepSpec]) -> None:
        row = list(takewhile(lambda step: _prepares(plugins, step), coming))
        for step in row[1:]:  # the first is running
            begun[step.alias] = asyncio.create_task(prepare(step))

    def look(coming: Sequence[StepSpec]) -> None:
        while waiting:
            waiting.pop().cancel()
        if coming and coming[0].alias not in begun:  # or else the rest of its row is, too
            waiting.append(loop.call_later(patience, begin, coming))

    try:
        yield look
    finally:
        look(())
        for task in begun.values():
            task.cancel()
        for ended in await asyncio.gather(*begun.values(), return_exceptions=True):
            if isinstance(ended, Exception):
                log.warning("rendering ahead", exc_info=ended)


def _prepares(plugins: Mapping[str, Step], step: StepSpec) -> bool:
    """Steps with a condition are left out: whether they run is not known yet."""
    return step.condition is None and isinstance(plugins.get(step.uses), Prepares)


async def _prepare(context: StepContext, plugin: Step, step: StepSpec, configure: Configure) -> None:
    assert isinstance(plugin, Prepares)  # noqa: S101 -- `_prepares` has seen to it
    try:
        await plugin.prepare(context, configure(step))
    except (UserError, ExpressionError, Retry):
        return  # the step will find the same, and say it
