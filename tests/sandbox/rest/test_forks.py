"""Forks: a person's copy, from which anybody who may read can propose."""

from __future__ import annotations

from tests.sandbox.driver import GitHub


async def test_a_fork_is_made_once_and_holds_what_its_parent_does(github: GitHub) -> None:
    repo, reader = await github.repo(), github.user("reader")

    made = (await reader.post(f"{repo}/forks")).ok(202)
    again = (await reader.post(f"{repo}/forks")).ok(202)

    assert made["full_name"] == "reader/gitops"
    assert again["id"] == made["id"]
    theirs = (await reader.get("/repos/reader/gitops/git/ref/heads/main")).ok()["object"]["sha"]
    assert theirs == (await reader.get(f"{repo}/git/ref/heads/main")).ok()["object"]["sha"]


async def test_an_installation_makes_no_forks(github: GitHub) -> None:
    repo = await github.repo()
    assert (await (await github.bot()).post(f"{repo}/forks")).status == 403


async def test_a_pull_request_from_a_fork_can_be_read_at_its_head(github: GitHub) -> None:
    repo, reader = await github.repo(), github.user("reader")
    (await reader.post(f"{repo}/forks")).ok(202)
    body = {"message": "propose", "content": "aGVsbG8=", "branch": "main"}
    (await reader.put("/repos/reader/gitops/contents/hello.txt", body)).ok(201)

    pull = (await reader.post(f"{repo}/pulls", {"title": "hello", "head": "reader:main", "base": "main"})).ok(201)

    assert pull["head"]["repo"]["full_name"] == "reader/gitops"
    (changed,) = (await reader.get(f"{repo}/pulls/{pull['number']}/files")).ok()
    assert changed["filename"] == "hello.txt"
    found = (await reader.get(f"{repo}/contents/hello.txt?ref={pull['head']['sha']}")).ok()
    assert found["content"].strip() == "aGVsbG8="
