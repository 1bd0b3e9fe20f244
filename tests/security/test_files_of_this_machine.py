"""A program that renders reaches its promotion's folder and what programs are made of. Nothing else of this machine.

What the steps check first is not in the way here: this is the guard behind it, the kernel's.
"""

import contextlib
import os
import signal
import socket
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.rendering import find_programs
from bot.steps.rendering import confine, programs
from tests.environment import required

SECRET = "s3cret-of-the-host"
PYTHON = (sys.executable, "-I", "-S", "-c")
HELM, KUSTOMIZE = find_programs().helm, find_programs().kustomize
CONFIG_MAP = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\ndata: "


@dataclass
class Machine:
    """The folders of a Towpath that serves several: of them only `own` is the promotion's."""

    folder: Path
    own: Path

    def secrets(self) -> list[Path]:
        """Whatever is nobody's business, in files that charts and kustomizations could be made of."""
        return sorted(path for path in self.folder.rglob("*") if path.is_file() and self.own not in path.parents)

    def state(self) -> dict[str, bytes]:
        return {str(path): path.read_bytes() for path in self.secrets()}


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    required(confine.holds_files(), "this kernel has no Landlock for files (Linux 5.19)")
    texts = {
        "key.pem": f"{SECRET}\n",
        "secrets/acme/config/argocd/token": SECRET,
        "data/towpath.db": SECRET,
        "data/git/other/mirror/config": SECRET,
        "data/renders/ab/kept.yaml": f"password: {SECRET}\n",
        "data/promotions/other/values.yaml": f"password: {SECRET}\n",
        "data/promotions/other/kustomization.yaml": "resources: [x.yaml]\n",
        "data/promotions/other/x.yaml": f"{CONFIG_MAP}{{password: {SECRET}}}\n",
        "data/promotions/other/chart/Chart.yaml": "apiVersion: v2\nname: c\nversion: 0.1.0\n",
        "data/promotions/other/chart/values.yaml": f"password: {SECRET}\n",
    }
    for name, text in texts.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    own = tmp_path / "data/promotions/own"
    (own / "chart/templates").mkdir(parents=True)
    (own / "chart/Chart.yaml").write_text("apiVersion: v2\nname: c\nversion: 0.1.0\n")
    (own / "chart/values.yaml").write_text("a: 1\n")
    (own / "chart/templates/x.yaml").write_text(
        f'{CONFIG_MAP}{{all: {{{{ toJson .Values | quote }}}}, extra: {{{{ .Files.Get "extra" | quote }}}}}}\n'
    )
    return Machine(tmp_path, own)


async def python(machine: Machine, code: str, *arguments: str) -> programs.Answer:
    return await programs.run((*PYTHON, code), *arguments, folder=machine.own, environment={})


async def helm(machine: Machine, *arguments: str) -> programs.Answer:
    required(HELM, "helm is not installed")
    environment = programs.helm_environment(machine.own)
    return await programs.run(HELM, *arguments, folder=machine.own, environment=environment)


async def kustomize(machine: Machine, text: str, *arguments: str) -> programs.Answer:
    required(KUSTOMIZE, "neither kustomize nor kubectl is installed")
    required(HELM, "helm is not installed")
    (machine.own / "kustomization.yaml").write_text(text)
    return await programs.run(
        KUSTOMIZE, *arguments, "--enable-helm", f"--helm-command={HELM[0]}", "--", str(machine.own),
        folder=machine.own, environment=programs.helm_environment(machine.own), starts=(Path(HELM[0]),),
    )  # fmt: skip


# --- any program ----------------------------------------------------------------------------------------

READ = "import sys; print(open(sys.argv[1]).read())"


async def test_it_reads_and_writes_in_its_own_folder(machine: Machine) -> None:
    code = (
        "import os; os.makedirs('a/b'); open('a/x', 'w').write('new'); os.rename('a/x', 'a/b/y'); "
        "os.symlink('y', 'a/b/z'); print(open('a/b/z').read()); os.remove('a/b/z'); os.truncate('a/b/y', 1); "
        "open('/dev/null', 'w').write('x'); print(len(open('/dev/urandom', 'rb').read(3)))"
    )
    answer = await python(machine, code)
    assert (answer.status, answer.output.split()) == (0, [b"new", b"3"]), answer.complaint
    assert (machine.own / "a/b/y").read_text() == "n"


