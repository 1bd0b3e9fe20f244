"""helm-template: render a chart, by the real helm."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import Rendered, StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.targets import writable
from bot.steps.rendering import programs
from bot.steps.rendering.helm_charts import get_dependencies, need_helm, pull
from bot.steps.rendering.logins import OCI
from bot.steps.rendering.manifests import helm_name, is_file, write_each, write_one, write_tree
from bot.steps.rendering.renders import SPARING, UNTRANSLATED, Content, content_of, key_of, recall, render, scratch
from bot.steps.shapes import FLAG, MAYBE, TEXT, TEXTS, listed, record, told
from bot.steps.workspace import existing, inside, refuse_links_out

NAME = "helm-template"
HELP = "Render a Helm chart to one file, or to a folder of files."
SCHEMA: Schema = record(
    "path outPath releaseName",
    path=told(TEXT, "The chart: a folder, a package, or oci://registry/repository:version."),
    outPath=told(TEXT, "One file when it ends in .yaml or .yml, else a folder."),
    outLayout=told({"enum": ["helm", "flat"]}, "In a folder: as helm lays it out, or a file for each resource."),
    releaseName=TEXT,
    useReleaseName=told(FLAG, "In a folder of helm's layout: begin with a folder called like the release."),
    namespace=told(MAYBE, "`default`, as helm has it, unless given; in Kargo the project's name."),
    valuesFiles=TEXTS,
    ignoreMissingValueFiles=FLAG,
    setValues=listed(
        record(
            "key value",
            key=TEXT,
            value={"type": ["string", "number", "boolean", "null"]},
            literal=told(FLAG, "Take the value as text, whatever it looks like."),
        )
    ),
    buildDependencies=told(FLAG, "Fetch the charts this one depends on first."),
    includeCRDs=FLAG,
    disableHooks=FLAG,
    skipTests=FLAG,
    kubeVersion=MAYBE,
    apiVersions=TEXTS,
)


@dataclass(frozen=True, slots=True)
class _Release:
    """What is rendered: a chart's place, values files in their order, the other arguments, how it is laid out, and
    where it goes."""

    root: Path
    target: Path
    chart: Path
    values: tuple[Path, ...]
    arguments: tuple[str, ...]
    in_files: bool  # as helm lays them out

    def content(self) -> tuple[Content | None, ...]:
        return tuple(content_of(path) for path in (self.chart, *self.values))


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    need_helm(context)
    root = context.workdir.resolve()
    if config["path"].startswith(OCI):
        await asyncio.to_thread(_target, root, config)
        async with scratch(root) as home:
            await _render_to_target(context, config, await pull(context, config["path"], home))
    else:
        if config.get("buildDependencies"):
            release = await asyncio.to_thread(_release, root, config)
            await get_dependencies(context, release.chart, "build")
        await _render_to_target(context, config)
    return StepResult(StepStatus.SUCCEEDED)


async def prepare(context: StepContext, config: Mapping[str, Any]) -> None:
    """Render it into the cache ahead of its turn; nothing else is touched. Raises UserError as `run` will."""
    if config["path"].startswith(OCI) or config.get("buildDependencies") or not context.programs.helm:
        return

    def begin() -> tuple[_Release, str]:
        release = _release(context.workdir.resolve(), config)
        return release, _key(context, release, config)

    release, key = await asyncio.to_thread(begin)
    if key:  # only what can be kept is worth rendering now
        await _render(context, config, release, key, ahead=True)


async def _render_to_target(context: StepContext, config: Mapping[str, Any], chart: Path | None = None) -> None:
    """Without a `chart` it is the one at `path`. What was rendered before takes one thread, and no program."""

    def from_cache() -> tuple[_Release, str, bool]:
        release = _release(context.workdir.resolve(), config, chart)
        key = _key(context, release, config)
        kept = recall(context.programs, key)
        if kept is not None:
            _write(kept, release.target, config)
        return release, key, kept is not None

    release, key, written = await asyncio.to_thread(from_cache)
    if not written:
        files = await _render(context, config, release, key)
        await asyncio.to_thread(_write, files, release.target, config)


async def _render(
    context: StepContext, config: Mapping[str, Any], release: _Release, key: str, *, ahead: bool = False
) -> Rendered:
    async def make() -> Rendered | None:
        files = await _helm_template(context, release, config)
        # Other steps may be at work, if this is ahead of its turn: what they changed meanwhile must not be kept.
        return files if not ahead or await asyncio.to_thread(_key, context, release, config) == key else None

    return await render(context.programs, key, make)


def _target(root: Path, config: Mapping[str, Any]) -> Path:
    target = writable(root, config["outPath"])
    refuse_links_out(root, target)
    return target


def _release(root: Path, config: Mapping[str, Any], chart: Path | None = None) -> _Release:
    """Blocks. Raises UserError for what isn't there, or leads out of the promotion's folder."""
    target = _target(root, config)
    if chart is None:
        chart = existing(root, config["path"])
        refuse_links_out(root, chart)
    in_files = not is_file(config["outPath"]) and config.get("outLayout", "helm") == "helm"
    return _Release(root, target, chart, _values_files(root, config), _arguments(config), in_files)


def _key(context: StepContext, release: _Release, config: Mapping[str, Any]) -> str:
    settings = (NAME, config["releaseName"], str(release.in_files), *release.arguments)
    return key_of(context.programs, settings, *release.content())


async def _helm_template(context: StepContext, release: _Release, config: Mapping[str, Any]) -> Rendered:
    async with scratch(release.root) as home:
        out = home / "out"
        arguments = [_values_flag(file) for file in release.values]
        arguments += await asyncio.to_thread(_without_secrets, context, release.arguments, home)
        if release.in_files:
            out.mkdir()
            arguments.append(f"--output-dir={out}")
        answer = await programs.run(
            context.programs.helm, "template", *arguments, "--", config["releaseName"], str(release.chart),
            folder=release.root, environment={**programs.helm_environment(home), **SPARING, **UNTRANSLATED},
        )  # fmt: skip
        if answer.status:
            said = _advice(programs.without_folder(context.secrets.mask(answer.complaint), release.root))
            raise UserError(f"rendering {config['path']}: {said}")
        if not release.in_files:
            return {"": answer.output}
        files = await asyncio.to_thread(content_of, out)
    if files is None:
        raise UserError(f"rendering {config['path']}: it gives more than can be committed")
    return files


def _write(files: Rendered, target: Path, config: Mapping[str, Any]) -> None:
    if is_file(config["outPath"]):
        write_one(target, files[""])
    elif config.get("outLayout") == "flat":
        write_each(target, files[""], helm_name)
    else:
        write_tree(target, files)


def _values_files(root: Path, config: Mapping[str, Any]) -> tuple[Path, ...]:
    """Raises UserError for one that is not there, unless that is allowed."""
    found = []
    for name in config.get("valuesFiles", ()):
        file = inside(root, name)
        if file.is_file():
            found.append(file)
        elif not config.get("ignoreMissingValueFiles"):
            raise UserError(f"there is no values file {name!r}; correct it, or set `ignoreMissingValueFiles`")
    return tuple(found)


def _values_flag(file: Path) -> str:
    """helm reads a list of CSV here."""
    quoted = str(file).replace('"', '""')
    return f'--values="{quoted}"'


def _arguments(config: Mapping[str, Any]) -> tuple[str, ...]:
    """All but values files. https://helm.sh/docs/helm/helm_template/"""
    arguments = []
    for value in config.get("setValues", ()):
        kind = "--set-literal" if value.get("literal") else "--set"
        arguments.append(f"{kind}={value['key']}={_text(value['value'])}")
    flags = {
        "includeCRDs": "--include-crds",
        "disableHooks": "--no-hooks",
        "skipTests": "--skip-tests",
        "useReleaseName": "--release-name",
    }
    arguments += [flag for field, flag in flags.items() if config.get(field)]
    if namespace := config.get("namespace"):
        arguments.append(f"--namespace={namespace}")
    if version := config.get("kubeVersion"):
        arguments.append(f"--kube-version={version}")
    return (*arguments, *(f"--api-versions={version}" for version in config.get("apiVersions", ())))


def _without_secrets(context: StepContext, arguments: Sequence[str], home: Path) -> list[str]:
    """A program's arguments are for all to see: a value with a secret in it goes by a file, and is text then."""
    told = list(arguments)
    for number, argument in enumerate(arguments):
        kind, _, setting = argument.partition("=")
        key, _, value = setting.partition("=")
        if kind in {"--set", "--set-literal"} and context.secrets.mask(value) != value:
            file = home / f"value-{number}"
            file.touch(0o600)
            file.write_text(value, encoding="utf-8", newline="")
            told[number] = f"--set-file={key}={home.name}/{file.name}"
    return told


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _advice(complaint: str) -> str:
    if "missing in charts/" in complaint or "dependency build" in complaint:
        return f"{complaint}; set `buildDependencies: true`, or commit the charts/ folder"
    return complaint
