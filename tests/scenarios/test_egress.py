"""Where EGRESS_ALLOW lists no private network, nothing on this machine is asked but GitHub itself."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, scene


@pytest.fixture
async def inside() -> AsyncIterator[tuple[str, list[str]]]:
    """A server that has no business being asked, and what it was asked."""
    asked: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        asked.append(request.path)
        return web.json_response({"message": "s3cret"})

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app, host="127.0.0.1") as server:
        yield f"127.0.0.1:{server.port}", asked


PIPELINE = """\
warehouses:
  image: {interval: 1h, image: {repoURL: INSIDE/acme/service}}
  chart: {interval: 1h, chart: {repoURL: "http://INSIDE/charts", name: c}}
  oci: {interval: 1h, chart: {repoURL: "oci://INSIDE/charts/c"}}
  code: {interval: 1h, git: {repoURL: "http://INSIDE/acme/other.git"}}
  own: {interval: 1h, git: {repoURL: "http://ADDRESS/acme/shop.git", includePaths: [chart]}}
stages:
  test:
    from: own
    auto: true
    promotionTemplate:
      spec:
        steps:
          - {uses: http, config: {url: "http://INSIDE/step"}}
  chart:
    from: own
    auto: true
    promotionTemplate:
      spec:
        steps:
          - {uses: git-clone, config: {checkout: [{branch: main, path: ./src}]}}
          - {uses: helm-update-chart, config: {path: ./src/depends}}
  base:
    from: own
    auto: true
    promotionTemplate:
      spec:
        steps:
          - {uses: git-clone, config: {checkout: [{branch: main, path: ./src}]}}
          - {uses: kustomize-build, config: {path: ./src/base, outPath: ./out.yaml}}
"""
CHART_OF_ANOTHER = """\
apiVersion: v2
name: depends
version: 0.1.0
dependencies: [{name: c, version: 0.1.0, repository: "http://INSIDE/charts"}]
"""


async def test_what_is_inside_is_not_asked(github: GitHub, tmp_path: Path, inside: tuple[str, list[str]]) -> None:
    address, asked = inside
    files = {
        **CHART,
        "depends/Chart.yaml": CHART_OF_ANOTHER.replace("INSIDE", address),
        "base/kustomization.yaml": f"resources: ['http://{address}/base.yaml']\n",
        ".promotion.yaml": PIPELINE.replace("INSIDE", address),
    }
    async with scene(github, tmp_path / "bot", files, EGRESS_ALLOW="*") as shop:
        head = (await shop.who("owner").get("/repos/acme/shop/git/ref/heads/main")).ok()["object"]["sha"]
        checks = (await shop.who("owner").get(f"/repos/acme/shop/commits/{head}/check-runs")).ok()["check_runs"]
        shown = {run["name"]: f"{run['output']['title']}\n{run['output']['summary']}" for run in checks}

    assert asked == []
    for stage in ("test", "chart", "base"):
        assert "EGRESS_ALLOW" in shown[f"promotion/{stage}"], shown
    for warehouse in ("image", "chart", "oci", "code"):
        assert f"`{warehouse}`" in shown["discovery/warehouses"]
    assert shown["discovery/warehouses"].count("ALLOW doesn't list it") == 4
