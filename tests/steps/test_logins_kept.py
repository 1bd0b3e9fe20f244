"""The logins that helm is given: in files of one run, for the addresses they were looked up for, and nowhere else."""

import base64
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.contracts.registry import Login
from bot.errors import UserError
from bot.steps.rendering.held_helm import with_login
from bot.steps.rendering.kustomize_charts import chart_addresses
from bot.steps.rendering.logins import Logins, logged_in
from tests.steps.oci import keep_login, with_registries
from tests.steps.test_helm_charts import write
from tests.steps.test_logins import BASIC, built, inflated, pulled, updated


@pytest.fixture
async def stage(run):
    async with with_registries(run):
        yield run


class Kept:
    """Logins by the address they are asked for."""

    def __init__(self, logins: dict[str, Login]) -> None:
        self.logins = logins

    async def login(self, url: str) -> Login:
        return self.logins.get(url, Login())


OF_ACME = Login("acme", "s3cret-one")
OF_OTHER = Login("other", "s3cret-two")


def told(given: Logins, variable: str) -> Any:
    return yaml.safe_load(Path(given.environment[variable]).read_text())


def knowing(run, **logins: Login):
    return replace(run.context, artifacts=Kept({f"oci://r.test/{name}/c": login for name, login in logins.items()}))


NOTING = """\
#!PYTHON -IS
import json, os, sys
from pathlib import Path
if sys.argv[1] == "version":
    sys.exit(print("v3.17.3"))
seen = {"arguments": sys.argv, "environment": dict(os.environ)}
for name in ("HELM_REGISTRY_CONFIG", "HELM_REPOSITORY_CONFIG"):
    file = Path(os.environ[name])
    seen[name] = file.read_text() if file.exists() else ""
with open("NOTES", "a") as notes:
    print(json.dumps(seen), file=notes)
sys.exit("401 Unauthorized")
"""


def noting(stage) -> Path:
    """Have a program that notes what it was given, and is let in nowhere, be helm."""
    helm, notes = stage.workdir / "helm", stage.workdir / "notes"
    write(stage.workdir, {"helm": NOTING.replace("PYTHON", sys.executable).replace("NOTES", str(notes))})
    helm.chmod(0o700)
    stage.context = replace(stage.context, programs=replace(stage.context.programs, helm=(str(helm),)))
    return notes


@pytest.mark.parametrize(
    ("way", "address", "variable"),
    [
        (pulled, "r.test", "HELM_REGISTRY_CONFIG"),
        (built, "oci://r.test/team/charts", "HELM_REGISTRY_CONFIG"),
        (built, "https://r.test/charts", "HELM_REPOSITORY_CONFIG"),
        (updated, "oci://r.test/team/charts", "HELM_REGISTRY_CONFIG"),
        (inflated, "oci://r.test/team/charts", "HELM_REGISTRY_CONFIG"),
        (inflated, "https://r.test/charts", "HELM_REPOSITORY_CONFIG"),
    ],
)
async def test_a_login_is_in_a_file_and_neither_in_an_argument_nor_in_the_environment(stage, way, address, variable):
    notes = noting(stage)
    keep_login(stage, "r.test")
    async with with_registries(stage):
        with pytest.raises(UserError, match=r"credentials for r\.test are right"):
            await way(stage, address)
    seen = [json.loads(line) for line in notes.read_text().splitlines()]
    basic = BASIC.removeprefix("Basic ")
    assert any("secret" in one[variable] or basic in one[variable] for one in seen)
    for one in seen:
        told = json.dumps([one["arguments"], one["environment"]])
        assert not {word for word in ("secret", basic) if word in told}


async def test_what_no_login_was_looked_up_for_has_none(stage):
    """Not even at a registry that there is one for: the address is in no place where it was looked for."""
    notes = noting(stage)
    keep_login(stage, "r.test")
    hidden = "kind: HelmChartInflationGenerator\napiVersion: builtin\nmetadata: {name: g}\n"
    files = {
        "k/kustomization.yaml": "generators: [inner]\ncommonAnnotations: {see: other}\n",
        "k/inner/kustomization.yaml": "resources: [g.yaml]\n",
        "k/inner/g.yaml": f"{hidden}name: b\nrepo: oci://r.test/other\n",
        "k/other/kustomization.yaml": "helmCharts: [{name: a, repo: 'oci://r.test/team'}]\n",
    }
    write(stage.workdir, files)
    assert chart_addresses(stage.workdir.resolve(), stage.workdir.resolve() / "k") == ["oci://r.test/team/a"]
    async with with_registries(stage):
        with pytest.raises(UserError, match=r"r\.test"):
            await stage("kustomize-build", {"path": "k", "outPath": "out.yaml"})
    (seen,) = [json.loads(line) for line in notes.read_text().splitlines()]
    assert "oci://r.test/other/b" in seen["arguments"]
    assert seen["HELM_REGISTRY_CONFIG"] == ""


