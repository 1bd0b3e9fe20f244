"""GitLab's REST API v4, as far as merge requests go.

GET  /api/v4/user                                   who the token is of
GET  /api/v4/users?username=
GET  /api/v4/projects/ID                            ID: a number, or the whole path with %2F
GET  /api/v4/projects/ID/merge_requests             ?state, source_branch, target_branch, page, per_page
POST /api/v4/projects/ID/merge_requests
GET  /api/v4/projects/ID/merge_requests/IID
PUT  /api/v4/projects/ID/merge_requests/IID
PUT  /api/v4/projects/ID/merge_requests/IID/merge
GET  /api/v4/projects/ID/merge_trains/merge_requests/IID
POST /api/v4/projects/ID/merge_trains/merge_requests/IID
"""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.sandbox.git import reading
from bot.sandbox.gitlab import merging, payloads
from bot.sandbox.gitlab.desk import Call, Faults, Problem, guarded
from bot.sandbox.gitlab.drafts import is_draft, quick_actions
from bot.sandbox.gitlab.model import MergeRequest, Project, Role, State, User
from bot.sandbox.gitlab.world import GitLab, Unknown

_REQUESTS = "/api/v4/projects/{id}/merge_requests"
_TRAINS = "/api/v4/projects/{id}/merge_trains/merge_requests/{iid}"
_TITLE_CHARACTERS = 255
_DESCRIPTION_CHARACTERS = 1_048_576


def routes(world: GitLab, faults: Faults) -> list[web.RouteDef]:
    """The addresses above."""
    table = (
        ("GET", "/api/v4/user", _me),
        ("GET", "/api/v4/users", _users),
        ("GET", "/api/v4/projects/{id}", _project),
        ("GET", _REQUESTS, _list),
        ("POST", _REQUESTS, _create),
        ("GET", f"{_REQUESTS}/{{iid}}", _get),
        ("PUT", f"{_REQUESTS}/{{iid}}", _update),
        ("PUT", f"{_REQUESTS}/{{iid}}/merge", _merge),
        ("GET", _TRAINS, _carriage),
        ("POST", _TRAINS, _board),
    )
    return [web.route(method, path, guarded(world, faults, handler)) for method, path, handler in table]


async def _me(call: Call) -> web.Response:
    return web.json_response(payloads.user(call.world, call.user))


async def _users(call: Call) -> web.Response:
    name = (call.user, str(call.given("username") or "").lower())[1]
    found = [one for one in call.world.users.values() if one.username.lower() == name]
    return call.listed([payloads.user(call.world, one) for one in found])


async def _project(call: Call) -> web.Response:
    return web.json_response(payloads.project(call.world, call.project()))


async def _list(call: Call) -> web.Response:
    project = _readable(call)
    for request in project.requests:
        await merging.refresh(request)
    state = call.given("state") or "all"
    found = [
        one
        for one in reversed(project.requests)
        if state in {"all", one.state.value}
        and (call.given("source_branch") or one.source_branch) == one.source_branch
        and (call.given("target_branch") or one.target_branch) == one.target_branch
    ]
    return call.listed([await payloads.merge_request(call.world, one) for one in found])


async def _get(call: Call) -> web.Response:
    request = _request(call, _readable(call))
    answer = await _shown(call, request)
    request.checks = max(0, request.checks - 1)
    return answer


async def _create(call: Call) -> web.Response:
    source, user = call.project(), call.user
    if call.world.role(source, user) < Role.DEVELOPER:
        raise Problem(403, "403 Forbidden")
    title, branch, target = (call.wanted(name) for name in ("title", "source_branch", "target_branch"))
    number = call.given("target_project_id")
    project = call.world.project(str(number)) if number else source
    if project is source and branch == target:
        raise Problem(409, {"message": ["You can't use same project/branch for source and target"]})
    for one in project.requests:
        if one.state is State.OPENED and (one.source, one.source_branch, one.target_branch) == (source, branch, target):
            said = f"Another open merge request already exists for this source branch: !{one.iid}"
            raise Problem(409, {"message": [said]})
    if await reading.branch(source.git, branch) is None:
        raise Problem(400, {"message": {"source_branch": ["does not exist"]}})
    now, iid = call.world.now(), len(project.requests) + 1
    request = MergeRequest(call.world.new_id(), iid, project, source, user, branch, target, title, "", now, now)
    request.squash = project.squash_option in {"always", "default_on"}
    _change(call, request)
    project.requests.append(request)
    return await _shown(call, request, 201)


async def _update(call: Call) -> web.Response:
    project, user = _readable(call), call.user
    request = _request(call, project)
    if call.world.role(project, user) < Role.DEVELOPER and user is not request.author:
        raise Problem(403, "403 Forbidden")
    _change(call, request)
    match call.given("state_event"):
        case "close" if request.state is State.OPENED:
            request.state, request.closed_at = State.CLOSED, call.world.now()
        case "reopen" if request.state is State.CLOSED:
            request.state, request.closed_at = State.OPENED, None
    return await _shown(call, request)


