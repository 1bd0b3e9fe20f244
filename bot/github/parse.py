"""From GitHub's JSON to facts. Strict about what is used, silent about the rest."""

import re
from base64 import b64decode
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from bot.core.facts import CheckRun, CheckStatus, Comment, Conclusion, Permission, PullRequest
from bot.core.model import CommitSha, RepositoryName
from bot.errors import Broken
from bot.github.tokens import InstallationToken

T = TypeVar("T")
Json = Mapping[str, Any]
Content = bytes | tuple[tuple[str, bool], ...] | None

REPOSITORY_NAME = re.compile(r"(?P<owner>[A-Za-z0-9_.-]+)/(?P<name>[A-Za-z0-9_.-]+)")


def read(parse: Callable[[Any], T], answer: Any) -> T:
    """Apply one of the functions below. Raises Broken if GitHub's answer lacks what it promises."""
    try:
        return parse(answer)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = parse.__name__.replace("_", " ")
        raise Broken(f"GitHub's answer is no {what} as documented: {error!r}") from error


def moment(text: str) -> datetime:
    """An ISO 8601 time with its zone."""
    when = datetime.fromisoformat(text)
    if when.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return when


def _moment_or_none(text: str | None) -> datetime | None:
    return moment(text) if text else None


def _login(user: Json | None) -> str:
    """GitHub says null for an account that is gone and shows it as `ghost`."""
    return str(user["login"]) if user else "ghost"


def pull_request(data: Json) -> PullRequest:
    """https://docs.github.com/en/rest/pulls/pulls#get-a-pull-request, or an item of a list of them.

    Before the merge `merge_commit_sha` is a test merge, so it counts only after it.
    """
    merged_at = data.get("merged_at")
    head_repository = data["head"].get("repo")
    return PullRequest(
        number=int(data["number"]),
        title=str(data["title"]),
        body=str(data.get("body") or ""),
        author=_login(data.get("user")),
        head_repository=str(head_repository["full_name"]) if head_repository else "",
        head_branch=str(data["head"]["ref"]),
        head_sha=CommitSha(data["head"]["sha"]),
        base_branch=str(data["base"]["ref"]),
        base_sha=CommitSha(data["base"]["sha"]),
        labels=frozenset(str(label["name"]) for label in data.get("labels") or ()),
        open=data["state"] == "open",
        merged=bool(merged_at),
        merge_sha=CommitSha(data["merge_commit_sha"]) if merged_at and data.get("merge_commit_sha") else None,
        draft=bool(data.get("draft")),
        url=str(data["html_url"]),
        created_at=moment(data["created_at"]),
        closed_at=_moment_or_none(data.get("closed_at")),
        merged_by=_login(data["merged_by"]) if data.get("merged_by") else "",
        mergeable=data.get("mergeable"),
    )


def own_pull_request(data: Json) -> PullRequest | None:
    """The same, None where it comes from a fork. The two are compared with each other: the name may have changed."""
    head, base = data["head"].get("repo"), data["base"]["repo"]
    return pull_request(data) if head and head["id"] == base["id"] else None


def changed_file(data: Json) -> tuple[str, ...]:
    """https://docs.github.com/en/rest/pulls/pulls#list-pull-requests-files"""
    names = (data["filename"], data.get("previous_filename"))
    return tuple(str(name) for name in names if name)


def content(data: Any) -> Content:
    """A file's bytes, or what is in a folder; None for what is neither, and a file of over 1 MB.

    https://docs.github.com/en/rest/repos/contents#get-repository-content
    """
    if isinstance(data, list):
        return tuple((str(one["path"]), one["type"] == "dir") for one in data)
    if data["type"] != "file" or data["encoding"] != "base64":
        return None
    return b64decode(data["content"])


