"""A secret serves the steps, and is nowhere to be seen: not on GitHub, not in the log, not in the record."""

import base64
import io
import json
import logging
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.observers import Exchange, Webhook
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPOSITORY, scene

TOKEN = "t0ps3cret-of-acme/+"
FORMS = (TOKEN, "t0ps3cret", base64.b64encode(TOKEN.encode()).decode().rstrip("="), "t0ps3cret-of-acme%2F%2B")
PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    promotionTemplate:
      spec:
        vars: [{name: token, value: "${{ secret('cd').token }}"}]
        steps:
          - uses: http
            as: say
            config:
              url: SERVICE/say
              headers: [{name: Authorization, value: "Bearer ${{ vars.token }}"}]
              queryParams: [{name: missing, value: "${{ string(secret('none').token ?? 'nothing') }}"}]
              outputs: [{name: said, fromExpression: response.body.said}]
          - {uses: git-clone, config: {checkout: [{branch: main, path: ./src}]}}
          - {uses: file-write, config: {path: ./src/out/said.txt, contents: "${{ outputs.say.said }}"}}
          - {uses: git-commit, config: {path: ./src/out, message: "The service was asked"}}
          - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
          - uses: git-open-pr
            config: {title: "Ask with ${{ outputs.say.said }}", description: "It said ${{ outputs.say.said }}."}
  broken:
    from: service
    auto: true
    promotionTemplate:
      spec:
        steps:
          - {uses: fail, config: {message: "Not with ${{ secret('cd').token }}!"}}
"""


@pytest.fixture
async def service() -> AsyncIterator[tuple[str, list[str]]]:
    """A service that repeats what it is told, as careless ones do; and the authorization it was shown."""
    shown: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        shown.append(request.headers["Authorization"])
        encoded = base64.b64encode(f"octocat:{TOKEN}".encode()).decode()
        return web.json_response({"said": f"{shown[-1]} {encoded} {request.query_string}"})

    app = web.Application()
    app.router.add_get("/say", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/"), shown


class Written:
    """All that the bot has sent to GitHub's API."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def exchange(self, exchange: Exchange) -> None:
        if "/git/" not in exchange.path:
            self.texts.append(json.dumps(exchange.request, ensure_ascii=False))

    def webhook(self, webhook: Webhook) -> None:
        pass


async def test_a_secret_serves_the_steps_and_nobody_else(
    github: GitHub, tmp_path: Path, service: tuple[str, list[str]]
) -> None:
    folder = tmp_path / "secrets" / REPOSITORY / "cd"
    folder.mkdir(parents=True)
    (folder / "token").write_text(f"{TOKEN}\n")
    url, shown = service
    written, log = Written(), io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    github.sandbox.record.observers.append(written)
    try:
        files = {".promotion.yaml": PIPELINE.replace("SERVICE", url)}
        async with scene(github, tmp_path / "bot", files, SECRETS_DIR=str(tmp_path / "secrets")) as shop:
            await shop.publish("1.0.0")

            pull = await shop.proposal("test")
            head = await shop.read("out/said.txt", pull["head"]["ref"])
            logging.getLogger("bot.secrets").warning("somebody logs %s", TOKEN, extra={"data": {"token": TOKEN}})
            writes = len(written.texts)
            await shop.publish("0.9.0")  # nothing new, and yet a look
    finally:
        logging.getLogger().removeHandler(handler)

    assert set(shown) == {f"Bearer {TOKEN}"}, "the service saw it"
    assert TOKEN in head, "what a step writes into a file is its author's will"
    told = "Bearer *** b2N0b2NhdDp*** missing=nothing"  # octocat: and the token
    assert pull["title"] == f"Ask with {told}"
    assert f"It said {told}." in pull["body"]
    (payload,) = re.findall(r"<!-- towpath:record ([\w-]+)\.", pull["body"])
    record = base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
    assert "Bearer ***" in record
    everything = [record, log.getvalue(), *written.texts]
    assert not [(form, text) for form in FORMS for text in everything if form in text]
    assert any("Not with ***!" in text for text in written.texts)
    assert "somebody logs ***" in log.getvalue()
    again = [text for text in written.texts[writes:] if "***" in text]
    assert not again, "what was masked is not taken for something else, and written again"