async def _merge(call: Call) -> web.Response:
    """The order of refusals is GitLab's: 401 for the role, 405 for its state, 422 for a conflict, 409 for the head."""
    project, user = _readable(call), call.user
    request = _request(call, project)
    await merging.refresh(request)
    if not call.world.may_change(project, request.target_branch, user):
        raise Problem(401, "401 Unauthorized")
    found = await merging.status(request)
    if found == "conflict":
        raise Problem(422, "Branch cannot be merged")
    if found != "mergeable":
        raise Problem(405, "405 Method Not Allowed")
    _check_head(call, request)
    await merging.merge(request, user, call.world.now(), squash=_flag(call, "squash"))
    return await _shown(call, request)


async def _carriage(call: Call) -> web.Response:
    request = _request(call, _with_trains(call))
    await merging.refresh(request)
    if not request.car:
        raise Problem(404, "404 Merge Train Merge Request Not Found")
    return web.json_response(payloads.carriage(call.world, request))


async def _board(call: Call) -> web.Response:
    request = _request(call, _with_trains(call))
    await merging.refresh(request)
    _check_head(call, request)
    if request.car or await merging.status(request) != "mergeable":
        raise Problem(400, "400 Bad request - Merge request could not be added to the merge train")
    request.squash = bool(_flag(call, "squash"))
    request.car = "idle"
    return web.json_response([payloads.carriage(call.world, request)], status=201)


# --- what they share ----------------------------------------------------------------------------------


def _readable(call: Call) -> Project:
    project = call.project()
    if not project.public and call.world.role(project, call.user) < Role.REPORTER:
        raise Problem(403, "403 Forbidden")
    return project


def _with_trains(call: Call) -> Project:
    project = call.project()
    if not project.merge_trains_enabled or call.world.role(project, call.user) < Role.DEVELOPER:
        raise Problem(403, "403 Forbidden")
    return project


def _request(call: Call, project: Project) -> MergeRequest:
    try:
        return call.world.request(project, call.number("iid"))
    except Unknown as error:
        raise Problem(404, "404 Not found") from error


def _check_head(call: Call, request: MergeRequest) -> None:
    head = call.given("sha")
    if head is not None and head != request.sha:
        raise Problem(409, f"SHA does not match HEAD of source branch: {request.sha}")


def _flag(call: Call, name: str) -> bool | None:
    value = call.given(name)
    return None if value is None else str(value).lower() == "true"


def _change(call: Call, request: MergeRequest) -> None:
    """What creating and updating have in common. Nothing is changed where one of them is wrong."""
    title, description = str(call.given("title") or request.title), call.given("description")
    if len(title) > _TITLE_CHARACTERS:
        raise Problem(400, {"message": {"title": [f"is too long (maximum is {_TITLE_CHARACTERS} characters)"]}})
    if description is not None and len(str(description)) > _DESCRIPTION_CHARACTERS:
        said = f"is too long (maximum is {_DESCRIPTION_CHARACTERS} characters)"
        raise Problem(400, {"message": {"description": [said]}})
    request.title = title
    if description is not None:
        request.description, actions = quick_actions(str(description))
        if "close" in actions:
            request.state = State.CLOSED
        if "draft" in actions and not is_draft(request.title):
            request.title = f"Draft: {request.title}"
    labels = call.given("labels")
    wanted = request.labels if labels is None else _names(labels)
    wanted = [*wanted, *_names(call.given("add_labels") or "")]
    request.labels = list(dict.fromkeys(one for one in wanted if one not in _names(call.given("remove_labels") or "")))
    request.assignees = _people(call, request, "assignee_ids", request.assignees)
    request.reviewers = _people(call, request, "reviewer_ids", request.reviewers)
    request.updated_at = call.world.now()


def _names(value: Any) -> list[str]:
    parts = value if isinstance(value, list) else str(value).split(",")
    return [str(part).strip() for part in parts if str(part).strip()]


def _people(call: Call, request: MergeRequest, field: str, there: list[User]) -> list[User]:
    """Who can't read the project is left out in silence, and on the Free tier all but the first."""
    ids = call.given(field)
    if ids is None:
        return there
    by_id = {one.id: one for one in call.world.users.values()}
    able = [by_id[one] for one in ids if one in by_id and call.world.sees(request.project, by_id[one])]
    return able if request.project.several_people else able[:1]


async def _shown(call: Call, request: MergeRequest, status: int = 200) -> web.Response:
    await merging.refresh(request)
    return web.json_response(await payloads.merge_request(call.world, request), status=status)
