"""Writing rendered manifests: one file, or a file for each resource."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from bot.contracts.steps import Rendered
from bot.core.plain_yaml import PlainLoader
from bot.errors import UserError
from bot.steps.editing.texts import refuse_deep
from bot.steps.files.targets import of_git
from bot.steps.workspace import remove

_SEPARATOR = re.compile(r"^---[ \t]*(?:#.*)?$", re.M)
_COMMENT_ONLY = re.compile(r"(?:\s*#[^\n]*\n?|\s*)*")

Name = Callable[[dict[str, Any]], str]


def is_file(path: str) -> bool:
    """Kargo's rule: what ends in `.yaml` or `.yml` is one file, everything else a folder of files."""
    return path.endswith((".yaml", ".yml"))


def write_one(target: Path, manifests: bytes) -> None:
    try:
        target.write_bytes(manifests)
    except FileNotFoundError:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(manifests)
    except IsADirectoryError as error:
        raise UserError(f"{target.name!r} is a folder already; choose another `outPath`") from error


def write_tree(folder: Path, files: Rendered) -> None:
    """Put files below a folder, over what is there of the same names."""
    if folder.exists() and not folder.is_dir():
        remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if of_git(name):
            raise UserError(f"{name!r} would be Git's own; no chart may write it")
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def write_each(folder: Path, manifests: bytes, name: Name) -> None:
    """A file for each document, called what `name` says. Raises UserError for what is no resource, or a name twice."""
    if folder.exists() and not folder.is_dir():
        remove(folder)
    folder.mkdir(parents=True, exist_ok=True)
    written: set[str] = set()
    for document in _SEPARATOR.split(manifests.decode("utf-8")):
        if _COMMENT_ONLY.fullmatch(document):
            continue
        file = _file_name(document, name)
        if file in written:
            raise UserError(f"two of the rendered resources would be written to {file!r}; render to one file instead")
        written.add(file)
        (folder / file).write_text(document.strip() + "\n", encoding="utf-8")


def _file_name(document: str, name: Name) -> str:
    refuse_deep(document, "what was rendered")
    try:
        resource = yaml.load(document, Loader=PlainLoader)  # noqa: S506  # it is a safe one
    except yaml.YAMLError as error:
        raise UserError(f"what was rendered is not YAML: {' '.join(str(error).split())}") from error
    metadata = resource.get("metadata") if isinstance(resource, dict) else None
    if not isinstance(metadata, dict) or not resource.get("kind") or not metadata.get("name"):
        raise UserError(f"what was rendered is not a Kubernetes resource: {document.strip()[:200]!r}")
    return re.sub(r"[^a-z0-9._:-]", "_", name(resource).lower()) + ".yaml"


def helm_name(resource: dict[str, Any]) -> str:
    """`[group-]kind[-namespace]-name`, as Kargo's helm-template names files."""
    group = str(resource.get("apiVersion", "")).rpartition("/")[0].replace(".", "_")
    return _joined(group, resource["kind"], resource["metadata"].get("namespace"), resource["metadata"]["name"])


def kustomize_name(resource: dict[str, Any]) -> str:
    """`[namespace-]kind-name`, as Kargo's kustomize-build names files."""
    return _joined(resource["metadata"].get("namespace"), resource["kind"], resource["metadata"]["name"])


def _joined(*parts: Any) -> str:
    return "-".join(str(part) for part in parts if part)
