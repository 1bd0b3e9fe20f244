"""The shared conformance cases, and small working stand-ins for the ports that subscriptions ask."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.contracts import DiscoveryContext, ImageDetails
from bot.core.facts import CommitInfo, Refs, TagInfo
from bot.core.model import CommitSha

CASES = Path(__file__).parents[3] / "shared" / "conformance"
START = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def cases():
    """`cases("kargo_git.json", "pattern")`: the cases of some kinds, of all sets."""

    def load(name, *kinds):
        files = [CASES / folder / name for folder in ("public", "recorded")]
        found = [case for file in files if file.exists() for case in json.loads(file.read_text())]
        if not found:
            pytest.skip("the shared conformance cases are not beside this project")
        chosen = [case for case in found if case["kind"] in kinds]
        assert chosen
        return chosen

    return load


class KnownRegistry:
    """A registry of `images`: tag to ImageDetails. `asked` is what was asked of it."""

    def __init__(self):
        self.images, self.asked = {}, []

    def put(self, tag, number, created=None, platforms=(), annotations=None):
        digest = f"sha256:{number:064x}"
        self.images[tag] = ImageDetails(digest, created, annotations or {}, platforms)
        return digest

    async def tags(self, repo_url):
        self.asked.append(f"tags {repo_url}")
        return tuple(self.images)

    async def digest(self, repo_url, tag):
        self.asked.append(f"digest {repo_url} {tag}")
        return self.images[tag].digest if tag in self.images else None

    async def describe(self, repo_url, digest, *, dates=True):
        self.asked.append(f"describe {repo_url} {digest[-2:]}")
        return next(image for image in self.images.values() if image.digest == digest)

    async def image(self, repo_url, tag, *, dates=True):
        self.asked.append(f"image {repo_url} {tag}{' with dates' if dates else ''}")
        return self.images.get(tag)

    async def chart_versions(self, repo_url, name):
        raise AssertionError("an image is in no chart repository")

    def configured(self, *, verify_tls=True, immutable_tags=False):
        return self


class KnownGit:
    """A repository of one branch. `commits`, newest first, are (name, paths changed); `tag_names` newest first."""

    def __init__(self, commits=(), tag_names=()):
        self.changes = dict(commits)
        shas = [CommitSha(name) for name, _ in commits]
        self.commits = [
            commit_info(sha, shas[index + 1 : index + 2], START - timedelta(hours=index))
            for index, sha in enumerate(shas)
        ]
        self.tag_infos = tuple(
            TagInfo(name, commit_info(CommitSha(f"of-{name}"), [], START), "", START, "") for name in tag_names
        )
        self.looked_at = []

    def configured(self, *, verify_tls=True, contents=True):
        return self

    async def refs(self, url):
        heads = {"main": self.commits[0].sha} if self.commits else {}
        return Refs("main" if heads else "", heads, {})

    async def watched(self, url, *, branch="", tags=False, since=0.0):
        return await self.refs(url)

    async def log(self, url, rev, *, paths=(), limit=50, not_in=""):
        start = next(index for index, commit in enumerate(self.commits) if commit.sha == rev)
        inside = [
            commit
            for commit in self.commits[start:]
            if not paths
            or any(
                changed == path or changed.startswith(f"{path}/")
                for changed in self.changes[commit.sha]
                for path in paths
            )
        ]
        return tuple(inside[:limit])

    async def tags(self, url):
        return self.tag_infos

    async def changed_paths(self, url, old, new):
        self.looked_at.append(new)
        return tuple(self.changes[new])

    async def list_files(self, url, rev, folder):
        self.looked_at.append(rev)
        return tuple(self.changes[rev])


def commit_info(sha, parents, date):
    return CommitInfo(sha, tuple(parents), "author", "a@acme.io", date, "committer", "c@acme.io", date, f"Change {sha}")


class Now:
    def now(self):
        return START


@pytest.fixture
def registry():
    return KnownRegistry()


@pytest.fixture
def known_git():
    return KnownGit


@pytest.fixture
def context(registry):
    return DiscoveryContext(git=KnownGit(), registry=registry, clock=Now())
