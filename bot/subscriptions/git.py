"""Commits of Git repositories, by branch or by tag.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#git-subscriptions
"""

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contracts import Clock, Discovered, DiscoveryContext, Git, Schema
from bot.core.facts import CommitInfo, Refs, TagInfo
from bot.core.model import Artifact, Commit
from bot.core.news import News
from bot.core.urls import normalize_git
from bot.expressions import ExpressionError, evaluate
from bot.expressions.booleans import as_bool
from bot.subscriptions import fields
from bot.subscriptions.paths import PathRules
from bot.subscriptions.tags import TagRules

NAME = "git"
HELP = "Commits of a Git repository: the newest of a branch, or those that tags lead to."
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "repoURL": {**fields.TEXT, "description": "The repository, such as https://github.com/acme/gitops."},
        "commitSelectionStrategy": {
            "enum": ["NewestFromBranch", "SemVer", "Lexical", "NewestTag"],
            "default": "NewestFromBranch",
            "description": "What makes a commit the newest: its place on the branch, or its tag's version, name, date.",
        },
        "branch": {**fields.TEXT, "description": "The branch to follow; the default branch where none is named."},
        "semverConstraint": {**fields.TEXT, "description": "SemVer: the versions wanted, such as ^1.0.0."},
        "strictSemvers": {
            "type": "boolean",
            "default": True,
            "description": "SemVer: only tags with all three numbers, after one v at most.",
        },
        "allowTagsRegexes": fields.REGEXES,
        "ignoreTagsRegexes": fields.REGEXES,
        "allowTags": {**fields.TEXT, "deprecated": True, "description": "Old spelling of one allowTagsRegexes."},
        "ignoreTags": {**fields.TEXTS, "deprecated": True, "description": "Tags to leave out, by their whole names."},
        "includePaths": {
            **fields.TEXTS,
            "description": "Only commits that touch one of these: a file, a folder, glob:…, or regex:….",
        },
        "excludePaths": {**fields.TEXTS, "description": "Paths whose changes do not count; written like includePaths."},
        "expressionFilter": {
            **fields.TEXT,
            "description": "An expression over id, author, committer, subject and commitDate, for tags also tag, "
            "tagger, annotation and creatorDate; only what it is true for counts.",
        },
        "since": {**fields.TEXT, "description": "NewestFromBranch: no commits from before this time (RFC 3339)."},
        "insecureSkipTLSVerify": {
            "type": "boolean",
            "default": False,
            "description": "Accept any certificate. The repository is then asked without credentials.",
        },
        "blobless": {"type": "boolean", "description": "Taken but not needed: mirrors are always kept sparingly."},
        "discoveryLimit": fields.LIMIT,
    },
    "required": ["repoURL"],
    "additionalProperties": False,
}
_STRATEGIES = ("NewestFromBranch", "SemVer", "Lexical", "NewestTag")
_OF_THE_TAG = ("tagger", "annotation", "creatorDate")
_LARGEST_BATCH = 1000
_LONGEST_SUBJECT = 80


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The configuration, read, and the repository to ask."""

    git: Git
    clock: Clock
    config: Mapping[str, Any]
    url: str
    strategy: str
    branch: str
    tags: TagRules
    paths: PathRules
    expression: str
    since: datetime | None
    limit: int
    name: str

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Whether the expression is true; anything but a boolean is read as Go's ParseBool would."""
        if not self.expression:
            return True
        try:
            return as_bool(evaluate(self.expression, values, now=self.clock.now))
        except (ExpressionError, ValueError) as error:
            raise fields.mistake(self.config, f"expressionFilter fails: {error}") from error

    def state(self, refs: Refs) -> str:
        """What decides, this configuration given, which commits are found; "" where the time of day does too."""
        if "now(" in "".join(self.expression.split()):
            return ""
        if self.strategy == "NewestFromBranch":
            return f"{self.branch or refs.default_branch} {refs.heads.get(self.branch or refs.default_branch)}"
        if self.strategy == "NewestTag" or any(word in self.expression for word in _OF_THE_TAG):
            return ""  # a tag made anew may lead to the same commit
        return hashlib.sha256(repr(sorted(refs.tags.items())).encode()).hexdigest()

    async def touches(self, commit: CommitInfo) -> bool:
        """Whether the commit's own change, against its first parent, is one that counts."""
        if not self.paths:
            return True
        if commit.parents:
            changed = await self.git.changed_paths(self.url, commit.parents[0], commit.sha)
        else:
            changed = await self.git.list_files(self.url, commit.sha, "")
        return self.paths.match(changed)


