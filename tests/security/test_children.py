"""What the programs we start are told, by their arguments and by their environment: no more than they need.

In the place of each stands one that notes both, and then becomes the real one.
"""

import json
import os
import re
import shutil
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.contracts.git import Credential
from bot.contracts.steps import Programs
from bot.errors import UserError
from bot.git.process import GitFailed, Runner
from bot.rendering import find_programs
from bot.steps.rendering import programs as rendering
from tests.environment import required

SECRET = "s3cret-of-the-bot"
NOTING = """\
#!{python} -IS
import json, os, sys
with open({notes!r}, "a") as file:
    file.write(json.dumps([{name!r}, sys.argv[1:], dict(os.environ)]) + "\\n")
os.execv({real!r}, [{real!r}, *sys.argv[1:]])
"""
# Helm's and kustomize's own are told where to keep what they keep: in a folder of their own.
WANTED = {"PATH", "LC_ALL", "HOME", "TMPDIR", "KUBECONFIG"}


@dataclass
class Noted:
    program: str
    arguments: list[str]
    environment: dict[str, str]


def noting(folder: Path, real: str, notes: Path) -> str:
    program = folder / Path(real).name
    python = os.path.realpath(sys.executable)
    program.write_text(NOTING.format(python=python, name=program.name, real=real, notes=str(notes)))
    program.chmod(0o755)
    return str(program)


def noted(notes: Path) -> list[Noted]:
    return [Noted(*json.loads(line)) for line in notes.read_text().splitlines()] if notes.exists() else []


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """helm and kustomize with a note of what they were told, in the only folder where they may leave one."""
    found = find_programs()
    required(found.helm, "helm is not installed")
    required(found.kustomize, "neither kustomize nor kubectl is installed")
    folder = tmp_path / "programs"
    folder.mkdir()
    (helm,), (kustomize, *build) = found.helm, found.kustomize
    notes = tmp_path / "work/noted"
    return Programs((noting(folder, helm, notes),), (noting(folder, kustomize, notes), *build))


