"""Every call to GitHub that Towpath makes, and the permission GitHub asks for it: `app.yml` follows from this table.

Permissions are those an installation token needs, after
https://docs.github.com/en/rest/authentication/permissions-required-for-github-apps
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """How far a permission of the App goes."""

    READ = 1
    WRITE = 2


Permissions = tuple[tuple[str, Level], ...]


@dataclass(frozen=True, slots=True)
class Route:
    """One operation of the REST API. `path` is an RFC 6570 template below the API's address.

    `repeatable` means that sending it twice does what sending it once does, so that it may be sent again when no
    answer came. `permissions` is empty where the App signs in with its own JWT or anybody may ask.
    """

    method: str
    path: str
    permissions: Permissions = ()
    repeatable: bool = True

    @property
    def name(self) -> str:
        """Method and path as GitHub's documentation spells them, without query parameters."""
        return f"{self.method} {self.path.partition('{?')[0].replace('{+', '{')}"

    @property
    def writes(self) -> bool:
        return self.method != "GET"


METADATA: Permissions = (("metadata", Level.READ),)
READ_PULLS: Permissions = (("pull_requests", Level.READ),)
WRITE_PULLS: Permissions = (("pull_requests", Level.WRITE),)
READ_CHECKS: Permissions = (("checks", Level.READ),)
WRITE_CHECKS: Permissions = (("checks", Level.WRITE),)
# Commands are taken and answered on issues as well as on pull requests, so either alone is not enough.
READ_COMMENTS: Permissions = (("issues", Level.READ), ("pull_requests", Level.READ))
WRITE_COMMENTS: Permissions = (("issues", Level.WRITE), ("pull_requests", Level.WRITE))

REPO = "/repos/{owner}/{repo}"

# As the App itself
GET_APP = Route("GET", "/app")
LIST_INSTALLATIONS = Route("GET", "/app/installations{?per_page}")
GET_INSTALLATION = Route("GET", REPO + "/installation")
CREATE_TOKEN = Route("POST", "/app/installations/{installation_id}/access_tokens")
LIST_DELIVERIES = Route("GET", "/app/hook/deliveries{?per_page}")
REDELIVER = Route("POST", "/app/hook/deliveries/{delivery_id}/attempts", repeatable=False)

# As one installation
LIST_REPOSITORIES = Route("GET", "/installation/repositories{?per_page}", METADATA)
GET_USER = Route("GET", "/users/{username}")

LIST_PULLS = Route("GET", REPO + "/pulls{?state,head,base,sort,direction,per_page}", READ_PULLS)
GET_PULL = Route("GET", REPO + "/pulls/{pull_number}", READ_PULLS)
CREATE_PULL = Route("POST", REPO + "/pulls", WRITE_PULLS)  # repeatable: GitHub refuses a second one for the branch
UPDATE_PULL = Route("PATCH", REPO + "/pulls/{pull_number}", WRITE_PULLS)
LIST_PULL_FILES = Route("GET", REPO + "/pulls/{pull_number}/files{?per_page}", READ_PULLS)
MERGE_PULL = Route("PUT", REPO + "/pulls/{pull_number}/merge", (("contents", Level.WRITE),))
GRAPHQL = Route("POST", "/graphql", (("contents", Level.WRITE), ("pull_requests", Level.WRITE)))  # the merge queue
ADD_LABELS = Route("POST", REPO + "/issues/{issue_number}/labels", WRITE_COMMENTS)
REMOVE_LABEL = Route("DELETE", REPO + "/issues/{issue_number}/labels/{name}", WRITE_COMMENTS)

REQUESTED_REVIEWERS = REPO + "/pulls/{pull_number}/requested_reviewers"
LIST_REVIEWS = Route("GET", REPO + "/pulls/{pull_number}/reviews{?per_page}", READ_PULLS)
LIST_REQUESTED = Route("GET", REQUESTED_REVIEWERS, READ_PULLS)
REQUEST_REVIEWS = Route("POST", REQUESTED_REVIEWERS, WRITE_PULLS)
ADD_ASSIGNEES = Route("POST", REPO + "/issues/{issue_number}/assignees", WRITE_COMMENTS)

