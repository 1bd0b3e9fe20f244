"""A stage has registries of its own, with the repository's own login: it copies its image into one before that is
proposed, and renders a chart that is in another."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.registry.conftest import RealRegistry
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, scene
from tests.steps.oci import registry_for_writer
from tests.steps.test_helm_charts import helm, write


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with registry_for_writer(tmp_path_factory.mktemp("private")) as registry:
        yield registry


LOGIN = base64.b64encode(b"writer:secret").decode()
RAW = ("inspect", "--raw", "--tls-verify=false")
PIPELINE = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    promotionTemplate:
      spec:
        steps:
        - uses: oci-push
          as: own
          config:
            srcRef: ADDRESS/acme/service@${{ imageFrom("ADDRESS/acme/service").Digest }}
            destRef: PRIVATE/test/service:${{ imageFrom("ADDRESS/acme/service").Tag }}
        - uses: git-clone
          config: {checkout: [{branch: main, path: ./src}]}
        - uses: yaml-update
          config:
            path: ./src/chart/values-test.yaml
            updates: [{key: image.tag, value: "${{ outputs.own.image }}@${{ outputs.own.digest }}"}]
        - {uses: git-commit, config: {path: ./src}}
        - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
        - {uses: git-open-pr}
"""


def secrets_for(private: RealRegistry) -> str:
    logins = json.dumps({"auths": {private.host: {"auth": LOGIN}}})
    return json.dumps({"acme/shop": {"registry": {".dockerconfigjson": logins}}})


async def test_a_stage_has_its_image_in_a_registry_of_its_own(
    github: GitHub, tmp_path: Path, private: RealRegistry
) -> None:
    files = {**CHART, ".promotion.yaml": PIPELINE.replace("PRIVATE", private.host)}
    async with scene(github, tmp_path / "bot", files, SECRETS=secrets_for(private)) as shop:
        await shop.publish("1.0.0")
        values = await shop.read("chart/values-test.yaml", "promotion/test")
        there = f"docker://{shop.address}/acme/service:1.0.0"
        source = await asyncio.to_thread(private.skopeo, *RAW, there)

    own = f"{private.host}/test/service:1.0.0"
    assert private.skopeo(*RAW, "--creds", "writer:secret", f"docker://{own}") == source
    assert f"tag: {own}@sha256:{hashlib.sha256(source.encode()).hexdigest()}" in values


RENDERED = """\
warehouses:
  service: {interval: 1h, image: {repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}
stages:
  test:
    from: service
    auto: true
    promotionTemplate:
      spec:
        steps:
        - uses: git-clone
          config: {checkout: [{branch: main, path: ./src}]}
        - uses: helm-template
          config:
            path: oci://PRIVATE/charts/service:0.1.0
            releaseName: service
            outPath: ./src/out/test.yaml
            setValues: [{key: image.tag, value: "${{ imageFrom('ADDRESS/acme/service').Tag }}"}]
        - {uses: git-commit, config: {path: ./src}}
        - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
        - {uses: git-open-pr}
"""


def push_chart(private: RealRegistry, folder: Path) -> None:
    write(folder, {name: content.replace("ADDRESS", "registry.example.com") for name, content in CHART.items()})
    write(folder, {"login.json": json.dumps({"auths": {private.host: {"auth": LOGIN}}})})
    helm(folder, "package", "chart")
    login = f"--registry-config={folder / 'login.json'}"
    helm(folder, login, "push", "service-0.1.0.tgz", f"oci://{private.host}/charts")


async def test_a_stage_renders_a_chart_that_is_private(github: GitHub, tmp_path: Path, private: RealRegistry) -> None:
    await asyncio.to_thread(push_chart, private, tmp_path / "charts")
    files = {**CHART, ".promotion.yaml": RENDERED.replace("PRIVATE", private.host)}
    async with scene(github, tmp_path / "bot", files, SECRETS=secrets_for(private)) as shop:
        await shop.publish("1.0.0")
        rendered = await shop.read("out/test.yaml", "promotion/test")
    assert "acme/service:1.0.0'" in rendered.replace('"', "'")
