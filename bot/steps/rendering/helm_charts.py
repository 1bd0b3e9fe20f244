"""Charts and the charts they depend on: where they come from, and how helm gets them."""

import asyncio
import re
from collections.abc import Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

import yaml

from bot.contracts.steps import StepContext
from bot.core.plain_yaml import PlainLoader
from bot.core.yaml_depth import DEEPEST, too_deep
from bot.errors import UserError
from bot.steps.rendering import programs
from bot.steps.rendering.logins import OCI, logged_in
from bot.steps.rendering.renders import scratch
from bot.steps.workspace import inside, refuse_links_out

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
        document = yaml.load(content, Loader=PlainLoader)  # noqa: S506  # it is a safe one
    except yaml.YAMLError as error:
        raise UserError(f"{file.parent.name}/{file.name} is not YAML: {' '.join(str(error).split())}") from error
    found = document.get("dependencies") if isinstance(document, dict) else None
    return [each for each in found or () if isinstance(each, dict)]


def addresses_of(root: Path, chart: Path) -> list[str]:
    """What a chart's dependencies are fetched from: classic repositories, and charts at OCI registries.

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
        elif url.startswith(OCI):
            urls[f"{url.rstrip('/')}/{dependency.get('name')}"] = None
    return list(urls)


async def get_dependencies(context: StepContext, chart: Path, verb: str) -> None:
    """Fill a chart's `charts` folder: `build` as Chart.lock says, or else Chart.yaml; `update` as Chart.yaml says.

    Raises UserError with what helm says.
    """
    root = context.workdir.resolve()
    addresses = await asyncio.to_thread(addresses_of, root, chart)
    for dependency in await asyncio.to_thread(dependencies_of, chart):
        await may_ask(context, str(dependency.get("repository") or ""))
    async with scratch(root) as home, logged_in(context, addresses) as logins:
        environment = {**programs.helm_environment(home), **logins.environment}
        for plain in ((), ("--plain-http",)):
            answer = await programs.run(
                context.programs.helm, "dependency", verb, *plain, "--", str(chart),
                folder=root, environment=environment, network=context.programs.network, reads=(logins.folder,),
            )  # fmt: skip
            if not answer.status or _HTTPS_ONLY not in answer.complaint or not _is_local(chart):
                break
    if answer.status:
        complaint = context.secrets.mask(_unreached(answer.output) or answer.complaint)
        said = logins.explain(programs.without_folder(complaint, root))
        raise UserError(f"fetching the dependencies of {chart.relative_to(root)}: {said}")
    await asyncio.to_thread(refuse_links_out, root, chart)


async def pull(context: StepContext, reference: str, home: Path) -> Path:
    """Get an OCI chart, `oci://registry/repository:version`, into a folder. Raises UserError with what helm says."""
    root = context.workdir.resolve()
    await may_ask(context, reference)
    async with logged_in(context, [reference]) as logins:
        answer = await programs.run(
            context.programs.helm, "pull", f"--destination={home}", "--", reference,
            folder=root, environment={**programs.helm_environment(home), **logins.environment},
            network=context.programs.network, reads=(logins.folder,),
        )  # fmt: skip
    archives = await asyncio.to_thread(_archives, home)
    if answer.status or len(archives) != 1:
        said = logins.explain(programs.without_folder(context.secrets.mask(answer.complaint), root))
        raise UserError(f"getting the chart {reference}: {said}")
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
        f"{line}: {why}" for line, why in zip_longest(lines, lines[1:], fillvalue="") if "Unable to get an up" in line
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
