"""The charts that a kustomization has kustomize fetch.

https://kubectl.docs.kubernetes.io/references/kustomize/builtins/#_helmchartinflationgenerator_
"""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from bot.core.plain_yaml import PlainLoader
from bot.core.yaml_depth import too_deep
from bot.steps.rendering.kustomize_inputs import kustomizations
from bot.steps.rendering.logins import OCI

_FIELDS = (("repo", "name"), ("chartRepoUrl", "chartName"))  # the latter in the old `helmChartInflationGenerator`


def chart_addresses(root: Path, folder: Path) -> list[str]:
    """Where charts are fetched from: `oci://registry/repository` of a chart, and the URLs of chart repositories.

    In the kustomizations below `root` that this one is made of, and in their generators; what can't be read, kustomize
    complains of.
    """
    found: dict[str, None] = {}
    for file, text in kustomizations(root, folder):
        documents = _documents(text)
        for one in [*documents, *_generators(root, file.parent, documents)]:
            for repository, name in _charts(one):
                found[f"{repository.rstrip('/')}/{name}" if repository.startswith(OCI) else repository] = None
    return list(found)


def _documents(text: str) -> list[Any]:
    if too_deep(text.encode()):
        return []
    try:
        return list(yaml.load_all(text, Loader=PlainLoader))
    except yaml.YAMLError:
        return []


def _generators(root: Path, folder: Path, documents: Iterable[Any]) -> Iterator[Any]:
    """What `generators` names: files, and documents that are written out in place."""
    for document in documents:
        listed = document.get("generators") if isinstance(document, dict) else None
        for one in listed if isinstance(listed, list) else ():
            if isinstance(one, str) and "\n" in one:
                yield from _documents(one)
            elif isinstance(one, str) and "\0" not in one:
                file = (folder / one).resolve()
                if file.is_relative_to(root) and file.is_file():
                    yield from _documents(file.read_text("utf-8", "replace"))


def _charts(data: Any) -> Iterator[tuple[str, str]]:
    """Every mapping with a repository and a name, each once however many aliases lead to it."""
    seen: set[int] = set()
    waiting = [data]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not isinstance(one, dict | list):
            continue
        seen.add(id(one))
        if isinstance(one, list):
            waiting += one
            continue
        waiting += one.values()
        for repository, name in ((one.get(repo), one.get(name)) for repo, name in _FIELDS):
            if isinstance(repository, str) and isinstance(name, str):
                yield repository, name