async def test_helm_is_told_of_the_hosts_it_asks_and_nothing_else(run):
    urls = ["oci://r.test/acme/c", "oci://hub.test/c", "https://charts.test/a", "https://charts.test/b"]
    logins = {urls[0]: OF_ACME, urls[2]: OF_OTHER, "oci://elsewhere.test/c": OF_OTHER}
    context = replace(run.context, artifacts=Kept(logins))
    async with logged_in(context, [*urls, urls[0]]) as given:
        assert given.folder.parent == run.workdir.parent
        assert given.folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in given.folder.iterdir()} == {0o600}
        assert "s3cret" not in repr(given)
        registries = told(given, "HELM_REGISTRY_CONFIG")
        repositories = told(given, "HELM_REPOSITORY_CONFIG")["repositories"]
    assert registries == {"auths": {"r.test": {"auth": base64.b64encode(b"acme:s3cret-one").decode()}}}
    assert repositories == [
        {"name": "repository-0", "url": urls[2], "username": "other", "password": "s3cret-two"},
        {"name": "repository-1", "url": urls[3]},
    ]
    assert given.known == {urls[0]: "", urls[2]: "repository-0"}
    assert not given.folder.exists()


async def test_the_files_are_gone_whatever_happens(run):
    with pytest.raises(ZeroDivisionError):
        async with logged_in(knowing(run, acme=OF_ACME), ["oci://r.test/acme/c"]) as given:
            raise ZeroDivisionError
    assert not given.folder.exists()


@pytest.mark.parametrize("other", [OF_OTHER, Login(), Login(identity_token="s3cret-token")])
async def test_a_login_for_a_part_of_a_registry_opens_no_other_part(run, other):
    context = knowing(run, acme=OF_ACME, other=other)
    with pytest.raises(UserError, match=r"different logins, and helm takes one for all of r\.test"):
        async with logged_in(context, ["oci://r.test/acme/c", "oci://r.test/other/c"]):
            pass


@pytest.mark.parametrize("host", ["docker.io", "registry-1.docker.io", "index.docker.io"])
async def test_docker_hub_is_known_by_all_its_names(run, host):
    url = f"oci://{host}/acme/c"
    context = replace(run.context, artifacts=Kept({url: Login("acme", identity_token="s3cret-token")}))
    async with logged_in(context, [url]) as given:
        auths = told(given, "HELM_REGISTRY_CONFIG")["auths"]
    assert set(auths) == {"docker.io", "registry-1.docker.io", "index.docker.io", "https://index.docker.io/v1/"}
    assert {entry["identitytoken"] for entry in auths.values()} == {"s3cret-token"}


KNOWN = {"oci://r.test/acme/c": "", "https://charts.test": "repository-0"}


@pytest.mark.parametrize(
    ("given", "made", "name"),
    [
        ("pull --version 1 -- oci://r.test/acme/c", "pull --version 1 -- oci://r.test/acme/c", ""),
        ("pull --untar -- oci://r.test/other/c", "pull --untar -- oci://r.test/other/c", None),
        ("pull --repo https://charts.test --untar -- c", "pull --untar -- repository-0/c", "repository-0"),
        ("pull --repo https://charts.test/x -- c", "pull --repo https://charts.test/x -- c", None),
        ("pull --repo oci://r.test/acme/c -- c", "pull --repo oci://r.test/acme/c -- c", None),
        ("pull -- https://charts.test", "pull -- https://charts.test", None),
        ("template --repo https://charts.test -- x c", "template --repo https://charts.test -- x c", None),
        ("version -c --", "version -c --", None),
    ],
)
def test_kustomizes_helm_has_a_login_only_for_what_it_was_looked_up_for(given, made, name):
    assert with_login(given.split(), KNOWN) == (made.split(), name)


def test_all_charts_of_a_kustomization_are_known(run):
    files = {
        "k/kustomization.yaml": "resources: [../base]\ngenerators: [g.yaml, gone.yaml, ../../out.yaml, 1]\n"
                                "helmCharts: [{name: a, repo: 'oci://r.test/x/'}, {name: b}, {repo: 1, name: c}, 2]\n",
        "k/g.yaml": "kind: HelmChartInflationGenerator\nname: g\nrepo: https://charts.test/g\n---\n[]\n",
        "base/kustomization.yaml": "helmChartInflationGenerator: [{chartName: o, chartRepoUrl: 'https://charts.test/o'}]\n"
                                   "generators:\n- |\n  {kind: X, name: p, repo: 'https://charts.test/p'}\n",
        "other/kustomization.yaml": "helmCharts: [{name: z, repo: 'https://charts.test/z'}]\n",
    }  # fmt: skip
    write(run.workdir, files)
    write(run.workdir.parent, {"out.yaml": "{name: out, repo: 'https://charts.test/out'}\n"})
    root = run.workdir.resolve()
    found = ["https://charts.test/g", "https://charts.test/o", "https://charts.test/p", "oci://r.test/x/a"]
    assert sorted(chart_addresses(root, root / "k")) == found


@pytest.mark.parametrize("text", ["a: &a [*a]\nhelmCharts: *a\n", "helmCharts: [", "[" * 2000, "generators: ['\\0']"])
def test_kustomizations_that_are_none(run, text):
    write(run.workdir, {"k/kustomization.yaml": text})
    assert chart_addresses(run.workdir.resolve(), run.workdir.resolve() / "k") == []