async def discover(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
    """The newest commits that count, up to `discoveryLimit`. The remote is asked once, for its refs; where those that
    matter have not moved, that is all."""
    wanted = _read(context, config, name)
    tags = wanted.strategy != "NewestFromBranch"
    refs = await wanted.git.watched(wanted.url, branch=wanted.branch, tags=tags, since=context.since)
    state = wanted.state(refs)
    if context.previous is not None and state and context.previous.state == state:
        return context.previous
    found: list[tuple[Artifact, datetime]] = []
    async for artifact, created in _candidates(wanted, refs):
        found.append((artifact, created))
        if len(found) == wanted.limit:
            break
    return Discovered(tuple(one for one, _ in found), tuple(created for _, created in found), state)


async def find(context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str) -> Artifact | None:
    """The commit with exactly this tag, or this id or at least seven digits of it, if the rules let it pass."""
    wanted = _read(context, config, name)
    async for artifact, _ in _candidates(wanted, await wanted.git.refs(wanted.url)):
        if artifact.tag == version or (len(version) >= 7 and artifact.id.startswith(version.lower())):
            return artifact
    return None


def address(config: Mapping[str, Any]) -> str:
    return normalize_git(fields.required(config, "repoURL"))


def concerned(config: Mapping[str, Any], news: News) -> bool:
    """By the branch and what changed there, or by the tag's name. Who made a commit is not asked here."""
    strategy = fields.choice(config, "commitSelectionStrategy", _STRATEGIES)
    if not news.branch and not news.version:
        return True
    if strategy == "NewestFromBranch":
        followed = fields.text(config, "branch") or news.default_branch
        if not news.branch or (followed and news.branch != followed):
            return False
        paths = PathRules.read(config)
        return news.paths is None or not paths or paths.match(news.paths)
    if not news.version:
        return False
    if strategy == "SemVer":
        return bool(TagRules.read(config, fields.text(config, "semverConstraint")).by_version([news.version]))
    return bool(TagRules.read(config, "").named([news.version]))


async def _candidates(wanted: _Wanted, refs: Refs) -> AsyncIterator[tuple[Commit, datetime]]:
    """Everything that the rules let pass, best first, with the time it was made."""
    if wanted.strategy != "NewestFromBranch":
        for tag in ordered(wanted, await wanted.git.tags(wanted.url)):
            if await wanted.touches(tag.commit):
                yield _commit(wanted, tag.commit, tag=tag.name), tag.created
        return
    branch = wanted.branch or refs.default_branch
    head = refs.heads.get(branch)
    if head is None:
        if not wanted.branch:  # an empty repository
            return
        raise fields.mistake(wanted.config, f"there is no branch {branch!r}; its default is {refs.default_branch!r}")
    async for commit in _history(wanted, head):
        if wanted.holds(_values(commit)) and await wanted.touches(commit):
            yield _commit(wanted, commit, branch=branch), commit.commit_date


def ordered(wanted: _Wanted, tags: tuple[TagInfo, ...]) -> list[TagInfo]:
    """The tags that their names and the expression let pass, best first. `tags` come newest first."""
    by_name = {tag.name: tag for tag in tags}
    if wanted.strategy == "SemVer":
        names = wanted.tags.by_version(by_name)
    elif wanted.strategy == "Lexical":
        names = wanted.tags.by_name(by_name)
    else:
        names = wanted.tags.named(by_name)
    return [by_name[name] for name in names if wanted.holds(_tag_values(by_name[name]))]


async def _history(wanted: _Wanted, head: str) -> AsyncIterator[CommitInfo]:
    """The branch, newest first, along first parents, no further than somebody asks for."""
    rev, batch = head, wanted.limit
    while rev:
        # Git finds commits of some folders in one go; patterns and exclusions are looked at one commit at a time.
        commits = await wanted.git.log(wanted.url, rev, paths=wanted.paths.folders, limit=batch)
        for commit in commits:
            if wanted.since and commit.commit_date < wanted.since:
                return
            yield commit
        rev = commits[-1].parents[0] if len(commits) == batch and commits[-1].parents else ""
        batch = min(batch * 2, _LARGEST_BATCH)


def _values(commit: CommitInfo) -> dict[str, Any]:
    return {
        "id": str(commit.sha),
        "commitDate": commit.commit_date,
        "author": f"{commit.author_name} <{commit.author_email}>",
        "committer": f"{commit.committer_name} <{commit.committer_email}>",
        "subject": _subject(commit),
    }


def _tag_values(tag: TagInfo) -> dict[str, Any]:
    values = _values(tag.commit)
    del values["commitDate"]
    return {
        **values,
        "tag": tag.name,
        "creatorDate": tag.created,
        "tagger": tag.tagger,
        "annotation": tag.annotation,
    }


def _commit(wanted: _Wanted, commit: CommitInfo, *, branch: str = "", tag: str = "") -> Commit:
    values = _values(commit)
    return Commit(
        repo_url=wanted.url,
        id=commit.sha,
        branch=branch,
        tag=tag,
        message=shortened(values["subject"], _LONGEST_SUBJECT),
        author=values["author"],
        committer=values["committer"],
        subscription_name=wanted.name,
    )


def _subject(commit: CommitInfo) -> str:
    return commit.message.split("\n", 1)[0].strip()


def shortened(text: str, length: int) -> str:
    """The text, or its beginning and `...`, in `length` characters at most."""
    return text if len(text) <= length else text[: length - 3] + "..."


def _read(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> _Wanted:
    strategy = fields.choice(config, "commitSelectionStrategy", _STRATEGIES)
    return _Wanted(
        git=context.git.configured(verify_tls=not fields.flag(config, "insecureSkipTLSVerify"), contents=False),
        clock=context.clock,
        config=config,
        url=fields.required(config, "repoURL"),
        strategy=strategy,
        branch=fields.text(config, "branch"),
        tags=TagRules.read(config, fields.text(config, "semverConstraint") if strategy == "SemVer" else ""),
        paths=PathRules.read(config),
        expression=fields.text(config, "expressionFilter"),
        since=_since(config) if strategy == "NewestFromBranch" else None,
        limit=fields.limit(config),
        name=name,
    )


def _since(config: Mapping[str, Any]) -> datetime | None:
    text = fields.text(config, "since")
    try:
        since = datetime.fromisoformat(text) if text else None
    except ValueError:
        since = None
    if text and (since is None or since.tzinfo is None):
        raise fields.mistake(config, f"since must be a time such as 2026-01-31T00:00:00Z, not {text!r}")
    return since
