"""`towpath receivers`: the operator is told the addresses, and what keeps one from being reached."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from bot.__main__ import towpath
from bot.core import doors

CONFIG = """\
warehouses: {service: {image: ghcr.io/acme/service}}
stages: {test: {from: service, render: {helm: {chart: chart}}}}
receivers: {hub: {dockerhub: hub}, forge: {gitlab: forge}}
"""
SECRET, OTHER = "a long enough secret", "another long secret"


def run(folder: Path, *more: str, config: str = CONFIG) -> Result:
    (folder / ".promotion.yaml").write_text(config)
    given = ["receivers", str(folder), "--repository", "acme/gitops", "--secrets-dir", str(folder / "secrets")]
    return CliRunner().invoke(towpath, [*given, *more])


def keep(folder: Path, secret: str, key: str, value: str) -> None:
    place = folder / "secrets" / "acme" / "gitops" / secret
    place.mkdir(parents=True, exist_ok=True)
    (place / key).write_text(value + "\n")


def test_every_receiver_has_an_address(tmp_path: Path) -> None:
    keep(tmp_path, "hub", "secret", SECRET)
    keep(tmp_path, "forge", "secret-token", OTHER)

    result = run(tmp_path, "--url", "https://towpath.acme.io/")

    hub = "https://towpath.acme.io" + doors.path("acme/gitops", "dockerhub", "hub", SECRET)
    forge = "https://towpath.acme.io" + doors.path("acme/gitops", "gitlab", "forge", OTHER)
    assert result.output.splitlines() == [f"hub (dockerhub): {hub}", f"forge (gitlab): {forge}"]
    assert result.exit_code == 0


def test_json_says_the_same(tmp_path: Path) -> None:
    keep(tmp_path, "hub", "secret", SECRET)
    keep(tmp_path, "forge", "wrong-key", OTHER)

    result = run(tmp_path, "--json")

    hub, forge = json.loads(result.stdout)
    assert hub == {"name": "hub", "sender": "dockerhub", "url": doors.path("acme/gitops", "dockerhub", "hub", SECRET)}
    assert forge["problem"] == "the secret `forge` has no key `secret-token`; put it there"
    assert result.exit_code == 1


def test_a_secret_that_may_be_guessed_is_told_of_and_not_shown(tmp_path: Path) -> None:
    keep(tmp_path, "hub", "secret", "hunter2")
    keep(tmp_path, "forge", "secret-token", OTHER)

    result = run(tmp_path)

    assert "7 characters" in result.output
    assert "hunter2" not in result.output
    assert result.exit_code == 1


def test_a_configuration_with_errors_has_none(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir()
    result = run(tmp_path, config=CONFIG.replace("dockerhub", "dokerhub"))
    assert "did you mean `dockerhub`" in result.output
    assert result.exit_code == 2


def test_a_repository_is_an_owner_and_a_name(tmp_path: Path) -> None:
    assert run(tmp_path, "--repository", "gitops").exit_code == 2