async def test_it_reads_nothing_else(machine: Machine) -> None:
    (machine.own / "link").symlink_to(machine.folder / "data")
    ways = [*map(str, machine.secrets()), "../other/values.yaml", "link/towpath.db"]
    ways += ["/etc/passwd", "/etc/hostname", f"/proc/{os.getpid()}/environ", "/proc/self/environ", __file__]
    for way in ways:
        answer = await python(machine, READ, way)
        assert answer.status, way
        assert "Permission denied" in answer.complaint, way
        assert SECRET not in f"{answer.output!r}{answer.complaint}", way


@pytest.mark.parametrize(
    "doing",
    [
        "open(f'{there}/new', 'w')",
        "open(f'{there}/values.yaml', 'a')",
        "os.truncate(f'{there}/values.yaml', 0)",
        "os.remove(f'{there}/values.yaml')",
        "os.mkdir(f'{there}/new')",
        "os.symlink('values.yaml', f'{there}/new')",
        "os.link(f'{there}/values.yaml', 'here')",
        "os.rename(f'{there}/values.yaml', 'here')",
        "os.rename('chart', f'{there}/chart/new')",
        "os.listdir(there)",
    ],
)
async def test_it_changes_nothing_and_lists_nothing_elsewhere(doing: str, machine: Machine) -> None:
    before = machine.state()
    answer = await python(machine, f"import os, sys; there = sys.argv[1]; {doing}", str(machine.own.parent / "other"))
    assert answer.status
    assert "PermissionError" in answer.complaint or "cross-device" in answer.complaint
    assert machine.state() == before


async def test_it_starts_nothing_that_a_repository_brings(machine: Machine) -> None:
    script = machine.own / "evil.sh"
    script.write_text("#!/bin/sh\necho ran\n")
    script.chmod(0o755)
    code = "import subprocess; print(subprocess.run(['./evil.sh'], stdout=-1).stdout)"
    assert "PermissionError" in (await python(machine, code)).complaint
    answer = await programs.run((*PYTHON, code), folder=machine.own, environment={}, starts=(script,))
    assert answer.output == b"b'ran\\n'\n", "unless it is said to"


@contextlib.contextmanager
def listening() -> Iterator[tuple[socket.socket, int]]:
    with socket.create_server(("127.0.0.1", 0)) as one:
        yield one, one.getsockname()[1]


async def test_it_signals_nobody(machine: Machine) -> None:
    if confine.version() < 6:
        pytest.skip("this kernel has no Landlock for signals (Linux 6.12), and that is not asked of it")
    code = f"import os; os.kill({os.getpid()}, {signal.SIGURG.value})"
    assert "PermissionError" in (await python(machine, code)).complaint


async def test_who_starts_it_is_not_held_by_that(machine: Machine) -> None:
    """Landlock is for ever: the thread that asks for it must be no other's."""
    for _ in range(3):
        await python(machine, "pass")
        assert SECRET in (machine.folder / "key.pem").read_text()
        (machine.folder / "new").write_text("x")
    with listening() as (_, port), socket.create_connection(("127.0.0.1", port)):
        pass


# --- helm -----------------------------------------------------------------------------------------------


async def test_helm_follows_no_link_out_of_the_folder(machine: Machine) -> None:
    answer = await helm(machine, "template", "--", "r", "chart")
    assert answer.status == 0, answer.complaint
    for there in machine.secrets():
        link = machine.own / "chart/extra"
        link.unlink(missing_ok=True)
        link.symlink_to(there)
        answer = await helm(machine, "template", "--", "r", "chart")
        assert answer.status, there
        assert "permission denied" in answer.complaint, there
        assert SECRET not in f"{answer.output!r}{answer.complaint}", there


@pytest.mark.parametrize(
    "arguments",
    [
        ("--values=../other/values.yaml", "--", "r", "chart"),
        ("--set-file=a=../../../key.pem", "--", "r", "chart"),
        ("--", "r", "../other/chart"),
        ("--output-dir=../other/written", "--", "r", "chart"),
    ],
)
async def test_helm_takes_nothing_from_elsewhere(arguments: tuple[str, ...], machine: Machine) -> None:
    before = machine.state()
    answer = await helm(machine, "template", *arguments)
    assert answer.status
    assert SECRET not in f"{answer.output!r}{answer.complaint}"
    assert machine.state() == before


