"""`towpath render` has helm fetch what is private with the logins that Docker keeps."""

import io
import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli.freight import Wanted
from bot.cli.render import Asked
from bot.workbench import render_checkout
from tests.registry.conftest import RealRegistry
from tests.scenarios.test_oci import LOGIN, push_chart
from tests.steps.oci import registry_for_writer

PIPELINE = """\
warehouses: {service: {image: ghcr.io/acme/service}}
stages:
  test:
    from: service
    steps:
    - {uses: git-clone, config: {checkout: [{branch: main, path: src}]}}
    - uses: helm-template
      config: {path: "oci://PRIVATE/charts/service:0.1.0", releaseName: service, outPath: src/out.yaml}
    - {uses: git-commit, config: {path: src}}
"""


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealRegistry]:
    with registry_for_writer(tmp_path_factory.mktemp("private")) as registry:
        push_chart(registry, tmp_path_factory.mktemp("charts"))
        yield registry


@pytest.fixture
def checkout(tmp_path: Path, private: RealRegistry) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / ".promotion.yaml").write_text(PIPELINE.replace("PRIVATE", private.host))
    environment = {"PATH": os.defpath, "HOME": str(tmp_path), "GIT_CONFIG_GLOBAL": os.devnull}
    environment |= {f"GIT_{who}_{what}": "octocat" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    for command in ("init -q -b main", "remote add origin https://github.example.com/acme/shop.git",
                    "add -A", "commit -q -m first"):  # fmt: skip
        subprocess.run(["git", *command.split()], cwd=folder, env=environment, check=True, capture_output=True)
    return folder


async def render(checkout: Path, docker_config: Path | None) -> tuple[int, str]:
    out = io.StringIO()
    asked = Asked("test", Wanted((), (("service", "1.0.0"),)))
    return await render_checkout(checkout, asked, docker_config, out, out), out.getvalue()


async def test_with_a_login_it_is_rendered_and_without_one_it_says_what_to_do(
    checkout: Path, tmp_path: Path, private: RealRegistry
) -> None:
    status, said = await render(checkout, None)
    assert (status, f"give Towpath credentials for {private.host}" in said) == (1, True), said
    (tmp_path / "config.json").write_text(json.dumps({"auths": {private.host: {"auth": LOGIN}}}))
    status, said = await render(checkout, tmp_path)
    assert (status, "added    out.yaml" in said) == (0, True), said
