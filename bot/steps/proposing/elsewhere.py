"""Pull requests in other repositories than the pipeline's own: opened, waited for, merged.

They carry no lock and no record. What is known of the promotion is kept at home, and the stage holds the freight once
all its steps have come to their end.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.contracts.forges import Forge, ForgePull, NewPull
from bot.contracts.github import NotMergeable
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.durations import parse_duration
from bot.core.model import CommitSha
from bot.core.urls import same_repository
from bot.errors import UserError
from bot.steps.earlier import output_of
from bot.steps.workspace import is_own_repository

_POLLED = timedelta(minutes=1)  # nobody tells us what happens elsewhere
_LEAST, _AT_ONCE = timedelta(seconds=10), timedelta(seconds=1)
_MINE = "headCommit"  # in an output: the commit this promotion proposed

Config = Mapping[str, Any]


def other_repository(context: StepContext, config: Config) -> str | None:
    """The URL of the repository that a step names, if it isn't the pipeline's own."""
    url = config.get("repoURL")
    return str(url) if url and not is_own_repository(context, str(url)) else None


def where_opened(context: StepContext, config: Config, asking: str) -> str | None:
    """The same for a step that follows one that opened a pull request, and need not name the repository again."""
    if config.get("repoURL"):
        return other_repository(context, config)
    found = _opened(context, config, asking)
    return str(found["repoURL"]) if found and found.get("repoURL") else None


async def propose(context: StepContext, config: Config, url: str, push: Mapping[str, Any]) -> StepResult:
    """Open it, or bring the open one up to date. Output: `pr` {id, url, open, merged, head, repoURL, headCommit}, with
    the `provider` if it is given, and the deprecated `prNumber`."""
    forge = await context.forges.at(url, config.get("provider", ""))
    source = push["branch"]
    refs = await context.git.seen(url)
    target = config.get("targetBranch") or push.get("base") or refs.default_branch
    if source == target:
        raise UserError(f"git-open-pr would propose {source} to itself; push to another branch, or name another target")
    if not push.get("commit"):
        refs = await context.git.refs(url)  # pushed by somebody else: it may not be known yet
    head = push.get("commit") or refs.heads.get(source)
    if head is None:
        raise UserError(f"git-open-pr finds no branch {source} in {url}; put a git-push step before it")
    if not await context.git.log(url, head, not_in=target, limit=1):
        return StepResult(StepStatus.SKIPPED, message=f"{source} holds nothing that {target} does not")
    title, body = await context.describe_pull(
        title=config.get("title", ""), description=config.get("description", ""), head=head, target=target, url=url
    )
    new = NewPull(
        source,
        target,
        title,
        body,
        draft=config.get("draft", False),
        labels=tuple(config.get("labels", ())),
        assignees=tuple(config.get("assignees", ())),
        reviewers=tuple(config.get("reviewers", ())),
    )
    output = _describe(await forge.open_pull(new), url)
    output["pr"] |= {_MINE: head} | ({"provider": config["provider"]} if "provider" in config else {})
    return StepResult(StepStatus.SUCCEEDED, output, settles=True)


async def wait(context: StepContext, config: Config, url: str, asking: str) -> StepResult:
    """As it is now. Output: `pr`, and once it is merged `commit`, what it landed as."""
    number = _number(context, config, url, asking)
    if number is None:
        return StepResult(StepStatus.SKIPPED, message="no pull request was opened, so there is none to wait for")
    pull = await (await _forge(context, config, url, number)).pull(number)
    return _ended(pull, url) or _waits(context, config, pull, url, "waits to be merged")


async def merge(context: StepContext, config: Config, url: str, asking: str) -> StepResult:
    """Merge it. While a promotion is under way its steps are run in looks in which every gate holds, and in no others.
    The steps before may have taken long in this one, so it is merged in the next. Output as of `wait`."""
    number = _number(context, config, url, asking)
    if number is None:
        return StepResult(StepStatus.SKIPPED, message="no pull request was opened, so there is none to merge")
    mine = str(_proposed(context, url, number).get(_MINE, ""))
    if not mine:
        raise UserError(
            f"#{number} of {url} was not opened by this promotion, and {asking} merges no other: it would come past "
            "the gates of whatever it is for; leave `prNumber` out"
        )
    forge = await _forge(context, config, url, number)
    pull = await forge.pull(number)
    if (ended := _ended(pull, url)) is not None:
        return ended
    if not context.previous:
        return _waits(context, config, pull, url, "is merged if every gate still holds", after=_AT_ONCE)
    if pull.head_sha != mine:  # GitLab notices a push after a while
        return _waits(context, config, pull, url, f"is at {pull.head_sha[:7]}, and this promotion proposed {mine[:7]}")
    hindrance = "it is a draft" if pull.draft else pull.hindrance
    if not hindrance:
        try:
            landed = await forge.merge_pull(number, pull.head_sha, config.get("mergeMethod", ""))
            return _now_merged(context, config, await forge.pull(number), url, landed)
        except NotMergeable as error:
            hindrance = str(error)
    if not config.get("wait", True):
        return StepResult(StepStatus.FAILED, _describe(pull, url), f"{pull.url} can't be merged: {hindrance}")
    return _waits(context, config, pull, url, f"can't be merged yet: {hindrance}")


async def _forge(context: StepContext, config: Config, url: str, number: int) -> Forge:
    """Of the kind that is named here, or was when this promotion opened the pull request."""
    kind = config.get("provider") or _proposed(context, url, number).get("provider", "")
    return await context.forges.at(url, kind)


def _describe(pull: ForgePull, url: str) -> dict[str, Any]:
    shown = {"id": pull.number, "url": pull.url, "open": pull.open, "merged": pull.merged, "head": pull.head_branch}
    return {"pr": {**shown, "repoURL": url}, "prNumber": pull.number}


def _ended(pull: ForgePull, url: str) -> StepResult | None:
    """The result for one that is merged, or closed; None while it is open."""
    if pull.merged:
        return StepResult(StepStatus.SUCCEEDED, {**_describe(pull, url), "commit": pull.merge_sha or pull.head_sha})
    if not pull.open:
        return StepResult(StepStatus.FAILED, _describe(pull, url), f"{pull.url} was closed without being merged")
    return None


def _now_merged(
    context: StepContext, config: Config, pull: ForgePull, url: str, landed: CommitSha | None
) -> StepResult:
    """After a merge, that the forge may not show yet, or has only put on its way."""
    ended = _ended(pull, url)
    if ended is None and landed is not None:
        shown = _describe(pull, url)
        shown["pr"] |= {"open": False, "merged": True}
        return StepResult(StepStatus.SUCCEEDED, {**shown, "commit": landed})
    return ended or _waits(context, config, pull, url, "is on its way to be merged")


def _waits(
    context: StepContext, config: Config, pull: ForgePull, url: str, why: str, after: timedelta | None = None
) -> StepResult:
    poll = parse_duration(config["pollInterval"]) if "pollInterval" in config else _POLLED
    later = context.clock.now() + (after or max(poll, _LEAST))
    return StepResult(StepStatus.RUNNING, _describe(pull, url), f"{pull.url} {why}", retry_at=later)


def _opened(context: StepContext, config: Config, asking: str, url: str = "") -> Mapping[str, Any] | None:
    """What the step said that opened the one meant: the one named, else the last, of `url` where that is given."""
    if alias := config.get("prNumberFromStep"):
        output = output_of(context, alias, asking)
        if output and not output.get("pr"):
            raise UserError(f"the step {alias!r} opened no pull request; name a git-open-pr step in `prNumberFromStep`")
        return output.get("pr")
    found = [output["pr"] for output in context.outputs.values() if output.get("pr")]
    return next((pr for pr in reversed(found) if not url or _same(pr.get("repoURL"), url)), None)


def _number(context: StepContext, config: Config, url: str, asking: str) -> int | None:
    if "prNumber" in config:
        return int(config["prNumber"])
    opened = _opened(context, config, asking, url)
    return int(opened["id"]) if opened else None


def _proposed(context: StepContext, url: str, number: int) -> Mapping[str, Any]:
    """What the step of this promotion said that opened this pull request; nothing where none did."""
    found = (output["pr"] for output in context.outputs.values() if output.get("pr"))
    ours = (pr for pr in found if pr["id"] == number and _same(pr.get("repoURL"), url))
    return next((pr for pr in ours if pr.get(_MINE)), {})


def _same(one: str | None, other: str) -> bool:
    return one is not None and same_repository(one, other)
