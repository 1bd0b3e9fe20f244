"""kustomize-build: render a kustomization, by the real kustomize."""

import asyncio
import re
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps import programs
from bot.steps.manifests import is_file, kustomize_name, write_each, write_one
from bot.steps.shapes import TEXT, TEXTS, record, told
from bot.steps.workspace import existing, inside, refuse_links_out

NAME = "kustomize-build"
HELP = "Render a kustomization to one file, or to a folder of files."
SCHEMA: Schema = record(
    "path outPath",
    path=told(TEXT, "Folder of the kustomization."),
    outPath=told(TEXT, "One file when it ends in .yaml or .yml, else a folder."),
    outputFormat=told(
        {"enum": ["kargo", "kustomize"]}, "How the files of a folder are called: Kargo's way, or kustomize's."
    ),
    plugin=record(helm=record(apiVersions=TEXTS, kubeVersion=TEXT)),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    if not context.programs.kustomize:
        raise UserError("there is no kustomize here; install kustomize or kubectl")
    root = context.workdir.resolve()
    folder = existing(root, config["path"], "folder")
    target = inside(root, config["outPath"])
    for tree in (folder, target):
        await asyncio.to_thread(refuse_links_out, root, tree)
    by_kustomize = not is_file(config["outPath"]) and config.get("outputFormat") == "kustomize"
    arguments = _helm_arguments(context, config)
    if by_kustomize:
        arguments.append(f"--output={target}")
        await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
    answer = await programs.run(
        context.programs.kustomize, *arguments, "--", str(folder),
        folder=root, environment={**programs.helm_environment(root), **programs.GIT_ENVIRONMENT},
    )  # fmt: skip
    if answer.status:
        raise UserError(f"rendering {config['path']}: {_complaint(programs.without_folder(answer.complaint, root))}")
    if is_file(config["outPath"]):
        await asyncio.to_thread(write_one, target, answer.output)
    elif not by_kustomize:
        await asyncio.to_thread(write_each, target, answer.output, kustomize_name)
    return StepResult(StepStatus.SUCCEEDED)


def _helm_arguments(context: StepContext, config: Mapping[str, Any]) -> list[str]:
    """Kustomizations may inflate charts. https://kubectl.docs.kubernetes.io/references/kustomize/builtins/"""
    if not context.programs.helm:
        return []
    arguments = ["--enable-helm", f"--helm-command={context.programs.helm[0]}"]
    helm = config.get("plugin", {}).get("helm", {})
    if version := helm.get("kubeVersion"):
        arguments.append(f"--helm-kube-version={version}")
    return arguments + [f"--helm-api-versions={version}" for version in helm.get("apiVersions", ())]


def _complaint(said: str) -> str:
    """kubectl wraps kustomize's complaint into a line of its log."""
    found = re.search(r'err="(.*)"\s*\Z', said, re.S)
    return found[1].replace('\\"', '"') if found else said
