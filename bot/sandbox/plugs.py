"""What else is served beside GitHub's API and Git: one line each (buttons, registry, cluster, pages, merge queue)."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web

from bot.sandbox import buttons, cluster, oci, pages, queue
from bot.sandbox.hooks import Hooks
from bot.sandbox.world import World

Plug = Callable[[World, Hooks], Sequence[web.RouteDef]]

PLUGS: tuple[Plug, ...] = (buttons.plug, oci.plug, cluster.plug, pages.plug, queue.plug)
