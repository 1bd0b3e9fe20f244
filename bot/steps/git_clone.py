"""git-clone: put work trees of a repository into the promotion's folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.artifacts import find_commit
from bot.steps.authors import AUTHOR, author_of
from bot.steps.files.targets import writable
from bot.steps.shapes import FLAG, MAYBE, NEVER, ORIGIN, TEXT, TEXTS, listed, record, told
from bot.steps.workspace import inside

NAME = "git-clone"
HELP = "Check out branches, tags or commits of a repository, each into a folder of its own."
SCHEMA: Schema = record(
    "checkout",
    repoURL=told(TEXT, "The repository; left out: the one the pipeline lives in."),
    checkout=listed(
        record(
            "path",
            path=told(TEXT, "Where the work tree goes."),
            branch=told(MAYBE, "The branch to check out; left out, and nothing else named: the default branch."),
            commit=MAYBE,
            tag=MAYBE,
            fromFreight=told(FLAG, "Check out the commit that is in the freight (deprecated: `commitFrom()`)."),
            fromOrigin=told(ORIGIN, "Of which warehouse's freight, for `fromFreight` (deprecated)."),
            create=told(FLAG, "Begin the branch, without history, where there is none."),
            sparse=told(TEXTS, "The only folders wanted."),
            **{"as": told(MAYBE, "The name of the commit in the output; left out: the path.")},
        ),
        at_least=1,
    ),
    author=told(AUTHOR, "Who the commits are by that later steps make in these work trees."),
    blobless=told(FLAG, "Has no meaning here: mirrors are kept and shared."),
    recurseSubmodules=told(FLAG, "Check out submodules too, and theirs; over https where there is no SSH key."),
    insecureSkipTLSVerify=NEVER,
)
_DEEPEST, _MOST = 5, 50
_KINDS = ("branch", "commit", "tag", "fromFreight")


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Ask the remote, as the first step once in a look, then check out. Output: `commits`, by `as` or else by path."""
    url = config.get("repoURL") or context.repository.url
    author = author_of(NAME, config)
    commits: dict[str, str] = {}
    # Steps before may have had somebody push.
    refs = await (context.git.refs(url) if context.outputs else context.git.seen(url))
    for wanted in config["checkout"]:
        chosen = [kind for kind in _KINDS if wanted.get(kind)]
        if len(chosen) > 1:
            raise UserError(f"the checkout at {wanted['path']!r} names {' and '.join(chosen)}; name one of them")
        commit = wanted.get("commit", "")
        if wanted.get("fromFreight"):
            commit = find_commit(context.promotion, url, wanted.get("fromOrigin")).id
        branch = "" if commit or wanted.get("tag") else wanted.get("branch") or refs.default_branch
        path = writable(context.workdir, wanted["path"])
        commits[wanted.get("as") or wanted["path"]] = await context.git.checkout(
            url,
            path,
            branch=branch,
            commit=commit,
            tag=wanted.get("tag", ""),
            create=wanted.get("create", False),
            sparse=wanted.get("sparse", ()),
            author=author,
        )
        if config.get("recurseSubmodules"):
            await _submodules(context, path)
    return StepResult(StepStatus.SUCCEEDED, {"commits": commits})


async def _submodules(context: StepContext, worktree: Path) -> None:
    """Each is a checkout like any other: fetched as `repoURL` is, with no more rights, and nothing of it is run."""
    waiting, count = [(worktree, 1)], 0
    while waiting:
        here, depth = waiting.pop()
        for one in await context.git.submodules(here):
            count += 1
            if depth > _DEEPEST or count > _MOST:
                raise UserError(
                    f"git-clone checks out at most {_MOST} submodules, and no more than {_DEEPEST} in one another; "
                    "leave `recurseSubmodules` out, and check out those you need"
                )
            path = inside(here, one.path)
            await context.git.checkout(one.url, path, commit=one.commit)
            waiting.append((path, depth + 1))
