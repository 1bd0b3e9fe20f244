"""`towpath discover`: what it prints for people and for programs, and how it ends."""

import asyncio
import io
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app import PLUG_INS
from bot.cli.discover import discover
from bot.core.discoveries import DiscoveryProblem, Finding
from bot.core.freight import make_freight
from bot.core.model import Chart, Commit, CommitSha, Freight, Image, Pipeline, Warehouse, WarehouseName
from bot.sandbox.oci import push_image, storage_of
from tests.sandbox.driver import GitHub, new_key, running_github

CONFIG = """\
warehouses:
  app:
    image: {repoURL: ghcr.io/acme/service}
    chart: {repoURL: "https://charts.acme.io", name: web}
  lib:
    subscriptions: [{name: rules, git: {repoURL: "https://github.com/acme/library"}}]
stages:
  test: {from: [app, lib], render: {helm: {chart: chart}}}
"""
DIGEST = "sha256:" + "a" * 64
MADE = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)
SERVICE = (Image("ghcr.io/acme/service", "1.1.0", DIGEST), Image("ghcr.io/acme/service", "1.0.0", DIGEST))
WEB = Chart("https://charts.acme.io", "web", "0.3.1")
RULES = Commit(
    "https://github.com/acme/library", CommitSha("b" * 40), "main", "", "Mend\x1b[31m it", "a <a@acme.io>", "", "rules"
)


@dataclass(frozen=True)
class Held:
    """An answer made up."""

    warehouse: Warehouse
    freight: Freight | None
    problem: DiscoveryProblem | None
    findings: tuple[Finding, ...]


def answers(**problems: DiscoveryProblem) -> Callable[..., Any]:
    """Somebody to ask, who knows everything but for what has a problem."""
    held = {"app": [SERVICE, (WEB,)], "lib": [(RULES,)]}

    async def ask(pipeline: Pipeline, told: Callable[[WarehouseName], None]) -> Mapping[WarehouseName, Held]:
        found = {}
        for name, warehouse in pipeline.warehouses.items():
            problem = problems.get(name)
            broken = problem is not None and problem.is_fault
            findings = tuple(
                Finding(subscription, () if broken else artifacts, (MADE,))
                for subscription, artifacts in zip(warehouse.subscriptions, held[name], strict=True)
            )
            newest = [one.newest for one in findings if one.newest]
            freight = None if problem else make_freight(name, newest, None)
            found[name] = Held(warehouse, freight, problem, findings)
            told(name)
        return found

    return ask


@pytest.fixture
def run(tmp_path: Path) -> Callable[..., tuple[int, str, str]]:
    """`run(only, as_json, ask)`: exit status, output, errors."""
    path = tmp_path / ".promotion.yaml"
    path.write_text(CONFIG)

    def run(only: str = "", as_json: bool = False, ask: Any = None, config: Path = path) -> tuple[int, str, str]:
        out, err = io.StringIO(), io.StringIO()
        status = discover(config, only, as_json, PLUG_INS.schemas(), ask or answers(), out, err)
        return status, out.getvalue(), err.getvalue()

    return run


def test_programs_get_one_object_for_each_warehouse(run: Any) -> None:
    status, out, err = run(as_json=True)

    assert (status, err) == (0, "")
    app, lib = json.loads(out)
    assert [app["warehouse"], lib["warehouse"]] == ["app", "lib"]
    assert app["artifacts"] == [
        {
            "kind": "image",
            "repoURL": "ghcr.io/acme/service",
            "name": "service",
            "tag": "1.1.0",
            "version": "1.1.0",
            "digest": DIGEST,
            "commit": None,
            "createdAt": "2026-01-02T03:04:00+00:00",
            "others": ["1.0.0"],
        },
        {
            "kind": "chart",
            "repoURL": "https://charts.acme.io",
            "name": "web",
            "tag": None,
            "version": "0.3.1",
            "digest": None,
            "commit": None,
            "createdAt": "2026-01-02T03:04:00+00:00",
            "others": [],
        },
    ]
    expected = make_freight(WarehouseName("app"), [SERVICE[0], WEB], None)
    assert app["freight"] == {"id": expected.id, "alias": expected.alias}
    (rules,) = lib["artifacts"]
    assert (rules["commit"], rules["branch"], rules["subscriptionName"]) == ("b" * 40, "main", "rules")


