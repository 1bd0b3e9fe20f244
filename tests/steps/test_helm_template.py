"""helm-template, by the real helm."""

import re
import subprocess
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from aiohttp import web

from bot.contracts.steps import Programs
from bot.errors import UserError
from bot.rendering import find_programs
from bot.steps.rendering.renders import UNTRANSLATED

FILES = {
    "Chart.yaml": "apiVersion: v2\nname: service\nversion: 1.0.0\n",
    "values.yaml": "image: {tag: 0.9.0}\nextra: none\n",
    "values-uat.yaml": "image: {tag: 1.0.0}\n",
    "crds/widget.yaml": (
        "apiVersion: apiextensions.k8s.io/v1\nkind: CustomResourceDefinition\nmetadata:\n  name: widgets.example.com\n"
    ),
    "templates/config.yaml": (
        "apiVersion: v1\nkind: ConfigMap\n"
        "metadata:\n  name: {{ .Release.Name }}\n  namespace: {{ .Release.Namespace }}\n"
        "data:\n  tag: {{ .Values.image.tag | quote }}\n  extra: {{ .Values.extra | quote }}\n"
        "  kube: {{ .Capabilities.KubeVersion.Version }}\n"
        '  widgets: {{ .Capabilities.APIVersions.Has "example.com/v1" | quote }}\n'
    ),
    "templates/both.yaml": (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: a\n"
        "---\n# why\napiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: b\n"
    ),
    "templates/hook.yaml": (
        "apiVersion: v1\nkind: Pod\nmetadata:\n  name: check\n  annotations:\n    helm.sh/hook: test\n"
    ),
}


@pytest.fixture
def chart(run) -> Path:
    folder = run.workdir / "src/chart"
    write(folder, FILES)
    return folder


def write(folder: Path, files: dict[str, str]) -> None:
    for name, content in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)


def real(run, *arguments: str) -> bytes:
    home = str(run.workdir.parent / "home")
    environment = {"HOME": home, "KUBECONFIG": "/dev/null"}
    command = [*find_programs().helm, "template", *arguments]
    return subprocess.run(command, cwd=run.workdir, env=environment, check=True, capture_output=True).stdout


@pytest.mark.parametrize("language", ["C", UNTRANSLATED["LC_ALL"]])
def test_helm_starts_with_little_to_translate(run, language):
    """What it allocates as it starts, as Go tells of each package: https://pkg.go.dev/runtime#hdr-Environment_Variables

    If this fails with a new helm, another language may have become the one with the fewest texts.
    """
    environment = {"LC_ALL": language, "GODEBUG": "inittrace=1", "HOME": str(run.workdir)}
    told = subprocess.run(
        [*find_programs().helm, "version"], env=environment, check=True, capture_output=True, text=True
    ).stderr
    (made,) = re.findall(r"^init k8s.io/kubectl/pkg/cmd/get @.* ([0-9]+) allocs$", told, re.M)
    assert (int(made) < 2_000) is (language != "C")


def config(**more: object) -> dict[str, object]:
    return {"path": "./src/chart", "releaseName": "service", "outPath": "./out/manifests.yaml", **more}


@pytest.mark.parametrize(
    ("more", "flags"),
    [
        ({}, []),
        ({"valuesFiles": ["./src/chart/values-uat.yaml"]}, ["--values=src/chart/values-uat.yaml"]),
        ({"namespace": "uat"}, ["--namespace=uat"]),
        (
            {"setValues": [{"key": "image.tag", "value": "2"}, {"key": "extra", "value": "a,b", "literal": True}]},
            ["--set=image.tag=2", "--set-literal=extra=a,b"],
        ),
        ({"setValues": [{"key": "extra", "value": True}, {"key": "image.tag", "value": 7}]},
         ["--set=extra=true", "--set=image.tag=7"]),
        ({"includeCRDs": True}, ["--include-crds"]),
        ({"disableHooks": True}, ["--no-hooks"]),
        ({"skipTests": True}, ["--skip-tests"]),
        ({"kubeVersion": "1.30.1", "apiVersions": ["example.com/v1"]},
         ["--kube-version=1.30.1", "--api-versions=example.com/v1"]),
    ],
)  # fmt: skip
async def test_one_file_is_what_helm_itself_prints(run, chart, more, flags):
    result = await run("helm-template", config(**more))
    assert result.output == {}
    assert (run.workdir / "out/manifests.yaml").read_bytes() == real(run, *flags, "service", "src/chart")


async def test_values_files_count_in_their_order_and_may_have_any_name(run, chart):
    write(chart, {'odd, "name".yaml': "extra: odd\n"})
    files = ["./src/chart/values-uat.yaml", './src/chart/odd, "name".yaml', "./src/chart/missing.yaml"]
    await run("helm-template", config(valuesFiles=files, ignoreMissingValueFiles=True))
    rendered = (run.workdir / "out/manifests.yaml").read_text()
    assert 'tag: "1.0.0"' in rendered
    assert 'extra: "odd"' in rendered


@pytest.mark.parametrize("release", [False, True])
async def test_a_folder_in_helms_own_layout(run, chart, release):
    await run("helm-template", config(outPath="./out", useReleaseName=release))
    expected = run.workdir.parent / "expected"
    real(run, f"--output-dir={expected}", *(["--release-name"] if release else []), "service", "src/chart")
    assert files(run.workdir / "out") == files(expected)
    assert len(files(expected)) == 3


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


