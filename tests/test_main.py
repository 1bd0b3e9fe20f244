"""The commands as a person types them: what they print, and how they end."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def towpath(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", *args],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_names_every_command() -> None:
    shown = towpath("--help").stdout

    assert all(f"  {name} " in shown for name in ("serve", "sandbox", "demo", "check", "schema"))


@pytest.mark.parametrize(
    ("environment", "names"),
    [
        ({}, "APP_ID"),
        ({"APP_ID": "1"}, "PRIVATE_KEY"),
        ({"APP_ID": "1", "PRIVATE_KEY": "no key"}, "PRIVATE_KEY"),
    ],
)
def test_a_missing_or_malformed_setting_ends_start_up_with_one_line(environment: dict[str, str], names: str) -> None:
    ended = towpath("serve", **environment)

    assert ended.returncode == 1
    assert not ended.stdout
    (line,) = ended.stderr.splitlines()
    assert line.startswith("towpath: ")
    assert names in line


def test_check_ends_with_what_it_found(tmp_path: Path) -> None:
    good, bad = ROOT / "config" / "examples", tmp_path / ".promotion.yaml"
    bad.write_text("stages: {test: {from: nowhere}}\n")

    assert towpath("check", str(next(good.glob("*.yaml")))).returncode == 0
    assert towpath("check", str(bad)).returncode == 1
    assert towpath("check", str(tmp_path / "missing")).returncode == 2


def test_the_schema_for_editors_is_the_one_that_is_kept() -> None:
    assert towpath("schema").stdout == (ROOT / "config" / "promotion.schema.json").read_text()


def test_a_sandbox_says_in_one_line_that_it_listens_and_ends_when_told(tmp_path: Path) -> None:
    env = tmp_path / "sandbox.env"
    with subprocess.Popen(
        [sys.executable, "-m", "bot", "sandbox", "--port", "0", "--dir", str(tmp_path / "s"), "--env-file", str(env)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        rest = process.stdout.read()

    assert line.startswith("sandbox: listening on http://127.0.0.1:")
    assert not rest
    assert process.returncode == 0
    names = {one.partition("=")[0] for one in env.read_text().splitlines()}
    assert names >= {
        "GITHUB_API_URL",
        "GITHUB_SERVER_URL",
        "APP_ID",
        "PRIVATE_KEY_PATH",
        "WEBHOOK_SECRET",
        "WEBHOOK_URL",
    }
    assert names >= {f"TOKEN_{who}" for who in ("OWNER", "MAINTAINER", "WRITER", "READER", "OUTSIDER")}
    assert env.stat().st_mode & 0o077 == 0
