"""Commits are chosen by Kargo's strategies, by rules alone and in real repositories."""

import re
import subprocess
import time
from dataclasses import replace
from datetime import datetime

import pytest

from bot.contracts import DiscoveryContext
from bot.contracts.git import Identity
from bot.core.facts import TagInfo
from bot.errors import UserError
from bot.git.client import MirroredGit
from bot.subscriptions import git


def config(**fields):
    return {"repoURL": "https://github.com/acme/gitops", **fields}


async def ids(context, known, **fields):
    found = await git.discover(replace(context, git=known), config(**fields), "")
    return [commit.id for commit in found.artifacts]


# --- conformance --------------------------------------------------------------------------------------


async def test_commits_of_the_conformance_cases_are_selected_as_in_kargo(context, known_git, cases):
    for case in cases("kargo_git.json", "select_commits"):
        diffs = case.get("diffs", {})
        known = known_git([(name, diffs.get(name, diffs.get("*", ()))) for name in case["commits"]])
        fields = {key: case[key] for key in ("includePaths", "discoveryLimit") if key in case}
        fields |= {"expressionFilter": case["expression"]} if "expression" in case else {}
        assert await ids(context, known, **fields) == case["expected"]


async def test_tags_of_the_conformance_cases_are_selected_as_in_kargo(context, known_git, cases):
    wrong = []
    for case in cases("kargo_git.json", "select_tags"):
        keys = ("strictSemvers", "allowTagsRegexes", "ignoreTagsRegexes", "discoveryLimit")
        fields = {key: case[key] for key in keys if key in case}
        fields |= {"commitSelectionStrategy": case["strategy"], "semverConstraint": case.get("constraint", "")}
        known = known_git(tag_names=case["tags"])
        found = await git.discover(replace(context, git=known), config(**fields), "")
        if [commit.tag for commit in found.artifacts] != case["expected"]:
            wrong.append(case)
    assert wrong == []


async def test_expressions_of_the_conformance_cases_filter_as_in_kargo(context, known_git, cases):
    wrong = []
    for case in cases("kargo_git.json", "expression_filter"):
        wanted = git._read(context, config(expressionFilter=case["expression"]), "")
        values = {
            key: datetime.fromisoformat(value["$time"]) if isinstance(value, dict) else value
            for key, value in case["env"].items()
        }
        try:
            result = wanted.holds(values)
        except UserError:
            result = "error"
        if result != ("error" if "expected_error" in case else case["expected"]):
            wrong.append((case, result))
    assert wrong == []


def test_subjects_of_the_conformance_cases_are_shortened_as_in_kargo(cases):
    for case in cases("kargo_git.json", "shorten"):
        assert git.shortened(case["str"], case["length"]) == case["expected"]


# --- rules --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["five", "four", "three", "two", "one"]),
        ({"discoveryLimit": 2}, ["five", "four"]),
        ({"includePaths": ["chart"]}, ["four", "two"]),
        ({"includePaths": ["chart"], "excludePaths": ["glob:**/*.md"]}, ["four"]),
        ({"includePaths": ["glob:chart/*"]}, ["four", "two"]),
        ({"excludePaths": ["chart"]}, ["five", "three", "two", "one"]),
        ({"includePaths": ["nothing"]}, []),
        ({"expressionFilter": "subject == 'Change two' || id == 'five'"}, ["five", "two"]),
        (
            {"expressionFilter": "author contains '<a@acme.io>' && commitDate.Year() == 2025"},
            ["four", "three", "two", "one"],
        ),
        ({"since": "2025-12-31T22:00:00Z"}, ["five", "four", "three"]),
        ({"branch": "main", "discoveryLimit": 1}, ["five"]),
    ],
)
async def test_the_newest_of_a_branch(context, known_git, fields, expected):
    known = known_git(
        [
            ("five", ["README.md"]),
            ("four", ["chart/values.yaml"]),
            ("three", ["env/uat.yaml"]),
            ("two", ["chart/README.md", "README.md"]),
            ("one", ["README.md"]),
        ]
    )
    assert await ids(context, known, **fields) == expected


async def test_a_long_history_is_looked_at_only_as_far_as_needed(context, known_git):
    commits = [(f"commit-{number}", ["chart/x"] if number % 50 == 0 else ["other"]) for number in range(2000)]
    known = known_git(commits)
    assert await ids(context, known, includePaths=["regex:^chart/"], discoveryLimit=3) == [
        "commit-0",
        "commit-50",
        "commit-100",
    ]
    assert len(known.looked_at) == 101

    known = known_git(commits)
    assert len(await ids(context, known, includePaths=["chart"], discoveryLimit=3)) == 3
    assert len(known.looked_at) == 3


