"""helm-template: render a chart, by the real helm."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps import programs
from bot.steps.helm_dependencies import repositories_of
from bot.steps.manifests import helm_name, is_file, write_each, write_one
from bot.steps.shapes import FLAG, TEXT, TEXTS, listed, record, told
from bot.steps.workspace import existing, inside, refuse_links_out, remove

NAME = "helm-template"
HELP = "Render a Helm chart to one file, or to a folder of files."
SCHEMA: Schema = record(
    "path outPath releaseName",
    path=told(TEXT, "Folder of the chart."),
    outPath=told(TEXT, "One file when it ends in .yaml or .yml, else a folder."),
    outLayout=told({"enum": ["helm", "flat"]}, "In a folder: as helm lays it out, or a file for each resource."),
    releaseName=TEXT,
    useReleaseName=told(FLAG, "In a folder of helm's layout: begin with a folder called like the release."),
    namespace=TEXT,
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
    kubeVersion=TEXT,
    apiVersions=TEXTS,
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output."""
    if not context.programs.helm:
        raise UserError(
            "there is no helm here; install it, or install Towpath with its extra: pip install towpath[helm]"
        )
    root = context.workdir.resolve()
    chart = existing(root, config["path"])
    target = inside(root, config["outPath"])
    await asyncio.to_thread(_check_links, root, chart, target)
    if config.get("buildDependencies"):
        await _build_dependencies(context, root, chart)
    by_helm = not is_file(config["outPath"]) and config.get("outLayout", "helm") == "helm"
    arguments = _arguments(root, config)
    if by_helm:
        arguments.append(f"--output-dir={target}")
        await asyncio.to_thread(target.mkdir, parents=True, exist_ok=True)
    answer = await _helm(context, root, "template", *arguments, "--", config["releaseName"], str(chart))
    if answer.status:
        raise UserError(f"rendering {config['path']}: {_advice(programs.without_folder(answer.complaint, root))}")
    if is_file(config["outPath"]):
        await asyncio.to_thread(write_one, target, answer.output)
    elif not by_helm:
        await asyncio.to_thread(write_each, target, answer.output, helm_name)
    return StepResult(StepStatus.SUCCEEDED)


def _arguments(root: Path, config: Mapping[str, Any]) -> list[str]:
    """https://helm.sh/docs/helm/helm_template/"""
    arguments = []
    for name in config.get("valuesFiles", ()):
        file = inside(root, name)
        if file.is_file():
            quoted = str(file).replace('"', '""')
            arguments.append(f'--values="{quoted}"')  # helm reads a list of CSV here
        elif not config.get("ignoreMissingValueFiles"):
            raise UserError(f"there is no values file {name!r}; correct it, or set `ignoreMissingValueFiles`")
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
    return arguments + [f"--api-versions={version}" for version in config.get("apiVersions", ())]


def _text(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


async def _build_dependencies(context: StepContext, root: Path, chart: Path) -> None:
    """Fetch what Chart.lock names, or else what Chart.yaml does.

    helm wants to be told of classic repositories first: https://github.com/helm/helm/issues/9903
    """
    repositories = await asyncio.to_thread(repositories_of, root, chart)
    config = Path(programs.helm_environment(root)["HELM_REPOSITORY_CONFIG"])
    await asyncio.to_thread(_write, config, repositories)
    answer = await _helm(context, root, "dependency", "build", "--", str(chart))
    await asyncio.to_thread(remove, config.parent)
    if answer.status:
        printed = answer.output.decode("utf-8", "replace").splitlines()
        unreached = [line.strip(". \t") for line in printed if "Unable to get an update" in line]
        said = programs.without_folder("; ".join([*unreached, answer.complaint]), root)
        raise UserError(f"fetching the dependencies of {chart.relative_to(root)}: {said}")
    await asyncio.to_thread(refuse_links_out, root, chart)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _check_links(root: Path, *trees: Path) -> None:
    for tree in trees:
        refuse_links_out(root, tree)


async def _helm(context: StepContext, root: Path, *arguments: str) -> programs.Answer:
    return await programs.run(
        context.programs.helm, *arguments, folder=root, environment=programs.helm_environment(root)
    )


def _advice(complaint: str) -> str:
    if "missing in charts/" in complaint or "dependency build" in complaint:
        return f"{complaint}; set `buildDependencies: true`, or commit the charts/ folder"
    return complaint
