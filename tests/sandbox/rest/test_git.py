"""Git data, contents, commits and branches over REST."""

from __future__ import annotations

import base64

from tests.sandbox.driver import GitHub


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_refs_are_made_found_moved_and_removed(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    first = (await owner.get(f"{repo}/git/ref/heads/main")).ok()["object"]["sha"]
    second = await github.file(repo, "a", "1")
    for ref, sha in (("refs/heads/promotion/test", first), ("refs/tags/v1", second)):
        (await owner.post(f"{repo}/git/refs", {"ref": ref, "sha": sha})).ok(201)
    names = [row["ref"] for row in (await owner.get(f"{repo}/git/matching-refs/heads/promotion/")).ok()]
    assert names == ["refs/heads/promotion/test"]
    assert (await owner.get(f"{repo}/git/ref/heads/promotion")).status == 404
    path = f"{repo}/git/refs/heads/promotion/test"
    (await owner.patch(path, {"sha": second})).ok()
    back = await owner.patch(path, {"sha": first})
    assert (back.status, back.body["message"]) == (422, "Update is not a fast forward")
    (await owner.patch(path, {"sha": first, "force": True})).ok()
    assert (await owner.patch(path, {"sha": "0" * 39 + "1"})).body["message"] == "Object does not exist"
    assert (await owner.delete(path)).status == 204
    assert (await owner.delete(path)).body["message"] == "Reference does not exist"
    for ref, sha, message in (
        ("refs/heads/main", first, "Reference already exists"),
        ("heads/x", first, "Reference name is not valid"),
        ("refs/heads/a..b", first, "Reference name is not valid"),
        ("refs/heads/x", "main", "The sha parameter"),
    ):
        refused = await owner.post(f"{repo}/git/refs", {"ref": ref, "sha": sha})
        assert refused.status == 422
        assert refused.body["message"].startswith(message)


async def test_a_tree_is_built_over_another_and_loses_what_is_removed(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "out/test/a.yaml", "a")
    base = await github.file(repo, "out/test/b.yaml", "b")
    entries = [
        {"path": "out/test/a.yaml", "mode": "100644", "type": "blob", "sha": None},
        {"path": "out/uat/c.yaml", "mode": "100644", "type": "blob", "content": "c"},
    ]
    made = (await owner.post(f"{repo}/git/trees", {"base_tree": base, "tree": entries})).ok(201)
    listed = (await owner.get(f"{repo}/git/trees/{made['sha']}?recursive=1")).ok()
    assert [row["path"] for row in listed["tree"] if row["type"] == "blob"] == [
        "README.md",
        "out/test/b.yaml",
        "out/uat/c.yaml",
    ]
    gone = [{"path": "out/test/z.yaml", "mode": "100644", "type": "blob", "sha": None}]
    assert (await owner.post(f"{repo}/git/trees", {"base_tree": base, "tree": gone})).status == 422
    evil = [{"path": "../x", "mode": "100644", "type": "blob", "content": "c"}]
    assert (await owner.post(f"{repo}/git/trees", {"tree": evil})).status == 422
    blob = (await owner.post(f"{repo}/git/blobs", {"content": b64("hä"), "encoding": "base64"})).ok(201)
    read = (await owner.get(f"{repo}/git/blobs/{blob['sha']}")).ok()
    assert base64.b64decode(read["content"]).decode() == "hä"


async def test_commits_and_tags_carry_the_names_given(github: GitHub) -> None:
    repo, bot = await github.repo(), await github.bot()
    head = (await bot.get(f"{repo}/commits/main")).ok()
    body = {"message": "as said", "tree": head["commit"]["tree"]["sha"], "parents": [head["sha"]]}
    plain = (await bot.post(f"{repo}/git/commits", body)).ok(201)
    assert plain["author"]["name"] == "towpath[bot]"
    who = {"name": "Release", "email": "release@example.com", "date": "2024-05-06T07:08:09+02:00"}
    named = (await bot.post(f"{repo}/git/commits", {**body, "author": who})).ok(201)
    assert named["author"] == {"name": "Release", "email": "release@example.com", "date": "2024-05-06T05:08:09Z"}
    tag = {"tag": "v1", "message": "first", "object": named["sha"], "type": "commit", "tagger": who}
    made = (await bot.post(f"{repo}/git/tags", tag)).ok(201)
    assert (await bot.get(f"{repo}/git/tags/{made['sha']}")).ok()["message"] == "first"
    (await bot.post(f"{repo}/git/refs", {"ref": "refs/tags/v1", "sha": made["sha"]})).ok(201)
    assert (await bot.get(f"{repo}/commits/v1")).ok()["sha"] == named["sha"]
    assert (await bot.get(f"{repo}/git/ref/tags/v1")).ok()["object"]["type"] == "tag"


async def test_content_is_written_read_and_removed(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    path = f"{repo}/contents/charts/app/values.yaml"
    made = (await owner.put(path, {"message": "new", "content": b64("a: 1\n")})).ok(201)
    assert (await owner.put(path, {"message": "x", "content": b64("a: 2\n")})).status == 422
    wrong = {"message": "x", "content": b64("a: 2\n"), "sha": "1" * 40}
    assert (await owner.put(path, wrong)).status == 409
    right = {"message": "x", "content": b64("a: 2\n"), "sha": made["content"]["sha"]}
    changed = (await owner.put(path, right)).ok()
    assert [row["name"] for row in (await owner.get(f"{repo}/contents/charts")).ok()] == ["app"]
    assert {row["name"] for row in (await owner.get(f"{repo}/contents")).ok()} == {"README.md", "charts"}
    raw = await owner.get(path, Accept="application/vnd.github.raw+json")
    assert raw.body == b"a: 2\n"
    old = (await owner.get(f"{path}?ref={made['commit']['sha']}")).ok()
    assert base64.b64decode(old["content"]) == b"a: 1\n"
    (await owner.delete(path, {"message": "gone", "sha": changed["content"]["sha"]})).ok()
    assert (await owner.get(path)).status == 404
    assert (await owner.get(f"{path}?ref=nowhere")).body["message"] == "No commit found for the ref nowhere"


async def test_history_is_listed_by_path_and_compared(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    first = await github.file(repo, "a", "1\n2\n3\n")
    await github.file(repo, "b", "1")
    tip = await github.file(repo, "a", "1\n2\n4\n", "topic")
    assert [row["sha"] for row in (await owner.get(f"{repo}/commits?path=a&sha=topic")).ok()] == [tip, first]
    paged = await owner.get(f"{repo}/commits?per_page=1&page=2")
    assert [row["commit"]["message"] for row in paged.ok()] == ["write a"]
    assert 'page=3>; rel="next"' in paged.headers["Link"]
    assert 'page=1>; rel="first"' in paged.headers["Link"]
    seen = (await owner.get(f"{repo}/compare/main...topic")).ok()
    assert (seen["status"], seen["ahead_by"], seen["behind_by"]) == ("ahead", 1, 0)
    (changed,) = seen["files"]
    assert (changed["filename"], changed["additions"], changed["deletions"]) == ("a", 1, 1)
    assert changed["patch"].startswith("@@ -1,3 +1,3 @@")
    assert (await owner.get(f"{repo}/compare/topic...main")).ok()["status"] == "behind"
    assert (await owner.get(f"{repo}/commits/{tip}")).ok()["stats"]["total"] == 2
    diff = await owner.get(f"{repo}/commits/{tip}", Accept="application/vnd.github.diff")
    assert b"diff --git a/a b/a" in diff.body
    assert (await owner.get(f"{repo}/commits/nowhere")).status == 404


async def test_branches_are_listed_and_found_with_slashes_in_their_names(github: GitHub) -> None:
    repo, owner = await github.repo(), github.user("owner")
    await github.file(repo, "a", "1", "promotion/test")
    assert [row["name"] for row in (await owner.get(f"{repo}/branches")).ok()] == ["main", "promotion/test"]
    for name in ("promotion/test", "promotion%2Ftest"):
        assert (await owner.get(f"{repo}/branches/{name}")).ok()["name"] == "promotion/test"
    assert (await owner.get(f"{repo}/branches/promotion")).status == 404


async def test_an_app_without_the_workflows_permission_cannot_write_workflows(github: GitHub) -> None:
    repo = await github.repo()
    bot = await github.bot({"permissions": {"contents": "write"}})
    path = ".github/workflows/ci.yaml"
    refused = await bot.put(f"{repo}/contents/{path}", {"message": "x", "content": b64("x")})
    assert refused.status == 403
    entry = {"path": path, "mode": "100644", "type": "blob", "content": "x"}
    assert (await bot.post(f"{repo}/git/trees", {"tree": [entry]})).status == 403
    (await (await github.bot()).put(f"{repo}/contents/{path}", {"message": "x", "content": b64("x")})).ok(201)
