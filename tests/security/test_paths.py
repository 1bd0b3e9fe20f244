"""Whatever path a step is given: it stays inside the promotion's folder, and out of what is Git's own."""

import asyncio
import hashlib
import io
import re
import tarfile
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from bot.contracts.metrics import HttpAnswer
from bot.contracts.registry import Artifacts
from bot.errors import UserError
from bot.rendering import find_programs
from bot.steps import STEPS
from tests.environment import required

SECRET = "s3cret-of-the-host"
PARSED = [{"name": "found", "fromExpression": "password"}]
CHANGED = [{"key": "password", "value": "changed"}]
# Step, field, the rest of its configuration, and what is attacked: a file of this ending, or a folder.
CASES: list[tuple[str, str, dict[str, Any], str]] = [
    ("git-clone", "checkout.path", {"checkout": [{"path": "PATH"}]}, ""),
    ("git-clear", "path", {"path": "PATH"}, ""),
    ("git-commit", "path", {"path": "PATH", "message": "m"}, ""),
    ("git-push", "path", {"path": "PATH"}, ""),
    ("github-push", "path", {"path": "PATH"}, ""),
    ("git-tag", "path", {"path": "PATH", "tag": "t", "message": "m"}, ""),
    ("yaml-update", "path", {"path": "PATH", "updates": CHANGED}, ".yaml"),
    ("json-update", "path", {"path": "PATH", "updates": CHANGED}, ".json"),
    ("toml-update", "path", {"path": "PATH", "updates": CHANGED}, ".toml"),
    ("yaml-parse", "path", {"path": "PATH", "outputs": PARSED}, ".yaml"),
    ("json-parse", "path", {"path": "PATH", "outputs": PARSED}, ".json"),
    ("toml-parse", "path", {"path": "PATH", "outputs": PARSED}, ".toml"),
    ("yaml-merge", "inFiles", {"inFiles": ["PATH"], "outFile": "out.yaml"}, ".yaml"),
    ("yaml-merge", "outFile", {"inFiles": ["own.yaml"], "outFile": "PATH"}, ".yaml"),
    ("kustomize-set-image", "path", {"path": "PATH", "images": [{"image": "a", "tag": "1"}]}, ""),
    ("kustomize-build", "path", {"path": "PATH", "outPath": "out.yaml"}, ""),
    ("kustomize-build", "outPath", {"path": "own", "outPath": "PATH"}, ""),
    ("kustomize-build", "outPath", {"path": "own", "outPath": "PATH"}, ".yaml"),
    ("helm-update-chart", "path", {"path": "PATH"}, ""),
    ("helm-update-image", "path", {"path": "PATH", "images": [
        {"image": "registry.example.com/service", "key": "password", "value": "Tag"}]}, ".yaml"),
    ("helm-template", "path", {"path": "PATH", "outPath": "out.yaml", "releaseName": "r"}, ""),
    ("helm-template", "outPath", {"path": "own", "outPath": "PATH", "releaseName": "r"}, ""),
    ("helm-template", "outPath", {"path": "own", "outPath": "PATH", "releaseName": "r"}, ".yaml"),
    ("helm-template", "valuesFiles", {
        "path": "own", "outPath": "out.yaml", "releaseName": "r", "valuesFiles": ["PATH"]}, ".yaml"),
    ("http", "bodyFromFile", {"url": "https://service.example.com", "method": "POST", "bodyFromFile": "PATH"}, ".yaml"),
    ("http-download", "outPath", {
        "url": "https://service.example.com", "outPath": "PATH", "allowOverwrite": True}, ".yaml"),
    ("oci-download", "outPath", {
        "imageRef": "registry.example.com/a:1", "outPath": "PATH", "allowOverwrite": True}, ".yaml"),
    ("copy", "inPath", {"inPath": "PATH", "outPath": "out"}, ""),
    ("copy", "inPath", {"inPath": "PATH", "outPath": "out"}, ".yaml"),
    ("copy", "outPath", {"inPath": "own", "outPath": "PATH"}, ""),
    ("copy", "outPath", {"inPath": "own.yaml", "outPath": "PATH"}, ".yaml"),
    ("delete", "path", {"path": "PATH", "strict": True}, ".yaml"),
    ("delete", "paths", {"paths": ["own.yaml", "PATH"], "strict": True}, ".json"),
    ("delete", "paths", {"paths": ["PATH/**"], "pathsAreGlobs": True, "strict": True}, ""),
    ("file-write", "path", {"path": "PATH", "contents": "x", "overwrite": True}, ".yaml"),
    ("tar", "inPath", {"inPath": "PATH", "outPath": "out.tar"}, ""),
    ("tar", "outPath", {"inPath": "own", "outPath": "PATH"}, ".tar"),
    ("untar", "inPath", {"inPath": "PATH", "outPath": "out"}, ".tar"),
    ("untar", "outPath", {"inPath": "own.tar", "outPath": "PATH"}, ""),
]  # fmt: skip
WRITES = {
    ("git-clone", "checkout.path"), ("yaml-update", "path"), ("json-update", "path"), ("toml-update", "path"),
    ("yaml-merge", "outFile"), ("kustomize-build", "outPath"), ("helm-template", "outPath"),
    ("http-download", "outPath"), ("oci-download", "outPath"), ("copy", "outPath"), ("delete", "path"),
    ("delete", "paths"), ("file-write", "path"), ("tar", "outPath"), ("untar", "outPath"),
    ("helm-update-image", "path"),
}  # fmt: skip
# `sources[].path` and the like are not files of ours: none of the steps' other fields is a path here.
NO_PATHS = {("gha-dispatch-workflow", "workflowFile"), ("delete", "pathsAreGlobs")}


