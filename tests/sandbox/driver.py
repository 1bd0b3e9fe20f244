"""The sandbox as tests drive it, from any folder: running, seeded, judged by GitHub's description, with clients."""

from __future__ import annotations

import asyncio
import base64
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aiohttp
import jwt
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from bot.sandbox.seed import Keys, seed
from bot.sandbox.server import Sandbox, start
from tests.contract.recording import ContractWatch


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer, its body parsed if it is JSON."""

    status: int
    headers: Any
    body: Any

    def ok(self, status: int = 200) -> Any:
        """The body, if the status is the expected one."""
        assert self.status == status, f"{self.status}: {self.body}"
        return self.body


@dataclass(frozen=True, slots=True)
class Client:
    """Speaks REST with one `Authorization` header."""

    url: str
    authorization: str | None
    session: aiohttp.ClientSession

    async def call(self, method: str, path: str, json: Any = None, **headers: str) -> Answer:
        """One call; `path` starts after `/api/v3`. Header names are written with underscores."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.authorization:
            sent["Authorization"] = self.authorization
        address = path if path.startswith("http") else f"{self.url}/api/v3{path}"
        async with self.session.request(method, address, json=json, headers=sent) as response:
            raw = await response.read()
            is_json = response.content_type == "application/json"
            return Answer(response.status, response.headers, await response.json() if raw and is_json else raw)

    async def get(self, path: str, **headers: str) -> Answer:
        """GET."""
        return await self.call("GET", path, **headers)

    async def post(self, path: str, json: Any = None) -> Answer:
        """POST."""
        return await self.call("POST", path, json)

    async def put(self, path: str, json: Any = None) -> Answer:
        """PUT."""
        return await self.call("PUT", path, json)

    async def patch(self, path: str, json: Any = None) -> Answer:
        """PATCH."""
        return await self.call("PATCH", path, json)

    async def delete(self, path: str, json: Any = None) -> Answer:
        """DELETE."""
        return await self.call("DELETE", path, json)


@dataclass(frozen=True, slots=True)
class GitHub:
    """The sandbox as tests use it."""

    sandbox: Sandbox
    keys: Keys
    session: aiohttp.ClientSession
    received: list[tuple[dict[str, str], bytes]]
    watch: ContractWatch

    def user(self, login: str) -> Client:
        """A client for one of the accounts."""
        return Client(self.sandbox.url, f"token {self.keys.tokens[login]}", self.session)

    def anonymous(self) -> Client:
        """A client without credentials."""
        return Client(self.sandbox.url, None, self.session)

    def jwt(self, lifetime: int = 540, issuer: object = None, issued: int = -60) -> str:
        """The App's JSON web token."""
        now = int(time.time())
        claims = {"iat": now + issued, "exp": now + lifetime, "iss": str(issuer or self.keys.app_id)}
        return jwt.encode(claims, _key_in(self.keys.private_key_path.read_text()), algorithm="RS256")

    def app(self, token: str | None = None) -> Client:
        """A client for the App itself."""
        return Client(self.sandbox.url, f"Bearer {token or self.jwt()}", self.session)

    async def installation_token(self, narrowed: Any = None) -> str:
        """A fresh installation token."""
        (row,) = (await self.app().get("/app/installations")).ok()
        made = await self.app().post(f"/app/installations/{row['id']}/access_tokens", narrowed)
        token: str = made.ok(201)["token"]
        return token

    async def bot(self, narrowed: Any = None) -> Client:
        """A client for the App's installation."""
        return Client(self.sandbox.url, f"Bearer {await self.installation_token(narrowed)}", self.session)

    async def repo(self, name: str = "gitops", **settings: Any) -> str:
        """A new repository of the organisation with a first commit; returns its API path."""
        made = await self.user("owner").post("/orgs/acme/repos", {"name": name, "auto_init": True, **settings})
        made.ok(201)
        return f"/repos/acme/{name}"

    async def mergeable(self, pull: str, client: Client | None = None) -> Any:
        """The pull request at an API path, once it is known whether it can be merged; bounded."""
        asking = client or self.user("owner")
        async with asyncio.timeout(60):
            seen = (await asking.get(pull)).ok()
            while seen["mergeable"] is None:
                await asyncio.sleep(0.01)
                seen = (await asking.get(pull)).ok()
        return seen

    async def file(self, repo: str, path: str, text: str, branch: str = "main") -> str:
        """Write a file on a branch, made from the default branch if missing; returns the commit."""
        owner = self.user("owner")
        if (await owner.get(f"{repo}/git/ref/heads/{branch}")).status == 404:
            main = (await owner.get(f"{repo}/git/ref/heads/main")).ok()["object"]["sha"]
            (await owner.post(f"{repo}/git/refs", {"ref": f"refs/heads/{branch}", "sha": main})).ok(201)
        body = {"message": f"write {path}", "content": base64.b64encode(text.encode()).decode(), "branch": branch}
        found = await owner.get(f"{repo}/contents/{path}?ref={branch}")
        if found.status == 200:
            body["sha"] = found.body["sha"]
        made = await owner.put(f"{repo}/contents/{path}", body)
        assert made.status in (200, 201), made.body
        sha: str = made.body["commit"]["sha"]
        return sha

    async def pull(self, repo: str, head: str, base: str = "main", **more: Any) -> str:
        """Open a pull request as the owner; returns its API path."""
        body = {"title": f"{head} into {base}", "head": head, "base": base, **more}
        made = (await self.user("owner").post(f"{repo}/pulls", body)).ok(201)
        return f"{repo}/pulls/{made['number']}"

    async def events(self) -> list[str]:
        """What the App was told, in order, as `event` or `event.action`."""
        await self.sandbox.settle()
        rows = self.sandbox.world.deliveries
        return [f"{row.event}.{row.action}" if row.action else row.event for row in rows]


def new_key() -> str:
    """A private key for the App. Making one takes longer than most tests: share it."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    return pem.decode()


@cache
def _key_in(pem: str) -> RSAPrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def _give_key(directory: Path, app_key: str) -> None:
    if not directory.exists():
        directory.mkdir()
        (directory / "app.pem").write_text(app_key)


@asynccontextmanager
async def running_github(directory: Path, app_key: str, webhook_url: str | None = None) -> AsyncIterator[GitHub]:
    """The seeded sandbox in `directory`, with an App that takes its webhooks; all it says is judged at the end.

    With `webhook_url` they go there, and `received` stays empty.
    """
    received: list[tuple[dict[str, str], bytes]] = []

    async def take(request: web.Request) -> web.Response:
        received.append((dict(request.headers), await request.read()))
        return web.Response(status=202)

    app = web.Application(client_max_size=1 << 25)
    app.router.add_post("/webhook", take)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await asyncio.to_thread(_give_key, directory, app_key)
    watch = ContractWatch()
    sandbox = await start(directory, observers=[watch])
    port = runner.addresses[0][1]
    keys = await seed(sandbox, webhook_url=webhook_url or f"http://127.0.0.1:{port}/webhook")
    async with aiohttp.ClientSession() as session:
        yield GitHub(sandbox, keys, session, received, watch)
        await sandbox.settle()
    await sandbox.close()
    await runner.cleanup()
    watch.verify()
