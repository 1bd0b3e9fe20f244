"""Charts and the charts they depend on: where they come from, and how helm gets them."""

import asyncio
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from bot.contracts.steps import StepContext
from bot.core.yaml_depth import DEEPEST, too_deep
from bot.errors import UserError
from bot.steps.rendering import programs
from bot.steps.rendering.renders import scratch
from bot.steps.workspace import inside, refuse_links_out

OCI = "oci://"
_HTTPS_ONLY = "server gave HTTP response to HTTPS client"
_LOOPBACK = re.compile(r"oci://(?:localhost|127\.[0-9.]+|\[::1\])(?:[:/]|$)")
_FILES = ("Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock")


def dependencies_of(chart: Path, *files: str) -> list[dict[str, Any]]:
    """What a chart's files say it depends on. Raises UserError for what is not YAML."""
    return [each for file in files or _FILES for each in _dependencies(chart / file)]


def _dependencies(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    content = file.read_bytes()
    if too_deep(content):
        raise UserError(f"{file.parent.name}/{file.name} is nested more than {DEEPEST} levels deep")
    try:
        document = yaml.load(content, Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{file.parent.name}/{file.name} is not YAML: {' '.join(str(error).split())}") from error
    found = document.get("dependencies") if isinstance(document, dict) else None
    return [each for each in found or () if isinstance(each, dict)]


def repositories_of(root: Path, chart: Path) -> str:
    """helm's `repositories.yaml` for a chart: every classic repository its dependencies name.

    Raises UserError for a dependency that is taken from a folder outside `root`, or one with links that lead there.
    """
    urls: dict[str, None] = {}
    for dependency in dependencies_of(chart):
        url = str(dependency.get("repository") or "")
        if url.startswith("file://"):
            path = url.removeprefix("file://")
            if path.startswith("/"):  # helm begins at the root of the machine here
                raise UserError(f"the dependency on {url} leads out of the promotion's folder; write file://../chart")
            refuse_links_out(root, inside(root, f"{chart.relative_to(root)}/{path}"))
        elif url.startswith(("http://", "https://")):
            urls[url] = None
    entries = [{"name": f"repository-{number}", "url": url} for number, url in enumerate(urls)]
    return yaml.safe_dump({"apiVersion": "", "repositories": entries})


async def get_dependencies(context: StepContext, chart: Path, verb: str) -> None:
    """Fill a chart's `charts` folder: `build` as Chart.lock says, or else Chart.yaml; `update` as Chart.yaml says.

    helm wants to be told of classic repositories first: https://github.com/helm/helm/issues/9903
    Raises UserError with what helm says.
    """
    root = context.workdir.resolve()
    repositories = await asyncio.to_thread(repositories_of, root, chart)
    for dependency in await asyncio.to_thread(dependencies_of, chart):
        await may_ask(context, str(dependency.get("repository") or ""))
    async with scratch(root) as home:
        environment = programs.helm_environment(home)
        await asyncio.to_thread(_write, Path(environment["HELM_REPOSITORY_CONFIG"]), repositories)
        for plain in ((), ("--plain-http",)):
            answer = await programs.run(
                context.programs.helm, "dependency", verb, *plain, "--", str(chart),
                folder=root, environment=environment, network=context.programs.network,
            )  # fmt: skip
            if not answer.status or _HTTPS_ONLY not in answer.complaint or not _is_local(chart):
                break
    if answer.status:
        said = programs.without_folder(_unreached(answer.output) or answer.complaint, root)
        raise UserError(f"fetching the dependencies of {chart.relative_to(root)}: {said}")
    await asyncio.to_thread(refuse_links_out, root, chart)


async def pull(context: StepContext, reference: str, home: Path) -> Path:
    """Get an OCI chart, `oci://registry/repository:version`, into a folder. Raises UserError with what helm says."""
    root = context.workdir.resolve()
    await may_ask(context, reference)
    answer = await programs.run(
        context.programs.helm, "pull", f"--destination={home}", "--", reference,
        folder=root, environment=programs.helm_environment(home), network=context.programs.network,
    )  # fmt: skip
    archives = await asyncio.to_thread(_archives, home)
    if answer.status or len(archives) != 1:
        raise UserError(f"getting the chart {reference}: {programs.without_folder(answer.complaint, root)}")
    return archives[0]


async def may_ask(context: StepContext, url: str) -> None:
    """Raises UserError where the rules of egress keep a program from this address; what is none is the program's."""
    if context.programs.network is not None and url.startswith(("http://", "https://", OCI)):
        await context.programs.network.check(url)


def need_helm(context: StepContext) -> None:
    """Raises UserError where there is none."""
    if not context.programs.helm:
        raise UserError(
            "there is no helm here; install it, or install Towpath with its extra: pip install towpath[helm]"
        )


def _unreached(printed: bytes) -> str:
    """The repositories that helm could not ask, each with the reason, which is on helm's next line; "" for none."""
    lines = [line.strip(". \t:") for line in printed.decode("utf-8", "replace").splitlines()]
    told = [
        f"{line}: {why}" for line, why in zip(lines, [*lines[1:], ""], strict=True) if "Unable to get an up" in line
    ]
    return f"{'; '.join(told)}; correct the dependency's `repository`, or try again later" if told else ""


def versions(dependencies: Iterable[dict[str, Any]]) -> dict[str, str]:
    return {str(each.get("name")): str(each.get("version")) for each in dependencies}


def _is_local(chart: Path) -> bool:
    """Whether all OCI registries of a chart's dependencies are on this machine, where Docker takes plain HTTP, too."""
    urls = [str(each.get("repository")) for each in dependencies_of(chart)]
    return all(_LOOPBACK.match(url) for url in urls if url.startswith(OCI))


def _archives(folder: Path) -> list[Path]:
    return list(folder.glob("*.tgz"))


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
