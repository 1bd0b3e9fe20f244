"""A stage copies its image into a registry of its own, with the repository's own login, before it is proposed."""

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


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with registry_for_writer(tmp_path_factory.mktemp("private")) as registry:
        yield registry


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


async def test_a_stage_has_its_image_in_a_registry_of_its_own(
    github: GitHub, tmp_path: Path, private: RealRegistry
) -> None:
    login = base64.b64encode(b"writer:secret").decode()
    logins = json.dumps({"auths": {private.host: {"auth": login}}})
    secrets = json.dumps({"acme/shop": {"registry": {".dockerconfigjson": logins}}})
    files = {**CHART, ".promotion.yaml": PIPELINE.replace("PRIVATE", private.host)}
    async with scene(github, tmp_path / "bot", files, SECRETS=secrets) as shop:
        await shop.publish("1.0.0")
        values = await shop.read("chart/values-test.yaml", "promotion/test")
        there = f"docker://{shop.address}/acme/service:1.0.0"
        source = await asyncio.to_thread(private.skopeo, *RAW, there)

    own = f"{private.host}/test/service:1.0.0"
    assert private.skopeo(*RAW, "--creds", "writer:secret", f"docker://{own}") == source
    assert f"tag: {own}@sha256:{hashlib.sha256(source.encode()).hexdigest()}" in values