async def test_a_folder_with_a_file_for_each_resource(run, chart):
    await run("helm-template", config(outPath="./out", outLayout="flat"))
    written = files(run.workdir / "out")
    assert sorted(written) == [
        "apps-deployment-a.yaml", "apps-deployment-b.yaml", "configmap-default-service.yaml", "pod-check.yaml",
    ]  # fmt: skip
    assert yaml.safe_load(written["apps-deployment-b.yaml"])["metadata"] == {"name": "b"}
    assert b"# why\n" in written["apps-deployment-b.yaml"]


async def test_two_resources_of_one_name_are_not_lost(run, chart):
    write(chart, {"templates/again.yaml": FILES["templates/both.yaml"]})
    with pytest.raises(UserError, match=r"apps-deployment-a\.yaml"):
        await run("helm-template", config(outPath="./out", outLayout="flat"))


async def test_dependencies_are_built_when_asked(run, chart):
    write(chart.parent / "library", {"Chart.yaml": "apiVersion: v2\nname: library\nversion: 0.1.0\n"})
    write(chart.parent / "library", {"templates/x.yaml": "kind: Secret\napiVersion: v1\nmetadata: {name: lib}\n"})
    needs = "dependencies:\n- {name: library, version: 0.1.0, repository: 'file://../library'}\n"
    write(chart, {"Chart.yaml": FILES["Chart.yaml"] + needs})
    with pytest.raises(UserError, match="buildDependencies"):
        await run("helm-template", config())
    await run("helm-template", config(buildDependencies=True))
    assert "name: lib" in (run.workdir / "out/manifests.yaml").read_text()
    assert not (run.workdir / ".helm").exists()


@pytest.fixture
def packaged(tmp_path) -> Path:
    """What a classic chart repository that holds `library` 0.1.0 serves."""
    folder = tmp_path / "charts"
    write(folder / "library", {"Chart.yaml": "apiVersion: v2\nname: library\nversion: 0.1.0\n"})
    write(folder / "library", {"templates/x.yaml": "kind: Secret\napiVersion: v1\nmetadata: {name: lib}\n"})
    for arguments in (["package", "library"], ["repo", "index", "."]):
        command = [*find_programs().helm, *arguments]
        subprocess.run(command, cwd=folder, env={"HOME": str(tmp_path)}, check=True, capture_output=True)
    return folder


@pytest.fixture
async def chart_repository(packaged) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_static("/", packaged)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize("locked", [False, True])
async def test_dependencies_come_from_chart_repositories(run, chart, chart_repository, locked):
    needs = f"dependencies:\n- {{name: library, version: ^0.1.0, repository: '{chart_repository}'}}\n"
    write(chart, {"Chart.yaml": FILES["Chart.yaml"] + needs})
    await run("helm-template", config(buildDependencies=True))
    if locked:
        for archive in (chart / "charts").iterdir():
            archive.unlink()
        assert (chart / "Chart.lock").exists()
        await run("helm-template", config(buildDependencies=True))
    assert "name: lib" in (run.workdir / "out/manifests.yaml").read_text()


async def test_a_chart_repository_that_is_not_there_is_named(run, chart):
    needs = "dependencies:\n- {name: library, version: 0.1.0, repository: 'http://127.0.0.1:1/charts'}\n"
    write(chart, {"Chart.yaml": FILES["Chart.yaml"] + needs})
    with pytest.raises(UserError, match=r"fetching the dependencies of src/chart.*127\.0\.0\.1"):
        await run("helm-template", config(buildDependencies=True))


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"path": "./nowhere"}, "'./nowhere'"),
        ({"path": "../chart"}, "leads out"),
        ({"outPath": "../out.yaml"}, "leads out"),
        ({"valuesFiles": ["./missing.yaml"]}, "ignoreMissingValueFiles"),
        ({"valuesFiles": ["../../etc/passwd"]}, "leads out"),
        ({"kubeVersion": "nonsense"}, "rendering ./src/chart"),
        ({"releaseName": "--post-renderer=touch"}, "rendering ./src/chart"),
        ({"setValues": [{"key": "a[", "value": "1"}]}, "rendering ./src/chart"),
    ],
)
async def test_mistakes_are_said(run, chart, more, says):
    with pytest.raises(UserError, match=says):
        await run("helm-template", config(**more))


async def test_a_broken_template_is_told_without_the_paths_of_this_machine(run, chart):
    write(chart, {"templates/broken.yaml": "{{ .Values.nothing.at.all }}"})
    with pytest.raises(UserError, match=r"service/templates/broken\.yaml") as caught:
        await run("helm-template", config())
    assert str(run.workdir) not in str(caught.value)


@pytest.mark.parametrize("where", ["src/chart/templates/leak.yaml", "out/service"])
async def test_links_out_of_the_folder_are_not_followed(run, chart, where, tmp_path):
    (tmp_path / "secret.yaml").write_text("kind: Secret\n")
    link = run.workdir / where
    link.parent.mkdir(exist_ok=True)
    link.symlink_to(tmp_path / "secret.yaml" if link.suffix else tmp_path)
    with pytest.raises(UserError, match=f"'{where}' is a symbolic link out"):
        await run("helm-template", config(outPath="./out"))


async def test_dependencies_out_of_the_folder_are_refused(run, chart):
    needs = "dependencies:\n- {name: x, version: 0.1.0, repository: 'file://../../../x'}\n"
    write(chart, {"Chart.yaml": FILES["Chart.yaml"] + needs})
    with pytest.raises(UserError, match="leads out"):
        await run("helm-template", config(buildDependencies=True))


async def test_a_missing_helm_says_how_to_get_it(run, chart):
    run.context = replace(run.context, programs=Programs())
    with pytest.raises(UserError, match=r"towpath\[helm\]"):
        await run("helm-template", config())
