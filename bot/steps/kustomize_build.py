"""kustomize-build: render a kustomization, by the real kustomize."""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import Rendered, StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.files.targets import writable
from bot.steps.rendering import confine, held_helm, programs
from bot.steps.rendering.helm_charts import may_ask
from bot.steps.rendering.kustomize_charts import chart_addresses
from bot.steps.rendering.kustomize_inputs import (
    addresses_in,
    inputs_of,
    is_known,
    may_fetch_others,
    refuse_bases_out,
    stays_inside,
)
from bot.steps.rendering.logins import logged_in
from bot.steps.rendering.manifests import is_file, kustomize_name, write_each, write_one, write_tree
from bot.steps.rendering.renders import SPARING, content_of, key_of, render, scratch
from bot.steps.shapes import MAYBE, TEXT, TEXTS, record, told
from bot.steps.workspace import existing, refuse_links_out

NAME = "kustomize-build"
HELP = "Render a kustomization to one file, or to a folder of files."
SCHEMA: Schema = record(
    "path outPath",
    path=told(TEXT, "Folder of the kustomization."),
    outPath=told(TEXT, "One file when it ends in .yaml or .yml, else a folder."),
    outputFormat=told(
        {"enum": ["kargo", "kustomize"]}, "How the files of a folder are called: Kargo's way, or kustomize's."
    ),
    plugin=record(helm=record(apiVersions=TEXTS, kubeVersion=MAYBE)),
)
_NO_CHARTS = "; what is fetched has no charts on this machine, whose kernel has no Landlock for files (Linux 5.19)"
_NOT_BY_SSH = "; Kustomize fetches nothing by SSH here: check the base out by a git-clone step, and name its folder"


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    if not context.programs.kustomize:
        raise UserError("there is no kustomize here; install kustomize or kubectl")
    root = context.workdir.resolve()
    target = writable(root, config["outPath"])
    await asyncio.to_thread(refuse_links_out, root, target)
    files = await _render(context, config)
    await asyncio.to_thread(_write, files, target, config)
    return StepResult(StepStatus.SUCCEEDED)


async def prepare(context: StepContext, config: Mapping[str, Any]) -> None:
    """Render it into the cache ahead of its turn; nothing else is touched. Raises UserError as `run` will."""
    if context.programs.kustomize:
        await _render(context, config, ahead=True)


async def _render(context: StepContext, config: Mapping[str, Any], *, ahead: bool = False) -> Rendered:
    """`ahead` of its turn only what can be kept is rendered, and nothing is given."""
    root = context.workdir.resolve()
    folder = existing(root, config["path"], "folder")
    await asyncio.to_thread(refuse_links_out, root, folder)
    await asyncio.to_thread(refuse_bases_out, root, folder)
    by_kustomize = not is_file(config["outPath"]) and config.get("outputFormat") == "kustomize"
    arguments = _helm_arguments(context, config)
    settings = (NAME, str(by_kustomize), folder.relative_to(root).as_posix(), *arguments)
    key = await asyncio.to_thread(_key, context, root, folder, settings)
    if ahead and not key:
        return {}

    async def make() -> Rendered | None:
        files = await _kustomize(context, folder, arguments, by_kustomize, config["path"])
        # Other steps may be at work, if this is ahead of its turn: what they changed meanwhile must not be kept.
        return files if not ahead or await asyncio.to_thread(_key, context, root, folder, settings) == key else None

    return await render(context.programs, key, make)


def _key(context: StepContext, root: Path, folder: Path, settings: Sequence[str]) -> str:
    inputs = inputs_of(root, folder)
    return key_of(context.programs, (*settings, *inputs), *inputs.values())


async def _kustomize(
    context: StepContext, folder: Path, arguments: Sequence[str], by_kustomize: bool, path: str
) -> Rendered:
    root = context.workdir.resolve()
    inputs = await asyncio.to_thread(inputs_of, root, folder)
    fetches = not is_known(inputs)
    charts = await asyncio.to_thread(chart_addresses, root, folder) if fetches else []
    for address in (*(await asyncio.to_thread(addresses_in, root, folder)), *charts) if fetches else ():
        await may_ask(context, address)
    if await asyncio.to_thread(stays_inside, root, inputs):
        arguments = ["--load-restrictor=LoadRestrictionsNone", *arguments]
    async with scratch(root) as home, logged_in(context, charts) as logins:
        out = home / "out"
        if by_kustomize:
            out.mkdir()
            arguments = [*arguments, f"--output={out}"]
        starts: tuple[Path, ...] = ()
        may_have_helm = await asyncio.to_thread(_may_have_helm, root, folder, confine.holds_files())
        if context.programs.helm and may_have_helm:
            helm = await asyncio.to_thread(
                held_helm.command_for, root, context.programs.helm[0], home, logins.environment, logins.known
            )
            starts = (helm, Path(context.programs.helm[0]))
            arguments = ["--enable-helm", f"--helm-command={helm}", *arguments]
        (home / "tmp").mkdir()  # what is fetched lies in the promotion's folder as well
        environment = {**programs.helm_environment(home), **programs.GIT_ENVIRONMENT, **SPARING}
        answer = await programs.run(
            context.programs.kustomize, *arguments, "--", str(folder),
            folder=root, environment={**environment, "TMPDIR": str(home / "tmp")},
            network=context.programs.network if fetches else None,
            starts=starts, reads=(logins.folder, Path(held_helm.__file__)),
        )  # fmt: skip
        if answer.status:
            said = logins.explain(_complaint(programs.without_folder(context.secrets.mask(answer.complaint), root)))
            refused = "transport 'ssh' not allowed" in said
            raise UserError(
                f"rendering {path}: {said}{_NOT_BY_SSH if refused else ''}{'' if may_have_helm else _NO_CHARTS}"
            )
        if not by_kustomize:
            return {"": answer.output}
        files = await asyncio.to_thread(content_of, out)
    if files is None:
        raise UserError(f"rendering {path}: it gives more than can be committed")
    return files


def _may_have_helm(root: Path, folder: Path, held: bool) -> bool:
    """Kustomize writes a chart's values to a file that is called like the chart: a name with `..` in it, in a base that
    is fetched, would have it written anywhere, were kustomize not `held` to the promotion's folder."""
    return held or not may_fetch_others(root, folder)


def _write(files: Rendered, target: Path, config: Mapping[str, Any]) -> None:
    if is_file(config["outPath"]):
        write_one(target, files[""])
    elif config.get("outputFormat") == "kustomize":
        write_tree(target, files)
    else:
        write_each(target, files[""], kustomize_name)


def _helm_arguments(context: StepContext, config: Mapping[str, Any]) -> list[str]:
    """Kustomizations may inflate charts. https://kubectl.docs.kubernetes.io/references/kustomize/builtins/"""
    if not context.programs.helm:
        return []
    arguments = []
    helm = config.get("plugin", {}).get("helm", {})
    if version := helm.get("kubeVersion"):
        arguments.append(f"--helm-kube-version={version}")
    return arguments + [f"--helm-api-versions={version}" for version in helm.get("apiVersions", ())]


def _complaint(said: str) -> str:
    """kubectl wraps kustomize's complaint into its log: a line of it, or several.

    https://pkg.go.dev/k8s.io/klog/v2#InfoS
    """
    if found := re.search(r"err=<\n\t(.*)\n >\s*\Z", said, re.S):
        return found[1].replace("\n\t", "\n").strip()
    found = re.search(r'err="(.*)"\s*\Z', said, re.S)
    return found[1].replace('\\"', '"') if found else said