GET_CONTENT = Route("GET", REPO + "/contents/{+path}{?ref}", (("contents", Level.READ),))

GET_REF = Route("GET", REPO + "/git/ref/{+ref}", (("contents", Level.READ),))
LIST_REFS = Route("GET", REPO + "/git/matching-refs/{+ref}", (("contents", Level.READ),))

LIST_CHECK_RUNS = Route("GET", REPO + "/commits/{ref}/check-runs{?filter,app_id,per_page}", READ_CHECKS)
CREATE_CHECK_RUN = Route("POST", REPO + "/check-runs", WRITE_CHECKS, repeatable=False)
UPDATE_CHECK_RUN = Route("PATCH", REPO + "/check-runs/{check_run_id}", WRITE_CHECKS, repeatable=False)

LIST_COMMENTS = Route("GET", REPO + "/issues/{issue_number}/comments{?since,per_page}", READ_COMMENTS)
LIST_ALL_COMMENTS = Route("GET", REPO + "/issues/comments{?since,sort,direction,per_page}", READ_COMMENTS)
GET_COMMENT = Route("GET", REPO + "/issues/comments/{comment_id}", READ_COMMENTS)
CREATE_COMMENT = Route("POST", REPO + "/issues/{issue_number}/comments", WRITE_COMMENTS, repeatable=False)
UPDATE_COMMENT = Route("PATCH", REPO + "/issues/comments/{comment_id}", WRITE_COMMENTS)
LIST_REACTIONS = Route("GET", REPO + "/issues/comments/{comment_id}/reactions{?per_page}", READ_COMMENTS)
CREATE_REACTION = Route("POST", REPO + "/issues/comments/{comment_id}/reactions", WRITE_COMMENTS)

WORKFLOW = REPO + "/actions/workflows/{workflow_id}"
DISPATCH = Route("POST", WORKFLOW + "/dispatches", (("actions", Level.WRITE),), repeatable=False)
LIST_RUNS = Route("GET", WORKFLOW + "/runs{?actor,event,created,per_page}", (("actions", Level.READ),))
GET_RUN = Route("GET", REPO + "/actions/runs/{run_id}", (("actions", Level.READ),))

READ_DEPLOYMENTS: Permissions = (("deployments", Level.READ),)
WRITE_DEPLOYMENTS: Permissions = (("deployments", Level.WRITE),)
DEPLOYMENT_STATUSES = REPO + "/deployments/{deployment_id}/statuses"
LIST_DEPLOYMENTS = Route("GET", REPO + "/deployments{?environment,task,per_page}", READ_DEPLOYMENTS)
CREATE_DEPLOYMENT = Route("POST", REPO + "/deployments", WRITE_DEPLOYMENTS, repeatable=False)
LIST_DEPLOYMENT_STATUSES = Route("GET", DEPLOYMENT_STATUSES + "{?per_page}", READ_DEPLOYMENTS)
CREATE_DEPLOYMENT_STATUS = Route("POST", DEPLOYMENT_STATUSES, WRITE_DEPLOYMENTS, repeatable=False)

CREATE_COMMIT = Route("POST", REPO + "/git/commits", (("contents", Level.WRITE),))

GET_PERMISSION = Route("GET", REPO + "/collaborators/{username}/permission", METADATA)
GET_MEMBERSHIP = Route("GET", "/orgs/{org}/teams/{team_slug}/memberships/{username}", (("members", Level.READ),))

# Clone and push with an installation token:
# https://docs.github.com/en/apps/creating-github-apps/registering-a-github-app/choosing-permissions-for-a-github-app
GIT: Permissions = (("contents", Level.WRITE),)

ROUTES: tuple[Route, ...] = tuple(value for value in list(globals().values()) if isinstance(value, Route))


def needed_permissions(more: Iterable[Permissions] = ()) -> Mapping[str, str]:
    """The least permissions that allow every call, Git, and whatever else is named, by GitHub's names and levels."""
    most: dict[str, Level] = {}
    for permissions in (GIT, *(route.permissions for route in ROUTES), *more):
        for name, level in permissions:
            most[name] = max(level, most.get(name, level))
    return {name: most[name].name.lower() for name in sorted(most)}
