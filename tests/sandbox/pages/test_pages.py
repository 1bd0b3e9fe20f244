"""What the pages show, and to whom."""

from __future__ import annotations

import pytest

from tests.sandbox.driver import GitHub
from tests.sandbox.pages.site import Site
from tests.sandbox.pages.story import HOSTILE

REPO = "/acme/service-cicd"


@pytest.fixture(autouse=True)
async def _told(story: str) -> None:
    """Every test here looks at the story."""


async def test_the_first_page_leads_to_repositories_stages_and_images(site: Site, github: GitHub) -> None:
    storage = github.sandbox.world.directory / "registry" / "repositories" / "acme" / "service"
    (storage / "_manifests").mkdir(parents=True)
    (storage / "_tags").mkdir()
    (storage / "_tags" / "1.0.0").write_text("sha256:0")

    page = await site.open("/")

    assert page.status == 200
    assert "acme/service-cicd private What runs in which stage" in page.words
    assert "1 open pull request · 1 issue" in page.words
    assert "uat 1.0.0 as acme/service-cicd says" in page.words
    wanted = {REPO, f"{REPO}/pulls", "/cluster/uat", "/cluster/uat/test", "/v2/acme/service/tags/list", "/apps/towpath"}
    assert wanted <= set(page.reader.links)


async def test_a_list_of_pull_requests_says_how_each_stands(site: Site) -> None:
    opened, closed = await site.open(f"{REPO}/pulls"), await site.open(f"{REPO}/pulls?state=closed")
    everything = await site.open(f"{REPO}/pulls?state=all")

    assert "1 open 2 closed 3 in all" in opened.words
    assert "Promote service 1.1.0 to test" in opened.words
    assert "1 of 3 checks not finished" in opened.words
    assert "promotion stage/test #3 opened" in opened.words
    assert "by towpath bot · promotion/test → main" in opened.words
    assert (
        "span",
        {"class": "chip", "style": "--chip:#0e8a16", "title": "A promotion by Towpath"},
    ) in opened.reader.tags
    assert "1.1.0" not in closed.words
    assert "#2 merged" in closed.words
    assert "#4 closed" in closed.words
    assert [link for link in everything.reader.links if "/pull/" in link] == [f"{REPO}/pull/{n}" for n in (4, 3, 2)]


async def test_a_pull_request_shows_all_that_is_known_of_it(site: Site) -> None:
    page = await site.open(f"{REPO}/pull/3")

    assert page.status == 200
    assert "Promote service 1.1.0 to test #3" in page.words
    assert "towpath bot wants to merge 3 commits into main from promotion/test" in page.words
    assert "towpath:record" not in page.html
    assert ("table", {}) in page.reader.tags
    assert "/promote uat 👀 eyes 1" in page.words
    assert "it is not verified in test . Merge #3 first." in page.words
    assert "ci/build Built in 12 s" in page.words
    assert "promotion/test service 1.1.0 may enter test" in page.words
    assert "verified in test" in page.words
    assert "3 files changed, +902 -1" in page.words
    assert "image: registry.example/acme/service:1.0.0 image: registry.example/acme/service:1.1.0" in page.words
    assert "Ready to be merged" in page.words
    assert not page.reader.unbalanced


async def test_a_long_file_is_folded_and_a_short_one_is_not(site: Site) -> None:
    page = await site.open(f"{REPO}/pull/3")

    files = [
        attributes for tag, attributes in page.reader.tags if tag == "details" and "file" in attributes.get("class", "")
    ]
    assert ["open" in attributes for attributes in files] == [False, True, True]


async def test_a_merged_pull_request_shows_what_the_merge_came_to(site: Site) -> None:
    page = await site.open(f"{REPO}/pull/2")

    assert "Merged maintainer merged 1 commit" in page.words
    assert "Checks on the merge commit" in page.words
    assert "verification/uat uat is not well with service 1.0.0: greeting" in page.words
    assert "out/stages/uat/manifests.yaml:10 failure this image" in page.words
    assert page.words.index("merged this as") < page.words.index("brings back what was there before")
    assert not page.has_button("Merge pull request")


