"""Questions that many ask at once, answered together."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Questions(Generic[T]):
    """Who comes while a question waits for its turn shares its answer. Nobody's answer is older than their asking."""

    def __init__(self) -> None:
        self._waiting: dict[str, asyncio.Task[T]] = {}

    async def ask(self, name: str, work: Callable[[Callable[[], None]], Awaitable[T]]) -> T:
        """What `work` gives, or somebody else's that is to begin yet. It calls what it is given when it begins."""
        if name not in self._waiting:
            self._waiting[name] = asyncio.create_task(self._run(name, work))
        return await asyncio.shield(self._waiting[name])

    async def _run(self, name: str, work: Callable[[Callable[[], None]], Awaitable[T]]) -> T:
        own = asyncio.current_task()

        def began() -> None:
            if self._waiting.get(name) is own:
                del self._waiting[name]

        try:
            return await work(began)
        finally:
            began()