def test_people_get_a_table(run: Any) -> None:
    status, out, err = run()

    assert (status, err) == (0, "")
    expected = make_freight(WarehouseName("app"), [SERVICE[0], WEB], None)
    assert f"app  makes freight {expected.alias} ({expected.id[:7]})" in out
    (service,) = [line for line in out.splitlines() if "ghcr.io/acme/service" in line]
    assert service.split() == ["image", "ghcr.io/acme/service", "1.1.0", DIGEST[:19], "2026-01-02", "03:04", "1.0.0"]
    assert "https://charts.acme.io web" in out
    assert "rules: https://github.com/acme/library" in out
    assert "\x1b" not in out


def test_one_warehouse_can_be_asked_alone(run: Any) -> None:
    status, out, _ = run("lib", as_json=True)
    assert (status, [one["warehouse"] for one in json.loads(out)]) == (0, ["lib"])

    status, out, err = run("library", as_json=True)
    assert (status, out) == (2, "")
    assert "there is no warehouse 'library'; there is app, lib" in err


def test_a_warehouse_that_fails_is_told_and_fails_the_command(run: Any) -> None:
    ask = answers(lib=DiscoveryProblem("the repository is gone"))

    status, out, _ = run(as_json=True, ask=ask)
    assert status == 1
    app, lib = json.loads(out)
    assert (lib["freight"], lib["artifacts"], lib["problem"]) == (None, [], "the repository is gone")
    assert app["freight"]
    assert "problem" not in app
    status, out, _ = run(ask=ask)
    assert status == 1
    assert "lib  the repository is gone" in out


def test_criteria_that_keep_freight_back_are_no_failure(run: Any) -> None:
    ask = answers(lib=DiscoveryProblem("criteria not satisfied: `false`", is_fault=False))
    status, out, _ = run(as_json=True, ask=ask)
    assert status == 0
    assert json.loads(out)[1]["problem"] == "criteria not satisfied: `false`"


def test_a_configuration_that_is_none_ends_with_2(run: Any, tmp_path: Path) -> None:
    assert run(config=tmp_path / "nothing")[0] == 2
    bad = tmp_path / "bad.yaml"
    bad.write_text("warehouses: {}\n")
    status, out, err = run(config=bad)
    assert (status, out) == (2, "")
    assert "error" in err


# --- the command, a registry and a Git server -----------------------------------------------------------


@pytest.fixture
async def github(tmp_path: Path) -> AsyncIterator[GitHub]:
    async with running_github(tmp_path / "sandbox", new_key(), "http://127.0.0.1:9/webhook") as github:
        yield github


async def test_the_command_finds_what_is_there(github: GitHub, tmp_path: Path) -> None:
    address = github.sandbox.url.removeprefix("http://")
    for version in ("1.0.0", "1.1.0", "2.0.0"):
        await asyncio.to_thread(push_image, storage_of(github.sandbox.world), "acme/service", version)
    await github.repo("library", private=False)
    sha = await github.file("/repos/acme/library", "rules.yaml", "strict: true\n")
    path = tmp_path / "promotion.yaml"
    path.write_text(
        "warehouses:\n"
        f"  service: {{image: {{repoURL: {address}/acme/service, constraint: ^1.0.0}}}}\n"
        f"  library: {{git: {github.sandbox.url}/acme/library.git}}\n"
        f"  nothing: {{image: {{repoURL: {address}/acme/service, constraint: ^9.0.0}}}}\n"
        "stages:\n  test: {from: [service, library, nothing], render: {helm: {chart: chart}}}\n"
    )
    program = [sys.executable, "-m", "bot", "discover", str(path), "--json"]
    pipes = {"stdout": asyncio.subprocess.PIPE, "stderr": asyncio.subprocess.PIPE}
    process = await asyncio.create_subprocess_exec(*program, **pipes, cwd=Path(__file__).parents[2])
    out, err = await process.communicate()

    assert process.returncode == 1, err.decode()
    assert err == b""
    service, library, nothing = json.loads(out)
    assert service["artifacts"][0]["tag"] == "1.1.0"
    assert service["artifacts"][0]["digest"].startswith("sha256:")
    assert library["artifacts"][0]["commit"] == sha
    assert datetime.fromisoformat(library["artifacts"][0]["createdAt"])
    assert "nothing found that fits the image subscription" in nothing["problem"]