async def test_a_chart_asks_for_files_of_its_own_only(machine: Machine) -> None:
    """`.Files` has those that were loaded with the chart: `..` names none of them."""
    ways = ["../../other/values.yaml", "../../../../key.pem", str(machine.folder / "key.pem"), "/etc/passwd"]
    calls = "\n".join(f"  a{number}: {{{{ .Files.Get {way!r} | quote }}}}" for number, way in enumerate(ways))
    globs = "\n".join(
        f"  b{number}: {{{{ (.Files.Glob {way!r}).AsConfig | quote }}}}" for number, way in enumerate(ways)
    )
    text = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: x}}\ndata:\n{calls}\n{globs}\n".replace("'", '"')
    (machine.own / "chart/templates/x.yaml").write_text(text)
    answer = await helm(machine, "template", "--", "r", "chart")
    assert answer.status == 0, answer.complaint
    assert SECRET.encode() not in answer.output
    assert b"root:" not in answer.output


async def test_a_chart_is_fetched_from_no_folder_elsewhere(machine: Machine) -> None:
    (machine.own / "chart/Chart.yaml").write_text(
        "apiVersion: v2\nname: c\nversion: 0.1.0\n"
        f"dependencies: [{{name: c, version: 0.1.0, repository: 'file://{machine.own.parent}/other/chart'}}]\n"
    )
    answer = await helm(machine, "dependency", "update", "--", "chart")
    assert answer.status
    assert not list(machine.own.rglob("c-0.1.0.tgz"))


# --- kustomize ------------------------------------------------------------------------------------------

CHART = "{name: c, releaseName: r, valuesFile: "


@pytest.mark.parametrize(
    "text",
    [
        "resources: [../other]",
        "components: [../other]",
        "resources: [link]",
        "openapi: {path: ../../renders/ab/kept.yaml}",
        "configMapGenerator: [{name: x, files: [../other/values.yaml]}]",
        "configMapGenerator: [{name: x, files: [a=../../../secrets/acme/config/argocd/token]}]",
        "configMapGenerator: [{name: x, envs: [../../../key.pem]}]",
        f"helmGlobals: {{chartHome: .}}\nhelmCharts: [{CHART.replace('c,', 'chart,')}../other/values.yaml}}]",
        "helmGlobals: {chartHome: ../other}\nhelmCharts: [{name: chart, releaseName: r}]",
        "helmGlobals: {chartHome: .}\nhelmCharts: [{name: ../other/chart, releaseName: r}]",
        "helmGlobals: {chartHome: ., configHome: ../other/written}\nhelmCharts: [{name: chart, releaseName: r}]",
        "helmGlobals: {chartHome: .}\n"
        "helmCharts: [{name: chart, releaseName: r, additionalValuesFiles: [../other/values.yaml]}]",
        "helmGlobals: {chartHome: .}\nhelmCharts: [{name: chart, releaseName: '--values=../other/values.yaml'}]",
        # Kustomize calls a file of values like the chart: here it would lie in another's folder.
        "helmGlobals: {chartHome: .}\n"
        "helmCharts: [{name: ../../../../../../../../../../OTHER/chart, releaseName: r, valuesInline: {a: 2}}]",
    ],
)
async def test_kustomize_takes_nothing_from_elsewhere(text: str, machine: Machine) -> None:
    other = machine.own.parent / "other"
    (machine.own / "link").symlink_to(other)
    before = machine.state()
    text = text.replace("OTHER", str(other).lstrip("/"))
    answer = await kustomize(machine, text, "--load-restrictor=LoadRestrictionsNone")
    assert answer.status or "configHome" in text, answer.output  # that is a place to keep things, which it then can't
    assert SECRET not in f"{answer.output!r}{answer.complaint}"
    assert machine.state() == before


async def test_kustomize_still_renders_what_is_in_the_folder(machine: Machine) -> None:
    (machine.own / "beside").mkdir()
    (machine.own / "beside/kustomization.yaml").write_text("configMapGenerator: [{name: beside, literals: [b=2]}]\n")
    text = "resources: [beside]\nhelmGlobals: {chartHome: .}\nhelmCharts: [{name: chart, releaseName: r}]\n"
    answer = await kustomize(machine, text)
    assert answer.status == 0, answer.complaint
    assert answer.output.count(b"kind: ConfigMap") == 2