def check_run(data: Json) -> CheckRun:
    """https://docs.github.com/en/rest/checks/runs#get-a-check-run

    Annotations and buttons are not in it. A conclusion that only GitHub gives (`stale`) is read as neutral.
    """
    output = data.get("output") or {}
    conclusion = data.get("conclusion")
    return CheckRun(
        id=int(data["id"]),
        name=str(data["name"]),
        head_sha=CommitSha(data["head_sha"]),
        status=_status(data["status"]),
        conclusion=_conclusion(conclusion) if conclusion else None,
        external_id=str(data.get("external_id") or ""),
        title=str(output.get("title") or ""),
        summary=str(output.get("summary") or ""),
        text=str(output.get("text") or ""),
        details_url=str(data.get("details_url") or ""),
        started_at=_moment_or_none(data.get("started_at")),
        completed_at=_moment_or_none(data.get("completed_at")),
    )


def annotations_count(data: Json) -> int:
    """How many annotations a check run has."""
    return int((data.get("output") or {}).get("annotations_count") or 0)


def _status(text: str) -> CheckStatus:
    """Only GitHub Actions has more (waiting, pending, requested): none of them has begun."""
    return CheckStatus(text) if text in {one.value for one in CheckStatus} else CheckStatus.QUEUED


def _conclusion(text: str) -> Conclusion:
    return Conclusion(text) if text in {one.value for one in Conclusion} else Conclusion.NEUTRAL


_COUNTED = ("+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes")


def comment(data: Json) -> Comment:
    """https://docs.github.com/en/rest/issues/comments#get-an-issue-comment

    The number is the end of `issue_url`; whether it is a pull request's only the page's address tells.
    """
    user = data.get("user") or {}
    reactions = data.get("reactions")
    return Comment(
        id=int(data["id"]),
        number=int(str(data["issue_url"]).rsplit("/", 1)[1]),
        author=_login(user),
        body=str(data.get("body") or ""),
        url=str(data["html_url"]),
        created_at=moment(data["created_at"]),
        on_pull_request=re.search(r"/pull/[0-9]+(#|$)", str(data["html_url"])) is not None,
        by_bot=user.get("type") == "Bot",
        edited=data.get("updated_at", data["created_at"]) != data["created_at"],
        reactions={name: int(reactions.get(name, 0)) for name in _COUNTED} if reactions else None,
    )


def permission(data: Json) -> Permission:
    """https://docs.github.com/en/rest/collaborators/collaborators#get-repository-permissions-for-a-user

    `role_name` may be an organisation's own role; then its base decides: the flags, or the older `permission`.
    """
    by_name = {one.name.lower(): one for one in Permission}
    role = by_name.get(str(data.get("role_name") or "").lower())
    if role is not None:
        return role
    flags = (data.get("user") or {}).get("permissions") or {}
    names = {"pull": Permission.READ, "push": Permission.WRITE}
    held = [names.get(name) or by_name[name] for name, on in flags.items() if on and (name in names or name in by_name)]
    return max(held, default=by_name.get(str(data["permission"]).lower(), Permission.NONE))


def membership(data: Json) -> bool:
    """Whether a team membership is in force: https://docs.github.com/en/rest/teams/members"""
    return str(data["state"]) == "active"


def reaction(data: Json) -> tuple[str, str]:
    """Who reacted, and with what: https://docs.github.com/en/rest/reactions/reactions"""
    return _login(data.get("user")), str(data["content"])


def number(data: Json) -> int:
    """The number GitHub knows something by (an installation, an account)."""
    return int(data["id"])


def installation_token(data: Json) -> InstallationToken:
    return InstallationToken(text=str(data["token"]), expires_at=moment(data["expires_at"]))


def repository_name(data: Json) -> RepositoryName:
    """`owner/name` of a repository. Raises ValueError for what can't be one."""
    name = str(data["full_name"])
    if not REPOSITORY_NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no repository's name")
    return RepositoryName(name)


def owner_and_repo(name: RepositoryName) -> dict[str, Any]:
    """The two variables of a repository's routes. Raises ValueError for what can't be a name."""
    found = REPOSITORY_NAME.fullmatch(name)
    if found is None:
        raise ValueError(f"{name!r} is no repository's name: it wants owner/name")
    return {"owner": found["owner"], "repo": found["name"]}