async def test_hostile_words_are_words_everywhere(site: Site, github: GitHub, story: str) -> None:
    outsiders = github.user("writer")
    (await outsiders.post(f"{story}/issues/4/comments", {"body": HOSTILE})).ok(201)
    (await outsiders.post(f"{story}/issues", {"title": HOSTILE, "body": HOSTILE})).ok(201)
    head = (await outsiders.get(f"{story}/pulls/4")).ok()["head"]["sha"]
    output = {"title": HOSTILE, "summary": HOSTILE, "text": HOSTILE}
    bad = {"name": HOSTILE, "head_sha": head, "output": output, "details_url": "javascript:alert(1)"}
    await (await github.bot()).post(f"{story}/check-runs", bad)
    await github.file(story, "<b>&.md", HOSTILE, branch="<i>'\"")

    for path in (
        f"{REPO}/pulls?state=all", f"{REPO}/pull/4", f"{REPO}/issues", f"{REPO}/issues/5", f"{REPO}/commit/{head}",
        f"{REPO}/tree/%3Ci%3E'%22", f"{REPO}/blob/%3Ci%3E'%22/%3Cb%3E&.md", f"{REPO}/commits/%3Ci%3E'%22",
        f"{REPO}/compare/main...%3Ci%3E'%22", REPO, "/%3Cscript%3E", f"{REPO}/pulls?state=%3Cscript%3E",
    ):  # fmt: skip
        page = await site.open(path)
        tags = {tag for tag, _ in page.reader.tags}
        assert not tags & {"script", "i", "u", "iframe", "object"}, path
        assert not [
            attributes for _, attributes in page.reader.tags if any(name.startswith("on") for name in attributes)
        ]
        assert not [link for link in page.reader.links if link.startswith("javascript:")], path
        assert not page.reader.unbalanced, path
        assert page.headers["Content-Security-Policy"].startswith("default-src 'none';")


async def test_files_can_be_walked_through_in_branches_with_slashes(site: Site) -> None:
    top = await site.open(f"{REPO}/tree/promotion/test")
    folder = await site.open(f"{REPO}/tree/promotion/test/out/stages/test")
    file = await site.open(f"{REPO}/blob/promotion/test/out/stages/test/lock.json")
    raw = await site.open(f"{REPO}/raw/promotion/test/out/stages/test/lock.json")

    assert f"{REPO}/tree/promotion/test/out" in top.reader.links
    assert f"{REPO}/blob/promotion/test/out/stages/test/lock.json" in folder.reader.links
    assert '{"version": "1.1.0"}' in file.words
    assert (raw.html, raw.headers["Content-Type"]) == ('{"version": "1.1.0"}\n', "text/plain; charset=utf-8")


async def test_a_repository_opens_with_its_files_latest_commits_and_readme(site: Site) -> None:
    page = await site.open(REPO)

    assert "main of 4 branches" in page.words
    assert f"{REPO}/tree/main/chart" in page.reader.links
    assert "Latest commits write chart/values.yaml" in page.words
    assert "What runs where is said in out/stages . See #1 and ask @maintainer ." in page.words
    assert {f"{REPO}/issues/1", "/maintainer"} <= set(page.reader.links)


async def test_history_goes_on_over_pages(site: Site, github: GitHub, story: str) -> None:
    git = github.sandbox.world.git(next(iter(github.sandbox.world.repos)))
    tip = await git.run("rev-parse", "main")
    for number in range(31):
        identity = {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        tip = await git.run("commit-tree", f"{tip}^{{tree}}", "-p", tip, "-m", f"step {number}", extra=identity)
    await git.run("update-ref", "refs/heads/long", tip)

    first, second = await site.open(f"{REPO}/commits/long"), await site.open(f"{REPO}/commits/long?page=2")

    assert "step 30 " in first.words
    assert "step 0 " not in first.words
    assert "step 0 " in second.words
    assert "?page=2" in first.reader.links
    assert "?page=1" in second.reader.links


async def test_a_private_repository_is_not_there_for_an_outsider(site: Site) -> None:
    await site.become("outsider")

    assert "None that you may see" in (await site.open("/")).words
    for path in (REPO, f"{REPO}/pull/3", f"{REPO}/raw/main/README.md", f"{REPO}/pull/3.diff", "/acme/nothing"):
        page = await site.open(path)
        assert page.status == 404
        assert "There is nothing here that you may see." in page.words
        assert "Promote" not in page.html


async def test_who_one_is_is_remembered_and_the_default_is_the_maintainer(site: Site) -> None:
    before = await site.open(f"{REPO}/issues?state=all")
    form = before.form("Switch")
    after = await site.send(form.action, form.fields | {"account": "reader"})

    assert form.fields["account"] == "maintainer"
    assert (after.status, after.path) == (200, f"{REPO}/issues")
    assert after.form("Switch").fields["account"] == "reader"
    assert (await site.open("/")).form("Switch").fields["account"] == "reader"


async def test_the_app_shows_its_webhooks_to_members_only(site: Site) -> None:
    inside = await site.open("/apps/towpath")
    await site.become("outsider")

    assert "issue_comment.created" in inside.words
    assert "Webhooks" not in (await site.open("/apps/towpath")).words


async def test_a_pull_request_can_be_had_as_diff_and_patch(site: Site) -> None:
    diff, patch = await site.open(f"{REPO}/pull/3.diff"), await site.open(f"{REPO}/pull/3.patch")

    assert "+          image: registry.example/acme/service:1.1.0" in diff.html
    assert patch.html.count("\nSubject: [PATCH") == 3


async def test_an_empty_repository_says_how_to_fill_it(site: Site, github: GitHub) -> None:
    await github.repo("empty", auto_init=False)

    for path in ("/acme/empty", "/acme/empty.git"):
        page = await site.open(path)
        assert f"git clone {site.url}/acme/empty.git" in page.words
