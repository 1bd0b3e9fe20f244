"""Services repeat what they are shown, in every spelling; commits, verdicts and failures tell it on. Nobody is told."""

import base64
import io
import json
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.sandbox.observers import Exchange
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO, REPOSITORY, Scene, scene

TOKEN = 'correct"horse\\battery/staple+of-acme'
SHORT = "k7x"
SPELLINGS = {
    "as it is": TOKEN,
    "in JSON": json.dumps({"authorization": TOKEN}),
    "in a URL": f"https://service.example.com/?token={quote(TOKEN, safe='')}",
    "in base64": base64.b64encode(f"octocat:{TOKEN}".encode()).decode(),
    "in lines": "\n".join(
        base64.encodebytes(f"{TOKEN} and so on, far beyond the end of one line".encode()).decode().split()
    ),
    "in the middle of much": "x" * 480 + TOKEN,
    "as a word": f"the pin is {SHORT}.",
}
# What is left of it where it is not masked: a part of any spelling that stands for five letters or more.
LEFT = (
    "horse",
    "battery",
    "staple",
    "aG9yc2",
    "hvcnNl",
    "ob3JzZ",
    "YmF0dG",
    "JhdHRl",
    "iYXR0Z",
    "c3RhcG",
    "N0YXBs",
    "zdGFwb",
    "k7x",
)

STEPS = """\
  {name}:
    from: service
    auto: true
    promotionTemplate:
      spec:
        steps:
          - uses: http
            config:
              url: SERVICE/{name}
              headers:
              - {{name: Authorization, value: "${{{{ secret('cd').token }}}}"}}
              - {{name: Pin, value: "${{{{ secret('cd').pin }}}}"}}
              failureExpression: response.status == 200
              errorExpression: response.body.said
"""
# Where a long message is cut in the middle, within the secret.
LONG = """\
  long:
    from: service
    auto: true
    promotionTemplate:
      spec:
        steps:
          - uses: fail
            config: {message: "${{ repeat('x', 985) + secret('cd').token + repeat('y', 3000) }}"}
"""
PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    merge: auto
    verify: [echo]
    promotionTemplate:
      spec:
        vars: [{name: token, value: "${{ secret('cd').token }}"}]
        steps:
          - {uses: git-clone, config: {checkout: [{branch: main, path: ./src}]}}
          - {uses: file-write, config: {path: ./src/out/a.txt, contents: "a"}}
          - uses: git-commit
            config:
              path: ./src/out
              message: "Asked with ${{ vars.token }}"
              author: {name: "by ${{ vars.token }}", email: octocat@example.com}
          - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
          - uses: deployment
            config: {description: "with ${{ vars.token }}", environmentURL: "https://x.example.com/${{ vars.token }}"}
          - {uses: git-open-pr}
verifications:
  echo:
    args: [{name: token, valueFrom: {secretKeyRef: {name: cd, key: token}}}]
    metrics:
"""
METRIC = """\
      - name: %s
        provider:
          web:
            url: SERVICE/%s
            headers: [{key: Authorization, value: "{{args.token}}"}]
            jsonPath: "{$.said}"
        successCondition: result == "nothing of the kind"
"""


@pytest.fixture
async def service() -> AsyncIterator[tuple[str, list[str]]]:
    shown: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        shown.append(request.headers["Authorization"])
        return web.json_response({"said": list(SPELLINGS.values())[int(request.match_info["number"])]})

    app = web.Application()
    app.router.add_get("/s{number}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield str(server.make_url("")).rstrip("/"), shown


class Written:
    """All that the bot has sent to GitHub's API."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def exchange(self, exchange: Exchange) -> None:
        self.texts += _texts(exchange.request)

    def webhook(self, _: object) -> None:
        pass


def _texts(data: Any) -> list[str]:
    """Every text in a request, those within the bot's hidden blocks included."""
    if isinstance(data, dict):
        return [text for value in data.values() for text in _texts(value)]
    if isinstance(data, list):
        return [text for value in data for text in _texts(value)]
    if not isinstance(data, str):
        return []
    found = [data]
    for part in data.split():
        try:
            found.append(base64.urlsafe_b64decode(part.partition(".")[0] + "==").decode())
        except ValueError:
            continue
    return found


async def names(shop: Scene, sha: str) -> str:
    commit = (await shop.who("owner").get(f"{REPO}/commits/{sha}")).ok()["commit"]
    return f"{commit['message']} {commit['author']['name']}"


async def test_no_spelling_of_a_secret_gets_out(github: GitHub, tmp_path: Path, service: tuple[str, list[str]]) -> None:
    folder = tmp_path / "secrets" / REPOSITORY / "cd"
    folder.mkdir(parents=True)
    (folder / "token").write_text(f"{TOKEN}\n")
    (folder / "pin").write_text(SHORT)
    url, shown = service
    numbers = [f"s{number}" for number in range(len(SPELLINGS))]
    stages = "".join(STEPS.format(name=name) for name in numbers)
    pipeline = PIPELINE.replace("verifications:", f"{stages}{LONG}verifications:")
    pipeline += "".join(METRIC % (name, name) for name in numbers)
    written, log = Written(), io.StringIO()
    handler = logging.StreamHandler(log)
    logging.getLogger().addHandler(handler)
    logging.getLogger("bot").setLevel(logging.DEBUG)
    github.sandbox.record.observers.append(written)
    try:
        files = {".promotion.yaml": pipeline.replace("SERVICE", url)}
        async with scene(github, tmp_path / "bot", files, SECRETS_DIR=str(tmp_path / "secrets")) as shop:
            await shop.publish("1.0.0")
            pull = (await shop.pulls("test"))[0]
            told = await names(shop, pull["head"]["sha"])
            await shop.hears(pull["number"], "***")
            deployments = (await shop.who("owner").get(f"{REPO}/deployments")).ok()
    finally:
        logging.getLogger().removeHandler(handler)
        logging.getLogger("bot").setLevel(logging.NOTSET)

    assert shown.count(TOKEN) >= 2 * len(numbers), "each stage and each metric showed it"
    assert told.startswith("Asked with ***")
    assert told.endswith(" by ***")
    assert deployments[0]["description"] == "with ***"
    everything = {"the log": log.getvalue(), **{f"text {number}": text for number, text in enumerate(written.texts)}}
    leaks = [(what, left, text[:2000]) for what, text in everything.items() for left in LEFT if left in text]
    assert not leaks
    assert len([text for text in written.texts if "answered 200" in text and "***" in text]) >= len(numbers)