async def test_all_of_a_history_is_searched_when_nothing_fits(context, known_git):
    known = known_git([(f"commit-{number}", ["other"]) for number in range(500)])
    assert await ids(context, known, expressionFilter="false") == []
    assert await ids(context, known, includePaths=["glob:*.yaml"]) == []
    assert len(known.looked_at) == 500


async def test_an_empty_repository_has_nothing(context, known_git):
    for strategy in ("NewestFromBranch", "SemVer", "Lexical", "NewestTag"):
        assert await ids(context, known_git(), commitSelectionStrategy=strategy) == []


async def test_tags_are_filtered_by_everything_known_of_them(context, known_git):
    known = known_git(tag_names=["v3", "v2", "v1"])
    signed = known.tag_infos[1]
    known.tag_infos = (
        known.tag_infos[0],
        TagInfo("v2", signed.commit, "maintainer <m@acme.io>", signed.created, "released"),
        known.tag_infos[2],
    )
    for expression in ("annotation == 'released'", "tagger contains 'm@acme.io'", "tag == 'v2'", "id == 'of-v2'"):
        found = await git.discover(
            replace(context, git=known), config(commitSelectionStrategy="NewestTag", expressionFilter=expression), ""
        )
        assert [commit.tag for commit in found.artifacts] == ["v2"]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"repoURL": None}, "repoURL must be given"),
        ({"commitSelectionStrategy": "Digest"}, "must be one of NewestFromBranch, SemVer, Lexical, NewestTag"),
        ({"branch": "missing"}, "there is no branch 'missing'; its default is 'main'"),
        ({"expressionFilter": "id +"}, "expressionFilter fails"),
        ({"expressionFilter": "nothing.here"}, "expressionFilter fails"),
        (
            {"expressionFilter": "subject"},
            "it gives 'Change one', which is neither true nor false",
        ),
        ({"since": "yesterday"}, "since must be a time"),
        ({"since": "2026-01-01T00:00:00"}, "since must be a time"),
        ({"includePaths": ["regex:("]}, "is not a regular expression"),
        ({"commitSelectionStrategy": "SemVer", "semverConstraint": "x y"}, "is not a version range"),
        ({"discoveryLimit": 1.5}, "discoveryLimit must be"),
    ],
)
async def test_a_configuration_that_makes_no_sense_is_refused(context, known_git, fields, message):
    known = known_git([("one", ["README.md"])])
    with pytest.raises(UserError, match=message):
        await git.discover(replace(context, git=known), config(**fields), "")


# --- a real repository --------------------------------------------------------------------------------


