"""A kustomization is a repository's own, or one that it fetches: it gets neither our helm to do what it likes, nor what
lies outside the promotion's folder."""

import base64
from pathlib import Path

import pytest
import yaml

from bot.errors import UserError
from bot.rendering import find_programs
from bot.steps import kustomize_build
from bot.steps.rendering import held_helm
from tests.environment import required

SECRET = "s3cret-of-the-host"
CHART = "apiVersion: v2\nname: c\nversion: 0.1.0\n"
TEMPLATE = (
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: {all: {{ toJson .Values | quote }}, "
    'files: {{ .Files.Get "extra" | quote }}}\n'
)


def write_chart(folder: Path) -> None:
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text(CHART)
    (folder / "values.yaml").write_text("a: 1\n")
    (folder / "templates/x.yaml").write_text(TEMPLATE)


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A folder of this machine that is nobody's to read, and a program in it that leaves a trace."""
    required(find_programs().helm, "helm is not installed")
    required(find_programs().kustomize, "neither kustomize nor kubectl is installed")
    folder = tmp_path / "outside"
    write_chart(folder / "c")
    (folder / "c/values.yaml").write_text(f"password: {SECRET}\n")
    (folder / "values.json").write_text(f'{{"password": "{SECRET}"}}')
    (folder / "kustomization.yaml").write_text(f"configMapGenerator: [{{name: x, literals: [a={SECRET}]}}]\n")
    (folder / "evil.sh").write_text(f"#!/bin/sh\ntouch {folder}/was-here\ncat\n")
    (folder / "evil.sh").chmod(0o755)
    return folder


@pytest.fixture
def kustomization(run) -> Path:
    folder = run.workdir / "k"
    write_chart(folder / "charts/c")
    return folder / "kustomization.yaml"


HIDDEN, HIDDEN_HOME = (base64.b64encode(way).decode() for way in (b"../../outside/values.json", b"../../outside"))
ATTACKS = {
    "post-renderer": "helmCharts: [{name: c, releaseName: '--post-renderer=OUT/evil.sh'}]",
    "values": "helmCharts: [{name: c, releaseName: '--values=OUT/values.json'}]",
    "short values": "helmCharts: [{name: c, releaseName: '-fOUT/values.json'}]",
    "set-file": "helmCharts: [{name: c, releaseName: '--set-file=a=OUT/values.json'}]",
    "output": "helmCharts: [{name: c, releaseName: '--output-dir=OUT/written'}]",
    "values file": "helmCharts: [{name: c, releaseName: r, valuesFile: OUT/values.json}]",
    "more values": "helmCharts: [{name: c, releaseName: r, additionalValuesFiles: [OUT/values.json]}]",
    "inline": "helmCharts: [{name: c, releaseName: '--values=OUT/values.json', valuesInline: {b: 2}}]",
    "chart home": (
        "helmGlobals: {chartHome: OUT}\nhelmCharts: [{name: c, releaseName: r, valuesFile: charts/c/values.yaml}]"
    ),
    "relative chart home": (
        "helmGlobals: {chartHome: ../../outside}\n"
        "helmCharts: [{name: c, releaseName: r, valuesFile: charts/c/values.yaml}]"
    ),
    "chart name": "helmCharts: [{name: ../../../outside/c, releaseName: r, valuesFile: charts/c/values.yaml}]",
    "config home": "helmGlobals: {configHome: OUT/written}\nhelmCharts: [{name: c, releaseName: r}]",
    "plugin": (
        "helmGlobals: {configHome: k/home}\n"  # from the folder that kustomize runs in
        "helmCharts: [{name: c, repo: 'evil://charts.example.com', version: 1.0.0, releaseName: r}]"
    ),
    "generator": "generators: [generator.yaml]",
    "base": "resources: [../../outside]",
    "base in disguise": 'resources: ["\\x2e\\x2e/../outside"]',
    "component": "components: [../../outside]",
    "base of a base": "resources: [base]",
    "a link in a chart": "helmCharts: [{name: linked, releaseName: r}]",
    "an openapi schema": "openapi: {path: OUT/values.json}",
    "a file": "configMapGenerator: [{name: x, files: [../../outside/values.json]}]",
    "a named file": "configMapGenerator: [{name: x, files: [a=../../outside/values.json]}]",
    "a file in disguise": f"configMapGenerator: [{{name: x, files: [!!binary {HIDDEN}]}}]",
    "a chart home in disguise": (
        f"helmGlobals: {{chartHome: !!binary {HIDDEN_HOME}}}\nhelmCharts: [{{name: c, releaseName: r}}]"
    ),
    "a base that looks like none": "Resources: [reading]",
    "a component that looks like none": "COMPONENTS: [reading]",
    "a base that reads": "resources: [reading]",
    "a patch": "resources: [x.yaml]\npatches: [{path: ../../outside/patch.yaml}]",
    "an environment": "configMapGenerator: [{name: x, envs: [../../outside/values.json]}]",
    "replacements": "resources: [x.yaml]\nreplacements: [{path: ../../outside/values.json}]",
    "a transformer": "resources: [x.yaml]\ntransformers: [transformer.yaml]",
}
GENERATOR = """\
apiVersion: builtin
kind: HelmChartInflationGenerator
metadata: {name: g}
name: c
releaseName: --post-renderer=OUT/evil.sh
"""


PLUGIN = """\
name: evil
version: 0.1.0
command: OUT/evil.sh
downloaders: [{command: ../../../../../../../../../../../../OUT/evil.sh, protocols: [evil, https]}]
hooks: {install: OUT/evil.sh}
"""
TRANSFORMER = """\
apiVersion: builtin
kind: PatchTransformer
metadata: {name: t}
path: ../../outside/patch.yaml
"""


def arrange(attack: str, outside: Path, kustomization: Path) -> None:
    folder = kustomization.parent
    kustomization.write_text(ATTACKS[attack].replace("OUT", str(outside)) + "\n")
    (folder / "generator.yaml").write_text(GENERATOR.replace("OUT", str(outside)))
    (folder / "base").mkdir()
    (folder / "base/kustomization.yaml").write_text("resources: [../../../outside]\n")
    plugin = folder / "home/.data/plugins/evil"
    plugin.mkdir(parents=True)
    (plugin / "plugin.yaml").write_text(PLUGIN.replace("/OUT", str(outside)).replace("OUT", str(outside)))
    (folder / "reading").mkdir()
    (folder / "reading/kustomization.yaml").write_text(ATTACKS["a file"].replace("../..", "../../.."))
    (folder / "x.yaml").write_text("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n")
    (folder / "transformer.yaml").write_text(TRANSFORMER)
    (outside / "patch.yaml").write_text(
        f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata: {{a: {SECRET}}}\n"
    )
    if attack == "a link in a chart":
        write_chart(folder / "charts/linked")
        (folder / "charts/linked/extra").symlink_to(outside / "values.json")


def everything(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


@pytest.mark.parametrize("attack", ATTACKS)
async def test_it_neither_runs_nor_reads_nor_writes_what_lies_outside(
    attack: str, run, outside: Path, kustomization: Path
) -> None:
    arrange(attack, outside, kustomization)
    before = everything(outside)

    with pytest.raises(UserError) as refused:
        await run("kustomize-build", {"path": "k", "outPath": "out.yaml"})

    assert everything(outside) == before
    assert SECRET not in str(refused.value)
    assert not (run.workdir / "out.yaml").exists()


WELL_MEANT = """\
helmCharts:
- {name: c, releaseName: r, namespace: space, includeCRDs: true, skipTests: true, skipHooks: true,
   valuesInline: {b: 2}, additionalValuesFiles: [more.yaml], apiVersions: [a/v1], kubeVersion: 1.30.1}
"""


async def test_what_is_meant_well_is_rendered(run, outside, kustomization) -> None:
    kustomization.write_text(WELL_MEANT)
    (kustomization.parent / "more.yaml").write_text("c: 3\n")
    await run("kustomize-build", {"path": "k", "outPath": "out.yaml"})
    rendered = yaml.safe_load((run.workdir / "out.yaml").read_text())
    assert rendered["data"]["all"] == '{"a":1,"b":2,"c":3}'


@pytest.mark.parametrize(
    ("arguments", "held"),
    [
        (["version", "-c", "--short"], ["version", "-c", "--short", "--"]),
        (["template", "r", "HERE/c", "-f", "HERE/v.yaml"], ["template", "-f", "HERE/v.yaml", "--", "r", "HERE/c"]),
        (
            ["pull", "--untar", "--untardir", "HERE/charts", "--repo", "https://charts.example.com", "c"],
            ["pull", "--untar", "--untardir", "HERE/charts", "--repo", "https://charts.example.com", "--", "c"],
        ),
        (["template", "--namespace", "--x", "HERE/c"], ["template", "--namespace", "--x", "--", "HERE/c"]),
    ],
)
def test_names_come_after_the_options(arguments: list[str], held: list[str], tmp_path: Path) -> None:
    (tmp_path / "c").mkdir()
    given = [each.replace("HERE", str(tmp_path)) for each in arguments]
    assert held_helm.held(tmp_path, given) == [each.replace("HERE", str(tmp_path)) for each in held]


@pytest.mark.parametrize(
    "arguments",
    [
        ["plugin", "install", "x"],
        [],
        ["template", "--post-renderer=x", "/c"],
        ["template", "--post-renderer", "x", "/c"],
        ["template", "-f/etc/passwd", "c"],
        ["template", "r", "/etc"],
        ["pull", "--untar", "--untardir", "/etc", "c"],
        ["pull", "--untar", "../../c"],
        ["pull", "--destination=/etc", "c"],
    ],
)
def test_what_helm_is_not_given(arguments: list[str], tmp_path: Path) -> None:
    with pytest.raises(held_helm.Refused):
        held_helm.held(tmp_path, arguments)


@pytest.mark.parametrize(("link", "to"), [("extra", "../../outside"), ("templates", "/etc"), ("round", "round")])
def test_helm_is_given_no_chart_with_a_link_out(link: str, to: str, tmp_path: Path) -> None:
    """Of charts that a kustomization fetches nobody else looks at the links."""
    chart = tmp_path / "work/c"
    chart.mkdir(parents=True)
    assert held_helm.held(tmp_path / "work", ["template", "r", str(chart)])[-1] == str(chart)
    (chart / link).symlink_to(to)
    with pytest.raises(held_helm.Refused, match="symbolic link"):
        held_helm.held(tmp_path / "work", ["template", "r", str(chart)])


@pytest.mark.parametrize(
    ("text", "may"),
    [
        ("helmCharts: [{name: c, repo: 'https://charts.example.com', releaseName: r}]", True),
        ("resources: [base]", True),
        ("resources: [base, x.yaml]\ncomponents: ['https://git.example.com/acme/shop.git//c']", False),
        ("resources: [git.example.com/acme/shop//base]", False),
        ("Resources: [git.example.com/acme/shop//base]", False),
        ("resources: [fetching]", False),
        ("generators: ['https://git.example.com/x.yaml']", False),
        ("resources: &a [base]\ncomponents: *a", False),
    ],
)
def test_where_nothing_holds_kustomize_helm_is_not_for_what_is_fetched(text: str, may: bool, tmp_path: Path) -> None:
    for name, content in {"": text, "base": "resources: []", "fetching": "bases: ['git.example.com/a/b//c']"}.items():
        (tmp_path / name).mkdir(exist_ok=True)
        (tmp_path / name / "kustomization.yaml").write_text(f"{content}\n")
    (tmp_path / "x.yaml").write_text("a: 1\n")
    assert kustomize_build._may_have_helm(tmp_path, tmp_path, held=False) is may
    assert kustomize_build._may_have_helm(tmp_path, tmp_path, held=True)
