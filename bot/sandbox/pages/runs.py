"""Check runs on their own: where they are shown, and their buttons."""

from __future__ import annotations

from aiohttp import web

from bot.sandbox.checks import NoSuchAction
from bot.sandbox.checks import press as press_button
from bot.sandbox.model.checks import CheckRun
from bot.sandbox.pages.checks import RERUN
from bot.sandbox.pages.visit import Visit, checked_form, way_back
from bot.sandbox.rest.errors import forbidden, not_found


async def show(here: Visit) -> web.Response:
    """GET /OWNER/REPO/runs/ID: on the page of its commit."""
    run = _run(here)
    raise web.HTTPSeeOther(f"{here.base}/commit/{run.head_sha}#check-{run.id}")


async def press(here: Visit) -> web.Response:
    """POST /OWNER/REPO/runs/ID/press: one of the App's buttons, or (without a name) run again."""
    fields, run = await checked_form(here), _run(here)
    if here.account is None:
        raise forbidden("Nobody may press buttons.")
    if action := fields.get("action"):
        try:
            async with here.world.change():
                press_button(here.world, here.hooks, run, action, here.account)
        except NoSuchAction as error:
            raise not_found() from error
    else:
        await here.perform("POST", RERUN, {}, check_run_id=run.id)
    raise web.HTTPSeeOther(f"{way_back(fields)}#check-{run.id}")


def _run(here: Visit) -> CheckRun:
    number = here.request.match_info["number"]
    run = here.world.check_runs.get(int(number)) if len(number) < 16 else None
    if run is None or run.repo_id != here.repo.id:
        raise not_found()
    return run