class Repository:
    """A bare repository, and a work tree beside it to commit in."""

    def __init__(self, folder, git_file):
        self.tree, self.url = folder / "tree", f"file://{folder / 'origin.git'}"
        self._date, self._global = 0, str(git_file)
        for arguments in (
            ["init", "-q", "--bare", "-b", "main", str(folder / "origin.git")],
            ["init", "-q", "-b", "main", str(self.tree)],
        ):
            self.run(*arguments, cwd=folder)
        self.run("remote", "add", "origin", self.url)

    def run(self, *arguments, cwd=None):
        self._date += 60
        stamp = f"{1_767_225_600 + self._date} +0000"
        environment = {
            "PATH": "/usr/bin:/bin",
            "GIT_CONFIG_GLOBAL": self._global,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "writer",
            "GIT_AUTHOR_EMAIL": "writer@acme.io",
            "GIT_COMMITTER_NAME": "maintainer",
            "GIT_COMMITTER_EMAIL": "maintainer@acme.io",
            "GIT_AUTHOR_DATE": stamp,
            "GIT_COMMITTER_DATE": stamp,
        }
        done = subprocess.run(
            ["git", *arguments], cwd=cwd or self.tree, env=environment, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def commit(self, path, message="Change"):
        file = self.tree / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{self._date}\n")
        self.run("add", "-A")
        self.run("commit", "-q", "-m", message)
        return self.run("rev-parse", "HEAD")

    def push(self):
        self.run("push", "-q", "--all", "origin")
        self.run("push", "-q", "--tags", "origin")


@pytest.fixture
def repository(tmp_path):
    (tmp_path / "gitconfig").touch()
    return Repository(tmp_path, tmp_path / "gitconfig")


@pytest.fixture
async def real(tmp_path, context):
    async def nobody(_url):
        return None

    port = MirroredGit(
        tmp_path / "mirrors", nobody, Identity("towpath", "towpath@example.com"), context.clock, allow_file=True
    )
    yield DiscoveryContext(port, context.registry, context.clock)
    await port.close()


async def found_in(real, repository, **fields):
    return (await git.discover(real, {"repoURL": repository.url, **fields}, "gitops")).artifacts


async def test_a_branch_is_followed_along_its_first_parents(repository, real):
    first = repository.commit("README.md", "Begin")
    repository.run("checkout", "-q", "-b", "topic")
    on_topic = repository.commit("chart/values.yaml", "Work on a topic")
    repository.run("checkout", "-q", "main")
    second = repository.commit("docs/x.md", "Write " + "more " * 40 + "\n\nBody")
    repository.run("merge", "-q", "--no-ff", "-m", "Merge topic", "topic")
    merge = repository.run("rev-parse", "HEAD")
    repository.push()

    commits = await found_in(real, repository)
    assert [commit.id for commit in commits] == [merge, second, first]
    newest = commits[0]
    assert (newest.branch, newest.tag, newest.message) == ("main", "", "Merge topic")
    assert newest.author == "writer <writer@acme.io>"
    assert newest.committer == "maintainer <maintainer@acme.io>"
    assert newest.subscription_name == "gitops"
    assert len(commits[1].message) == 80
    assert commits[1].message.endswith("...")

    # What the merge brought in counts as the merge's own change, whichever way it is looked for.
    for fields in (
        {"includePaths": ["chart"]},
        {"includePaths": ["glob:chart/**"]},
        {"excludePaths": ["docs", "README.md"]},
    ):
        assert [commit.id for commit in await found_in(real, repository, **fields)] == [merge]
    assert [commit.id for commit in await found_in(real, repository, includePaths=["README.md"])] == [first]
    assert [commit.id for commit in await found_in(real, repository, includePaths=["glob:*.md"])] == [first]
    assert [commit.id for commit in await found_in(real, repository, branch="topic")] == [on_topic, first]

    for version, expected in (
        (second, second),
        (first[:7], first),
        (first[:6], None),
        (on_topic, None),
        ("main", None),
    ):
        commit = await git.find(real, {"repoURL": repository.url}, "", version)
        assert (commit.id if commit else None) == expected


async def test_a_moved_file_is_a_change_of_both_places(repository, real):
    repository.commit("old/file.txt")
    repository.commit("other.txt")
    repository.run("mv", "old", "new")
    repository.run("commit", "-q", "-m", "Move")
    moved = repository.run("rev-parse", "HEAD")
    repository.push()
    for pattern in ("old", "new", "glob:old/*", "regex:^new/"):
        commits = await found_in(real, repository, includePaths=[pattern], discoveryLimit=1)
        assert [commit.id for commit in commits] == [moved]


async def test_tags_lead_to_their_commits(repository, real):
    repository.commit("chart/values.yaml", "One")
    repository.run("tag", "v1.0.0")
    repository.commit("README.md", "Two")
    repository.run("tag", "-a", "-m", "Second release", "v1.1.0")
    latest = repository.commit("chart/values.yaml", "Three")
    repository.run("tag", "nightly")
    repository.run("tag", "v2.0.0-rc.1")
    repository.push()

    async def tags(**fields):
        return [commit.tag for commit in await found_in(real, repository, **fields)]

    assert await tags(commitSelectionStrategy="SemVer") == ["v2.0.0-rc.1", "v1.1.0", "v1.0.0"]
    assert await tags(commitSelectionStrategy="SemVer", semverConstraint="*") == ["v1.1.0", "v1.0.0"]
    assert await tags(commitSelectionStrategy="Lexical") == ["v2.0.0-rc.1", "v1.1.0", "v1.0.0", "nightly"]
    assert await tags(commitSelectionStrategy="Lexical", discoveryLimit=1) == ["v2.0.0-rc.1"]
    assert sorted((await tags(commitSelectionStrategy="NewestTag"))[:2]) == ["nightly", "v2.0.0-rc.1"]
    assert (await tags(commitSelectionStrategy="NewestTag"))[2:] == ["v1.1.0", "v1.0.0"]
    assert await tags(commitSelectionStrategy="SemVer", includePaths=["chart"]) == ["v2.0.0-rc.1", "v1.0.0"]
    by_annotation = {"commitSelectionStrategy": "SemVer", "expressionFilter": "annotation startsWith 'Second'"}
    assert await tags(**by_annotation) == ["v1.1.0"]

    semver = {"repoURL": repository.url, "commitSelectionStrategy": "SemVer"}
    for version, expected in (("v1.1.0", "v1.1.0"), (latest, "v2.0.0-rc.1"), ("nightly", None), ("v9.9.9", None)):
        commit = await git.find(real, semver, "", version)
        assert (commit.tag if commit else None) == expected


async def test_what_was_pushed_since_is_seen(repository, real):
    first = repository.commit("a")
    repository.push()
    assert [commit.id for commit in await found_in(real, repository)] == [first]
    second = repository.commit("b")
    repository.push()
    assert [commit.id for commit in await found_in(real, repository)] == [second, first]


async def test_a_repository_without_commits_has_nothing(repository, real):
    assert await found_in(real, repository) == ()


async def test_where_nothing_moved_one_question_is_all(repository, context, tmp_path):
    trace = tmp_path / "trace"

    async def nobody(_url):
        return None

    port = MirroredGit(
        tmp_path / "traced",
        nobody,
        Identity("towpath", "towpath@example.com"),
        context.clock,
        allow_file=True,
        environment={"GIT_TRACE": str(trace)},
    )
    real = DiscoveryContext(port, context.registry, context.clock)
    for number in range(30):
        repository.commit("chart/values.yaml" if number % 10 == 0 else "README.md")
    repository.run("tag", "v1.0.0")
    repository.push()

    async def poll(previous, **fields):
        trace.write_text("")
        found = await git.discover(replace(real, previous=previous), {"repoURL": repository.url, **fields}, "")
        commands = re.findall(r"exec: git (\S+)|built-in: git (\S+)", trace.read_text())
        ours = [name for pair in commands for name in pair if name]
        return found, [name for name in ours if name not in {"upload-pack", "cat-file"}]

    for fields in (
        {"includePaths": ["glob:chart/**"]},
        {"commitSelectionStrategy": "SemVer"},
        {"expressionFilter": "subject startsWith 'Change'"},
    ):
        first, _ = await poll(None, **fields)
        again, asked = await poll(first, **fields)
        assert again is first
        assert asked == ["ls-remote"]
    by_path, _ = await poll(None, includePaths=["glob:chart/**"])
    repository.commit("README.md")
    repository.push()
    moved, asked = await poll(by_path, includePaths=["glob:chart/**"])
    assert moved.artifacts == by_path.artifacts
    assert moved.created == by_path.created
    assert asked.count("diff-tree") == 1  # that of the new commit: the others' never change
    await port.close()


async def test_what_the_time_of_day_decides_is_looked_at_each_time(context, known_git):
    known = known_git([("one", ["README.md"])])
    fields = config(expressionFilter="commitDate > now() - duration('24h')")
    first = await git.discover(replace(context, git=known), fields, "")
    assert first.state == ""
    again = await git.discover(replace(context, git=known, previous=first), fields, "")
    assert (again, again is first) == (first, False)


async def test_a_tag_made_anew_on_the_same_commit_is_seen(repository, real):
    repository.commit("README.md")
    for tag in ("a", "b"):
        repository.run("tag", "-a", "-m", f"First {tag}", tag)
    repository.push()
    fields = {"repoURL": repository.url, "commitSelectionStrategy": "NewestTag"}
    first = await git.discover(real, fields, "")
    assert [one.tag for one in first.artifacts] == ["b", "a"]

    repository.run("tag", "-f", "-a", "-m", "Second a", "a")
    repository.run("push", "-q", "-f", "--tags", "origin")

    again = await git.discover(replace(real, previous=first), fields, "")
    assert [one.tag for one in again.artifacts] == ["a", "b"]


async def test_the_repository_of_a_look_is_not_asked_twice(repository, real):
    """Its refs are what a look begins with. What comes while it lasts is asked for: it was told of."""
    first = repository.commit("README.md")
    repository.run("tag", "v1.0.0")
    repository.push()
    look = replace(real, git=real.git.for_one_look())
    await look.git.seen(repository.url)

    second = repository.commit("README.md")
    repository.run("tag", "v1.1.0")
    repository.push()
    for fields in ({}, {"branch": "main"}, {"commitSelectionStrategy": "SemVer"}):
        assert (await found_in(look, repository, **fields))[0].id == first
    for fields in ({}, {"commitSelectionStrategy": "SemVer"}):
        assert (await found_in(replace(look, since=time.monotonic()), repository, **fields))[0].id == second
    third = repository.commit("README.md")
    repository.push()
    assert (await found_in(look, repository))[0].id == second
    assert (await found_in(replace(look, git=real.git.for_one_look()), repository))[0].id == third


async def test_by_hand_what_is_newest_is_found_even_in_a_look_that_began_before(repository, real):
    repository.commit("README.md")
    repository.push()
    look = replace(real, git=real.git.for_one_look())
    await look.git.seen(repository.url)
    second = repository.commit("README.md")
    repository.push()
    found = await git.find(look, {"repoURL": repository.url}, "gitops", second)
    assert found.id == second
