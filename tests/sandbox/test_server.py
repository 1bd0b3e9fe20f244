"""The sandbox from outside: the main flow once, over HTTP and with git itself."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
from pathlib import Path

import aiohttp
from aiohttp import web

from bot.sandbox.hooks import Hooks
from bot.sandbox.server import start
from bot.sandbox.world import World
from tests.sandbox.driver import GitHub


async def git(*arguments: str, cwd: Path) -> tuple[int, str]:
    """Run git as a person would; returns status and everything it said."""
    process = await asyncio.create_subprocess_exec(
        "git", "-c", "user.name=writer", "-c", "user.email=writer@example.com", *arguments,
        cwd=cwd, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env={"PATH": "/usr/bin:/bin", "HOME": str(cwd), "GIT_TERMINAL_PROMPT": "0"},
    )  # fmt: skip
    out, _ = await process.communicate()
    return process.returncode or 0, out.decode()


async def test_an_app_goes_from_a_token_to_a_merged_pull_request(github: GitHub) -> None:
    repo = await github.repo()
    bot = await github.bot({"repositories": ["gitops"]})
    main = (await bot.get(f"{repo}/git/ref/heads/main")).ok()["object"]["sha"]
    blob = (await bot.post(f"{repo}/git/blobs", {"content": "hello\n"})).ok(201)["sha"]
    entry = {"path": "out/app.yaml", "mode": "100644", "type": "blob", "sha": blob}
    base_tree = (await bot.get(f"{repo}/git/commits/{main}")).ok()["tree"]["sha"]
    tree = (await bot.post(f"{repo}/git/trees", {"base_tree": base_tree, "tree": [entry]})).ok(201)["sha"]
    commit = (await bot.post(f"{repo}/git/commits", {"message": "Add", "tree": tree, "parents": [main]})).ok(201)
    new_ref = {"ref": "refs/heads/promotion/test", "sha": commit["sha"]}
    (await bot.post(f"{repo}/git/refs", new_ref)).ok(201)
    asked = {"title": "Promote", "body": "please", "head": "promotion/test", "base": "main"}
    made = (await bot.post(f"{repo}/pulls", asked)).ok(201)
    assert (made["number"], made["mergeable"], made["commits"], made["changed_files"]) == (1, None, 1, 1)
    again = await bot.post(f"{repo}/pulls", asked)
    assert again.status == 422
    assert again.body["errors"][0]["message"] == "A pull request already exists for acme:promotion/test."
    assert (await bot.get(f"{repo}/pulls/1")).ok()["mergeable"] is None
    seen = await github.mergeable(f"{repo}/pulls/1", bot)
    assert (seen["mergeable"], seen["mergeable_state"]) == (True, "clean")
    assert [row["filename"] for row in (await bot.get(f"{repo}/pulls/1/files")).ok()] == ["out/app.yaml"]
    assert [row["sha"] for row in (await bot.get(f"{repo}/pulls/1/commits")).ok()] == [commit["sha"]]
    assert (await bot.get(f"{repo}/pulls/1/merge")).status == 404
    wrong = await bot.put(f"{repo}/pulls/1/merge", {"sha": main})
    assert wrong.status == 409
    landed = (await bot.put(f"{repo}/pulls/1/merge", {"sha": commit["sha"], "merge_method": "squash"})).ok()
    assert (await bot.get(f"{repo}/pulls/1/merge")).status == 204
    assert (await bot.put(f"{repo}/pulls/1/merge")).status == 405
    head = (await bot.get(f"{repo}/commits/main")).ok()
    assert head["sha"] == landed["sha"]
    assert head["commit"]["message"] == "Add (#1)"
    found = (await bot.get(f"{repo}/contents/out/app.yaml")).ok()
    assert base64.b64decode(found["content"]) == b"hello\n"
    assert await github.events() == [
        "repository.created",
        "create",
        "push",
        "check_suite.requested",
        "create",
        "push",
        "check_suite.requested",
        "pull_request.opened",
        "push",
        "check_suite.requested",
        "pull_request.closed",
    ]
    assert github.sandbox.record.unserved == []


async def test_webhooks_are_signed_and_numbered(github: GitHub) -> None:
    await github.repo()
    await github.events()
    guids = {headers["X-GitHub-Delivery"] for headers, _ in github.received}
    assert len(guids) == len(github.received) == 4
    for headers, body in github.received:
        signature = hmac.new(github.keys.webhook_secret.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Hub-Signature-256"] == f"sha256={signature}"
        assert json.loads(body)["installation"]["id"]
    told = [headers["X-GitHub-Event"] for headers, _ in github.received]
    assert told == ["repository", "create", "push", "check_suite"]


async def test_git_clones_and_pushes_and_open_pull_requests_follow(github: GitHub, tmp_path: Path) -> None:
    repo = await github.repo()
    token = await github.installation_token()
    address = f"{github.sandbox.url}/acme/gitops.git".replace("://", f"://x-access-token:{token}@")
    assert (await git("clone", "--quiet", address, "work", cwd=tmp_path))[0] == 0
    work = tmp_path / "work"
    (work / "big.bin").write_bytes(bytes(range(256)) * 12_000)  # over git's http.postBuffer: sent in chunks
    for line in (["checkout", "-q", "-b", "topic"], ["add", "."], ["commit", "-q", "-m", "one"]):
        assert (await git(*line, cwd=work))[0] == 0
    status, said = await git("push", "-q", "origin", "topic", cwd=work)
    assert status == 0, said
    bot = await github.bot()
    pull = (await bot.post(f"{repo}/pulls", {"title": "t", "head": "topic", "base": "main"})).ok(201)
    await git("commit", "-q", "--allow-empty", "-m", "two", cwd=work)
    await git("push", "-q", "origin", "topic", cwd=work)
    after = (await bot.get(f"{repo}/pulls/1")).ok()
    assert after["head"]["sha"] != pull["head"]["sha"]
    assert after["commits"] == 2
    status, said = await git("push", "-q", "origin", "topic:main", cwd=work)
    assert status == 0, said
    assert (await bot.get(f"{repo}/pulls/1")).ok()["merged"] is True
    assert (await github.events())[4:] == [
        "create",
        "push",
        "check_suite.requested",
        "pull_request.opened",
        "push",
        "check_suite.requested",
        "pull_request.synchronize",
        "push",
        "pull_request.closed",
    ]


async def test_git_refuses_whom_it_should(github: GitHub, tmp_path: Path) -> None:
    await github.repo("public")
    await github.repo("secret", private=True)
    cases = [
        ("outsider", "public", "clone", 0),
        ("outsider", "secret", "clone", 128),
        ("reader", "secret", "clone", 0),
        ("reader", "secret", "push", 128),
        ("writer", "secret", "push", 0),
    ]
    for number, (login, name, what, expected) in enumerate(cases):
        token = github.keys.tokens[login]
        address = f"{github.sandbox.url}/acme/{name}.git".replace("://", f"://x-access-token:{token}@")
        folder = f"work{number}"
        status, said = await git("clone", "--quiet", address, folder, cwd=tmp_path)
        if what == "push":
            assert status == 0, said
            await git("commit", "-q", "--allow-empty", "-m", "x", cwd=tmp_path / folder)
            status, said = await git("push", "-q", "origin", "main", cwd=tmp_path / folder)
        assert status == expected, (login, name, what, said)


async def test_further_routes_plug_in_beside_github(tmp_path: Path) -> None:
    def plug(world: World, hooks: Hooks) -> list[web.RouteDef]:
        async def answer(_: web.Request) -> web.Response:
            return web.Response(text=f"{len(world.repos)} {hooks.pending()}")

        return [web.get("/v2/", answer)]

    sandbox = await start(tmp_path, plugs=[plug])
    async with aiohttp.ClientSession() as session, session.get(f"{sandbox.url}/v2/") as response:
        assert await response.text() == "0 0"
    await sandbox.close()
