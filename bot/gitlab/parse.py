"""From GitLab's JSON to facts. Strict about what is used, silent about the rest."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from bot.contracts.forges import ForgePull
from bot.core.model import CommitSha
from bot.errors import Broken
from bot.gitlab import texts
from bot.gitlab.hindrances import hindrance

T = TypeVar("T")
Json = Mapping[str, Any]

# The server is whichever a repository names: what goes on to Git and into Markdown is looked at first.
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_PAGE = re.compile(r"https?://[^\s<>()\[\]\"'`|\\]+")


@dataclass(frozen=True, slots=True)
class Project:
    """`squash` is `never`, `always`, `default_on` or `default_off`, "" where an older GitLab doesn't say.

    `trains`: it merges by merge trains only.
    """

    id: int
    url: str
    squash: str
    trains: bool


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """`pull` is what others see of it; the rest is what an update adds to. People are ids by login, in lower case.

    `own`: it is from a branch of the project itself, not from a fork. `merging`: GitLab does so at this moment.
    """

    pull: ForgePull
    own: bool
    merging: bool
    description: str
    labels: frozenset[str]
    assignees: Mapping[str, int]
    reviewers: Mapping[str, int]


def read(parse: Callable[[Any], T], answer: Any) -> T:
    """Apply one of the functions below. Raises Broken if GitLab's answer lacks what it promises."""
    try:
        return parse(answer)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
        what = parse.__name__.replace("_", " ")
        raise Broken(f"GitLab's answer is no {what} as documented: {error!r}") from error


def project(data: Json) -> Project:
    """https://docs.gitlab.com/api/projects/#retrieve-a-project"""
    return Project(
        id=int(data["id"]),
        url=_page(data),
        squash=str(data.get("squash_option") or ""),
        trains=data.get("merge_trains_enabled") is True,
    )


def merge_request(data: Json) -> MergeRequest:
    """https://docs.gitlab.com/api/merge_requests/#retrieve-a-merge-request, or an item of a list of them.

    A branch of a fork is named with the fork's id before it, which no branch of the project itself can be; `ghost` is
    a fork that is gone.
    """
    state, branch = str(data["state"]), str(data["source_branch"])
    own = data["source_project_id"] == data["target_project_id"]
    draft = bool(data.get("draft", data.get("work_in_progress")))
    title = str(data["title"])
    opened = state in {"opened", "locked"}
    return MergeRequest(
        pull=ForgePull(
            number=int(data["iid"]),
            url=_page(data),
            title=texts.without_draft(title) if draft else title,
            open=opened,
            merged=state == "merged",
            draft=draft,
            head_branch=branch if own else f"{data['source_project_id'] or 'ghost'}:{branch}",
            head_sha=_sha(data["sha"]) if data.get("sha") else CommitSha(""),  # null where the branch holds nothing
            base_branch=str(data["target_branch"]),
            merge_sha=_landed(data) if state == "merged" else None,
            hindrance=hindrance(data) if state == "opened" else "",
        ),
        own=own,
        merging=state == "locked",
        description=str(data.get("description") or ""),
        labels=frozenset(str(label) for label in data.get("labels") or ()),
        assignees=_people(data.get("assignees")),
        reviewers=_people(data.get("reviewers")),
    )


def _landed(data: Json) -> CommitSha:
    """With a merge commit that one, else what it was squashed to; fast-forward brings the head itself."""
    return _sha(data.get("merge_commit_sha") or data.get("squash_commit_sha") or data["sha"])


def _sha(text: str) -> CommitSha:
    if not _SHA.fullmatch(text):
        raise ValueError("that is no commit's name")
    return CommitSha(text)


def _page(data: Json) -> str:
    url = str(data["web_url"])
    if not _PAGE.fullmatch(url):
        raise ValueError("that is no page's address")
    return url


def _people(found: Any) -> Mapping[str, int]:
    return {str(one["username"]).lower(): int(one["id"]) for one in found or ()}


def users(data: Any) -> Mapping[str, int]:
    """Ids by login, in lower case: https://docs.gitlab.com/api/users/#list-users"""
    return _people(data)


def carriage(data: Json) -> str:
    """How a merge request on a train is: https://docs.gitlab.com/api/merge_trains/"""
    return str(data["status"])