def paths_in(schema: Mapping[str, Any], above: str = "") -> Iterator[str]:
    for name, field in schema.get("properties", {}).items():
        if re.search(r"path|file", name, re.I) and not name.startswith("ignore"):
            yield f"{above}{name}"
        yield from paths_in(field.get("items", field), f"{above}{name}.")


def test_every_path_of_every_step_is_attacked() -> None:
    known = {(step.NAME, path) for step in STEPS for path in paths_in(step.SCHEMA)}
    assert known - NO_PATHS == {(step, field) for step, field, _, _ in CASES}


def filled(config: Any, path: str) -> Any:
    if isinstance(config, dict):
        return {key: filled(value, path) for key, value in config.items()}
    if isinstance(config, list):
        return [filled(each, path) for each in config]
    return config.replace("PATH", path) if isinstance(config, str) else config


def fill(folder: Path, password: str) -> None:
    """A chart, a kustomization, and files of every kind in it."""
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (folder / "values.yaml").write_text(f"password: {password}\n")
    manifest = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: "
    (folder / "templates/x.yaml").write_text(manifest + "{all: {{ toJson .Values | quote }}}\n")
    (folder / "kustomization.yaml").write_text("resources: [x.yaml]\n")
    (folder / "x.yaml").write_text(manifest + f"{{all: {password}}}\n")
    (folder / "file.yaml").write_text(f"password: {password}\n")
    (folder / "file.json").write_text(f'{{"password": "{password}"}}\n')
    (folder / "file.toml").write_text(f'password = "{password}"\n')
    with tarfile.open(folder / "file.tar", "w") as archive:
        entry = tarfile.TarInfo("taken.yaml")
        entry.size = len(password)
        archive.addfile(entry, io.BytesIO(password.encode()))


def state(folder: Path) -> dict[str, str]:
    """Every file with its content; the `.git` of a work tree is a file itself."""
    if folder.is_file():
        return {"": folder.read_text()}
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def holds_secret(folder: Path) -> list[Path]:
    files = (path for path in folder.rglob("*") if path.is_file() and not path.resolve().is_relative_to(OUTSIDE[0]))
    return [path for path in files if SECRET.encode() in path.read_bytes()]


OUTSIDE: list[Path] = []


class WritingArtifacts:
    async def download(self, _reference: str, to: Path, **_more: Any) -> None:
        await asyncio.to_thread(to.write_bytes, b"layer")


@pytest.fixture
async def world(run, tmp_path):
    """A checkout at src, things of one's own, a folder outside, and links to it."""
    required(find_programs().helm, "helm is not installed")
    required(find_programs().kustomize, "neither kustomize nor kubectl is installed")
    outside = tmp_path / "outside"
    OUTSIDE[:] = [outside.resolve()]
    fill(outside, SECRET)
    await run("git-clone", {"checkout": [{"branch": "main", "path": "./src"}]})
    fill(run.workdir / "own", "own")
    (run.workdir / "own.yaml").write_text("password: own\n")
    (run.workdir / "own.tar").write_bytes((run.workdir / "own/file.tar").read_bytes())
    (run.workdir / "link").symlink_to(outside)
    (run.workdir / "src/link").symlink_to(outside)
    run.http.answers.append(HttpAnswer(200, {}, b"{}"))
    run.context = replace(run.context, artifacts=cast(Artifacts, WritingArtifacts()))
    return run, outside


