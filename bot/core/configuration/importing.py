"""What of Kargo's manifests has no place in Towpath's own spelling: told in the file that is made of them."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.core.configuration.gathering import Meaning, meaning_of
from bot.core.configuration.places import Path
from bot.core.configuration.reading import Document

_MOST_NAMES = 8
# Fields that are read and then mean nothing here.
_DROPPED: Mapping[str, tuple[Path, ...]] = {
    "Warehouse": (("spec", "shard"),),
    "Stage": (("spec", "shard"), ("spec", "targets"), ("spec", "verification", "analysisRunMetadata")),
    "ProjectConfig": (("spec", "freightLinks"), ("spec", "stageLinks")),
    "ClusterConfig": (("spec", "freightLinks"), ("spec", "stageLinks")),
}


def manifests(documents: Sequence[Document]) -> Iterator[Mapping[str, Any]]:
    """Every manifest in the documents, those inside a List included."""
    waiting = [document.data for document in reversed(documents)]
    while waiting:
        data = waiting.pop()
        if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
            continue
        if data["kind"] == "List" and isinstance(data.get("items"), list):
            waiting += reversed(data["items"])
        else:
            yield data


def is_manifest(data: Any) -> bool:
    """Whether a document is a Kubernetes manifest at all: folders hold other YAML, too."""
    return isinstance(data, dict) and isinstance(data.get("kind"), str) and isinstance(data.get("apiVersion"), str)


def is_foreign(data: Any) -> bool:
    """Whether a manifest has nothing to do with pipelines."""
    return is_manifest(data) and meaning_of(data["kind"], data["apiVersion"]) is Meaning.FOREIGN


def notes(documents: Sequence[Document], files: Mapping[str, str | bytes]) -> list[str]:
    """Lines for the head of the file: what it is made of, and what was left out of it."""
    used = list(dict.fromkeys(document.place.file for document in documents))
    left_out: dict[str, list[str]] = {}
    namespaces: dict[str, None] = {}
    for manifest in manifests(documents):
        kind, name, metadata = _kind_and_name(manifest)
        meaning = meaning_of(kind, str(manifest.get("apiVersion") or ""))
        if meaning is not Meaning.OURS:
            left_out.setdefault(f"{_plain(kind)}, which is nothing Towpath reads", []).append(name)
            continue
        if isinstance(metadata.get("namespace"), str):
            namespaces[metadata["namespace"]] = None
        for what in _left_out(kind, manifest, metadata):
            left_out.setdefault(f"{what} of {kind}", []).append(name)
    comments = sum(_comment_lines(files[name]) for name in used if name in files)
    lines = [f"Made from {_listed(used)} by `towpath import`."]
    found = [f"- {what}: {_listed(names)}" for what, names in left_out.items()]
    if len(namespaces) > 1:
        found.append(f"- namespaces, though there are several: {_listed(list(namespaces))}")
    if comments:
        found.append(f"- comments ({comments} {'line' if comments == 1 else 'lines'})")
    return [*lines, *(["", "Left out:", *found] if found else [])]


def _kind_and_name(manifest: Mapping[str, Any]) -> tuple[str, str, Mapping[str, Any]]:
    metadata = manifest.get("metadata")
    metadata = metadata if isinstance(metadata, dict) else {}
    return str(manifest["kind"]), str(metadata.get("name", "(without a name)")), metadata


def _left_out(kind: str, manifest: Mapping[str, Any], metadata: Mapping[str, Any]) -> Iterator[str]:
    for field in ("annotations",) if kind == "Stage" else ("annotations", "labels"):
        entries = metadata.get(field)
        for key in entries if isinstance(entries, dict) else ():
            yield f"the {field.removesuffix('s')} {_plain(str(key))}"
    for path in _DROPPED.get(kind, ()):
        value: Any = manifest
        for step in path:
            value = value.get(step) if isinstance(value, dict) else None
        if value:
            yield ".".join(str(step) for step in path)
    spec = manifest.get("spec")
    if kind == "Stage" and isinstance(spec, dict) and spec.get("verification"):
        template = spec.get("promotionTemplate")
        inner = template.get("spec") if isinstance(template, dict) else None
        if not (isinstance(inner, dict) and inner.get("steps")):
            yield "spec.verification (it has no steps, so there is nothing to verify)"


def _comment_lines(content: str | bytes) -> int:
    text = content if isinstance(content, str) else content.decode(errors="replace")
    return sum(line.lstrip().startswith("#") for line in text.split("\n"))


def _listed(names: Sequence[str]) -> str:
    shown = [_plain(name) for name in names[:_MOST_NAMES]]
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _plain(text: str) -> str:
    """Text that can't end the comment it stands in."""
    return "".join(each if each.isprintable() else " " for each in text[:100])
