"""The repositories a chart's dependencies come from."""

from pathlib import Path
from typing import Any

import yaml

from bot.errors import UserError
from bot.steps.workspace import inside

_FILES = ("Chart.yaml", "Chart.lock", "requirements.yaml", "requirements.lock")


def repositories_of(root: Path, chart: Path) -> str:
    """helm's `repositories.yaml` for a chart: every classic repository its dependencies name.

    Raises UserError for a dependency that is taken from a folder outside `root`.
    """
    urls: dict[str, None] = {}
    for file in _FILES:
        for dependency in _dependencies(chart / file):
            url = str(dependency.get("repository") or "")
            if url.startswith("file://"):
                inside(root, f"{chart.relative_to(root)}/{url.removeprefix('file://')}")
            elif url.startswith(("http://", "https://")):
                urls[url] = None
    entries = [{"name": f"repository-{number}", "url": url} for number, url in enumerate(urls)]
    return yaml.safe_dump({"apiVersion": "", "repositories": entries})


def _dependencies(file: Path) -> list[dict[str, Any]]:
    if not file.is_file():
        return []
    try:
        document = yaml.load(file.read_bytes(), Loader=yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise UserError(f"{file.parent.name}/{file.name} is not YAML: {' '.join(str(error).split())}") from error
    found = document.get("dependencies") if isinstance(document, dict) else None
    return [each for each in found or () if isinstance(each, dict)]