@pytest.fixture
def ours(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is in our own environment, and is nobody else's."""
    for name in ("WEBHOOK_SECRET", "PRIVATE_KEY", "SECRETS", "DATABASE_URL", "HELM_PLUGINS", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, SECRET)


@pytest.fixture
def git_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "git-noting"
    folder.mkdir()
    real = shutil.which("git")
    assert real
    noting(folder, real, tmp_path / "git-noted")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")  # noqa: TID251  # tests have no settings
    return tmp_path / "git-noted"


def chart(folder: Path) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text("a: 1\n")
    (folder / "templates/x.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {all: {{ toJson .Values | quote }}}\n"
    )


def fill(folder: Path) -> None:
    chart(folder / "chart")
    (folder / "k").mkdir()
    (folder / "k/kustomization.yaml").write_text("helmCharts: [{name: c, releaseName: r}]\n")
    chart(folder / "k/charts/c")


async def test_helm_and_kustomize_see_nothing_of_our_environment(ours, run, programs):
    fill(run.workdir)
    run.context = replace(run.context, programs=programs)
    await run("helm-template", {"path": "chart", "outPath": "a.yaml", "releaseName": "r"})
    await run("helm-update-chart", {"path": "chart"})
    await run("kustomize-build", {"path": "k", "outPath": "b.yaml"})

    seen = noted(run.workdir / "noted")
    assert {one.program for one in seen} == {Path(programs.helm[0]).name, Path(programs.kustomize[0]).name}
    assert {one.arguments[0] for one in seen} >= {"template", "dependency", "version"}
    for one in seen:
        names = {name for name in one.environment if not name.startswith(("HELM_", "GIT_", "GO"))}
        assert names <= WANTED | {"LC_CTYPE"}, "that one is what Python adds"
        assert SECRET not in str(one.environment)


# Step, its configuration, what is told behind `--`, and what by an option that has it behind its `=`.
TEXT = "--post-renderer=evil"
TOLD: list[tuple[str, dict[str, Any], Sequence[str], Sequence[str]]] = [
    ("helm-template", {"path": "chart", "outPath": "o", "releaseName": TEXT}, [TEXT], []),
    ("helm-template", {"path": f"oci://{TEXT}", "outPath": "o", "releaseName": "r"}, [f"oci://{TEXT}"], []),
    ("helm-template", {"path": TEXT, "outPath": "o", "releaseName": "r"}, ["WORK/--post-renderer=evil"], []),
    ("helm-template", {"path": "chart", "outPath": "o", "releaseName": "r", "namespace": TEXT,
                       "kubeVersion": TEXT, "apiVersions": [TEXT], "setValues": [{"key": TEXT, "value": TEXT}],
                       "valuesFiles": ["--output"]},
     ["r"], ["--namespace", "--kube-version", "--api-versions", "--set", "--values"]),
    ("helm-update-chart", {"path": TEXT}, ["WORK/--post-renderer=evil"], []),
    ("kustomize-build", {"path": "k", "outPath": "o", "plugin": {"helm": {"kubeVersion": TEXT, "apiVersions": [TEXT]}}},
     ["WORK/k"], ["--helm-kube-version", "--helm-api-versions"]),
]  # fmt: skip


@pytest.mark.parametrize(("step", "config", "names", "options"), TOLD, ids=[str(n) for n in range(len(TOLD))])
async def test_a_text_is_told_as_a_name_or_as_an_options_value(step, config, names, options, run, programs):
    fill(run.workdir)
    chart(run.workdir / TEXT)
    (run.workdir / "--output").write_text("b: 2\n")
    run.context = replace(run.context, programs=programs)
    with suppress(UserError):  # most mean nothing to it
        await run(step, config)
    first = noted(run.workdir / "noted")[0].arguments
    at = first.index("--")
    assert {name.replace("WORK", str(run.workdir)) for name in names} <= set(first[at + 1 :])
    assert TEXT not in first[:at]
    told = {each.partition("=")[0] for each in first[:at] if "=" in each}
    assert set(options) <= told


async def test_a_values_file_with_a_comma_in_its_name_is_one_file(run, tmp_path):
    """helm takes a list there, as CSV: a name could name another file, elsewhere."""
    required(find_programs().helm, "helm is not installed")
    fill(run.workdir)
    (tmp_path / "outside.yaml").write_text(f"password: {SECRET}\n")
    inside = run.workdir / f"v,{tmp_path}/outside.yaml"
    inside.parent.mkdir(parents=True)
    inside.write_text("mine: 1\n")
    (run.workdir / "v").write_text("theirs: 1\n")
    config = {"path": "chart", "outPath": "o.yaml", "releaseName": "r"}
    await run("helm-template", {**config, "valuesFiles": [str(inside.relative_to(run.workdir))]})
    assert "mine" in (run.workdir / "o.yaml").read_text()
    assert "theirs" not in (run.workdir / "o.yaml").read_text()
    assert SECRET not in (run.workdir / "o.yaml").read_text()


@pytest.mark.parametrize("literal", [False, True])
async def test_a_secret_goes_to_helm_by_a_file(literal, run, programs):
    """Everybody on this machine may see the arguments of a program."""
    fill(run.workdir)
    value = f"p-{SECRET},\n{{x}}=\\1"
    run.secrets.values["cd", "password"] = SECRET
    run.context = replace(run.context, programs=programs)
    values = [{"key": "db.password", "value": value, "literal": literal}, {"key": "n", "value": 7}]
    await run("helm-template", {"path": "chart", "outPath": "o.yaml", "releaseName": "r", "setValues": values})
    (seen,) = noted(run.workdir / "noted")
    assert SECRET not in str(seen)
    assert "--set=n=7" in seen.arguments
    (told,) = [line for line in (run.workdir / "o.yaml").read_text().splitlines() if "all:" in line]
    assert json.dumps(value)[1:-1] in told.replace('\\"', '"').replace("\\\\", "\\")
    assert [path for path in run.workdir.rglob("*") if path.is_file() and SECRET in path.read_text()] == [
        run.workdir / "o.yaml"
    ], "the file is gone"


async def test_git_sees_nothing_of_our_environment_and_tells_no_secret(ours, git_noted, run):
    run.secrets.values["cd", "token"] = "t0ken-of-acme"
    await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    (run.workdir / "src/new.txt").write_text("new\n")
    await run("git-commit", {"path": "./src", "message": "t0ken-of-acme"})
    await run("git-tag", {"path": "./src", "tag": "v1", "message": "t0ken-of-acme"})
    await run("git-push", {"path": "./src", "generateTargetBranch": True})
    await run("git-push", {"path": "./src", "tag": "v1"})
    seen = noted(git_noted)
    assert {"checkout", "commit", "tag", "push"} <= {argument for one in seen for argument in one.arguments}
    for one in seen:
        assert SECRET not in str(one.environment), one.arguments
        assert "t0ken-of-acme" not in str(one.arguments)
        names = {name for name in one.environment if not name.startswith("GIT_")}
        assert names <= {"PATH", "HOME", "LC_ALL", "LC_CTYPE"}, one.arguments


# --- what git will not do, whoever gave it the address -----------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["ext::sh -c 'touch HERE/was-here'", "file://HERE/other.git", "HERE/other.git", "git://127.0.0.1:1/x", "fd::0"],
)
@pytest.mark.parametrize("command", ["ls-remote", "clone", "fetch", "push"])
def test_git_itself_takes_no_other_protocol(command: str, address: str, tmp_path: Path) -> None:
    runner = Runner.create(tmp_path, allow_file=False, environment={})
    Runner.create(tmp_path, allow_file=True, environment={}).run("init", "-q", "--bare", str(tmp_path / "other.git"))
    runner.run("init", "-q", str(tmp_path / "own"))
    own = runner.inside(tmp_path / "own")
    own.run("-c", "user.name=x", "-c", "user.email=x", "commit", "-q", "--allow-empty", "-m", "x")
    more = {"push": ("HEAD:refs/heads/main",), "clone": (str(tmp_path / "cloned"),)}.get(command, ())
    with pytest.raises(GitFailed, match=r"transport '(ext|file|git|fd)' not allowed"):
        own.run(command, "--", address.replace("HERE", str(tmp_path)), *more)
    assert not (tmp_path / "was-here").exists()


@pytest.mark.parametrize(
    "address",
    ["ext::sh -c 'touch was-here'", "file:///x.git", "/x.git", "ssh://git@example.com/x", "git://127.0.0.1:1/x"],
)
async def test_nor_does_the_git_that_kustomize_starts(address: str, tmp_path: Path) -> None:
    environment = {**rendering.helm_environment(tmp_path), **rendering.GIT_ENVIRONMENT}
    git = (shutil.which("git") or "git",)
    answer = await rendering.run(git, "ls-remote", "--", address, folder=tmp_path, environment=environment)
    assert re.search(r"transport '\w+' not allowed", answer.complaint)
    assert not (tmp_path / "was-here").exists()


def test_credentials_are_for_one_server(tmp_path: Path) -> None:
    runner = Runner.create(tmp_path, allow_file=False, environment={})
    shown = runner.with_credential("https://git.example.com/a.git", Credential("x", SECRET)).environment
    keys = [value for name, value in shown.items() if name.startswith("GIT_CONFIG_KEY") and "xtraHeader" in value]
    assert keys == ["http.https://git.example.com/.extraHeader"]
