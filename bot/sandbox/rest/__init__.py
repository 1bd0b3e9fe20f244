"""GitHub's REST API, one file per area.

To add an area:

1. Write `rest/AREA.py` with `ROUTES: tuple[Route, ...]`. Each `Route` has GitHub's own path template, so that
   the OpenAPI description can be consulted with it, a handler and what it `needs`:

       ROUTES = (Route("POST", "/repos/{owner}/{repo}/labels", create, writes("issues")),)

2. A handler is `async def create(call: Call) -> Reply`. When it runs, the caller is known and allowed,
   `{owner}/{repo}` has become `call.repo`, the body is a JSON object in `call.body`, and for every method but
   GET the world's one writer's lock is held: change tables freely; raising undoes it all. To refuse, raise what
   `rest/errors.py` offers, before changing Git. Lists go through `call.page(...)`.

3. Build JSON in `payloads/AREA.py`, complete by GitHub's schemas, for REST and webhooks alike. Tell of what
   happened with `hooks.emit(...)`: it adds repository, organization, installation and sender.

4. Add the module to `AREAS` in `rest/areas.py`.

5. Test in `tests/sandbox/rest/test_AREA.py` with the `github` fixture. Every exchange and webhook is checked
   against GitHub's description on the way; there is nothing to call.

State belongs into `bot/sandbox/model/`, as a frozen record with a line in `World.__init__`.
"""