LEADING_OUT = ("../outside", "/../outside", "src/../../outside", "link", "src/link", "./own/../link")
OF_GIT = ("src/.git", "src/.git/hooks", "src/.GIT", "new/.git", "/src/x/../.git/info")
REFUSED = r"leads (out|through)|names no file inside|nothing to delete"


# All attacks on one field in one test: what they are made on takes longer than they do.
@pytest.mark.parametrize(("step", "field", "config", "kind"), CASES, ids=[f"{c[0]}-{c[1]}{c[3]}" for c in CASES])
async def test_a_path_stays_inside(step, field, config, kind, world):
    run, outside = world
    before, of_git = state(outside), state(run.workdir / "src/.git")

    def at(place: str) -> Any:
        return filled(config, f"{place}/file{kind}" if kind else place)

    for place in LEADING_OUT:
        with pytest.raises(UserError, match=REFUSED) as refused:
            await run(step, at(place))
        assert str(outside) not in str(refused.value), place
        assert not run.http.asked, place
        assert not holds_secret(run.workdir), place

    for place in OF_GIT if (step, field) in WRITES else ():
        with pytest.raises(UserError):
            await run(step, at(place))
        assert state(run.workdir / "src/.git") == of_git, place
        assert not (run.workdir / "new/.git").exists(), place

    # An absolute path begins at the promotion's folder, as in Kargo.
    try:
        result = await run(step, at(str(outside)))
    except UserError:
        pass
    else:
        assert SECRET not in str(result.output)
    assert state(outside) == before
    assert not holds_secret(run.workdir)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("own.yaml/x", "goes through 'own.yaml', which is a file"),
        ("round/x", "symbolic link that leads to itself"),
        ("x" * 300, "more than 255 bytes"),
        ("a\0b", "leads out"),
        ("\ud800", "is none|is no text|leads out"),
    ],
)
@pytest.mark.parametrize("step", ["file-write", "copy"])
async def test_what_can_be_no_path_is_said_to_be_none(step, path, says, world):
    run, _ = world
    (run.workdir / "round").symlink_to("round")
    config = {"path": path, "contents": "x"} if step == "file-write" else {"inPath": "own.yaml", "outPath": path}
    with pytest.raises(UserError, match=says):
        await run(step, config)


async def test_a_link_that_leads_to_itself_stops_no_program(world):
    run, _ = world
    (run.workdir / "own/templates/round").symlink_to("round")
    with pytest.raises(UserError, match="leads to itself"):
        await run("helm-template", {"path": "own", "outPath": "out", "releaseName": "r"})


@pytest.mark.parametrize(
    ("name", "template"), [(".git", "x.yaml"), ("c", ".git/x.yaml"), ("c", "sub/.GIT/hooks/x.yaml")]
)
async def test_no_chart_makes_what_is_gits_own(name, template, world):
    """helm calls its files like the chart and its templates."""
    run, _ = world
    chart = run.workdir / "evil"
    file = chart / "templates" / template
    file.parent.mkdir(parents=True)
    (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n")
    file.write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    with suppress(UserError):  # or it is left out
        await run("helm-template", {"path": "evil", "outPath": "out", "releaseName": "r"})
    assert not [path for path in (run.workdir / "out").rglob("*") if path.name.lower() == ".git"]


LINKED = {
    "helm-template": ("own/extra", {"path": "own", "outPath": "out.yaml", "releaseName": "r"}),
    "helm-update-chart": ("own/charts", {"path": "own"}),
    "kustomize-build": ("own/x.yaml", {"path": "own", "outPath": "out.yaml"}),
}


@pytest.mark.parametrize("step", LINKED)
async def test_programs_are_given_no_tree_with_a_link_out(step, world):
    """They would follow it."""
    run, outside = world
    link, config = LINKED[step]
    (run.workdir / link).unlink(missing_ok=True)
    (run.workdir / link).symlink_to(outside / "x.yaml")
    (run.workdir / "own/templates/y.yaml").write_text('# {{ .Files.Get "extra" }}\n')
    with pytest.raises(UserError, match="is a symbolic link out of the promotion's folder"):
        await run(step, config)
    assert not holds_secret(run.workdir)
