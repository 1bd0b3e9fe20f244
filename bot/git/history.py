"""What a mirror tells of its history: commits, tags, differences. Everything here blocks."""

from collections.abc import Sequence
from datetime import datetime

from cachetools import LRUCache

from bot.core.facts import CommitInfo, TagInfo
from bot.core.model import CommitSha
from bot.git.process import Runner
from bot.git.remotes import is_sha

# https://git-scm.com/docs/pretty-formats; the message comes last, for it may hold anything but a NUL byte
_COMMIT = ("%H", "%P", "%an", "%ae", "%aI", "%cn", "%ce", "%cI", "%B")
_TAG_FIELDS = (
    "objectname", "parent", "authorname", "authoremail:trim", "authordate:iso-strict",
    "committername", "committeremail:trim", "committerdate:iso-strict", "contents",
)  # fmt: skip


def log(
    git: Runner, sha: CommitSha, *, paths: Sequence[str], limit: int, not_in: CommitSha | None
) -> tuple[CommitInfo, ...]:
    """First-parent history, newest first."""
    out = git.run(
        "log", "--first-parent", "-z", f"--max-count={limit}", f"--format=tformat:{'%x1f'.join(_COMMIT)}",
        sha, *([f"^{not_in}"] if not_in else []), "--", *paths,
    )  # fmt: skip
    return tuple(_commit(record.split("\x1f", 8)) for record in out.decode("utf-8", "replace").split("\0") if record)


def tags(git: Runner) -> tuple[TagInfo, ...]:
    """All tags that lead to a commit, newest creation first."""
    own = "%1f".join(f"%({field})" for field in _TAG_FIELDS)
    target = "%1f".join(f"%(*{field})" for field in _TAG_FIELDS)
    about = "%1f".join(("%(refname:strip=2)", "%(objecttype)", "%(*objecttype)", "%(creatordate:iso-strict)",
                        "%(taggername) %(taggeremail)"))  # fmt: skip
    out = git.run("for-each-ref", "--sort=-creatordate", f"--format={about}%1f{own}%1f{target}%00", "refs/tags")
    found = []
    for record in out.decode("utf-8", "replace").split("\0\n"):
        fields = record.split("\x1f")
        if len(fields) != 5 + 2 * len(_TAG_FIELDS):
            continue
        name, kind, target_kind, created, tagger = fields[:5]
        if kind == "commit":
            commit = _commit(fields[5:14])
            found.append(TagInfo(name, commit, "", _date(created), ""))
        elif target_kind == "commit":
            found.append(TagInfo(name, _commit(fields[14:]), tagger.strip(), _date(created), fields[13].rstrip("\n")))
    return tuple(found)


def changed_paths(git: Runner, old: CommitSha, new: CommitSha) -> tuple[str, ...]:
    out = git.run("diff-tree", "-r", "-z", "--name-only", "--no-renames", old, new)
    return _paths(out)


class Changes:
    """What lies between two commits never changes, so it is remembered, within a bound."""

    def __init__(self, most: int = 500_000) -> None:
        """`most` counts paths. What one pair may take is bounded too: a large one is seldom asked for again."""
        self._kept: LRUCache[tuple[str, str, str], tuple[str, ...]] = LRUCache(most, lambda paths: len(paths) + 1)

    def get(self, mirror: str, old: str, new: str) -> tuple[str, ...] | None:
        return self._kept.get((mirror, old, new))

    def keep(self, mirror: str, old: str, new: str, paths: tuple[str, ...]) -> None:
        if is_sha(old) and is_sha(new) and len(paths) * 100 < self._kept.maxsize:
            self._kept[mirror, old, new] = paths


def list_files(git: Runner, sha: CommitSha, folder: str) -> tuple[str, ...]:
    """The files at and below a folder ("": all), in git's order."""
    out = git.run("ls-tree", "-r", "-z", "--name-only", "--full-tree", sha, "--", *([folder] if folder else []))
    return _paths(out)


def _paths(out: bytes) -> tuple[str, ...]:
    return tuple(path for path in out.decode("utf-8", "surrogateescape").split("\0") if path)


def _commit(fields: Sequence[str]) -> CommitInfo:
    sha, parents, author, author_email, authored, committer, committer_email, committed, message = fields
    return CommitInfo(
        sha=CommitSha(sha),
        parents=tuple(CommitSha(parent) for parent in parents.split()),
        author_name=author,
        author_email=author_email.strip("<>"),
        author_date=_date(authored),
        committer_name=committer,
        committer_email=committer_email.strip("<>"),
        commit_date=_date(committed),
        message=message.rstrip("\n"),
    )


def _date(text: str) -> datetime:
    return datetime.fromisoformat(text)
