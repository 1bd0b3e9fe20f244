"""Documents sorted by what they are: Towpath's own, Kargo's and Argo Rollouts' manifests, and what is none of ours."""

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from bot.core.configuration import native_shapes, shapes
from bot.core.configuration.globs import GlobError, compile_glob
from bot.core.configuration.loading import Entry, Gathered, Loading, Rule
from bot.core.configuration.misfits import Schema
from bot.core.configuration.modernising import modernise_warehouse
from bot.core.configuration.places import Place
from bot.core.configuration.problems import names
from bot.core.configuration.reading import Document
from bot.core.configuration.receivers import take_receivers

_RESERVED_STAGES = {"config": "the check run `promotion/config` is about the configuration itself"}
_NAME = re.compile(str(shapes.NAME["pattern"]))
_NAME_RULE = "lower-case letters, digits, `-` and `.`, with a letter or digit at both ends"
_KINDS = {
    "Warehouse": "warehouse",
    "Stage": "stage",
    "PromotionTask": "task",
    "ClusterPromotionTask": "task",
    "AnalysisTemplate": "verification",
    "ClusterAnalysisTemplate": "verification",
    "ProjectConfig": "project",
    "ClusterConfig": "project",
    "Project": "old-project",
    "List": "list",
}
# Kinds of the same API groups that say nothing of a pipeline.
_OTHERS = {
    *("Freight", "Promotion", "PromotionRequest", "AnalysisRun", "Target"),
    *("Application", "ApplicationSet", "AppProject", "ArgoCD", "Rollout", "Experiment", "Workflow", "WorkflowTemplate"),
    *("ClusterWorkflowTemplate", "CronWorkflow", "EventBus", "EventSource", "Sensor"),
}
_OUR_GROUPS = ("kargo.akuity.io", "argoproj.io")


class Meaning(Enum):
    """What a manifest's kind is to Towpath."""

    OURS = "read"
    FOREIGN = "ignored"
    UNKNOWN = "a mistake"


def meaning_of(kind: str, api_version: str) -> Meaning:
    """Judge a kind. One of our own groups that nobody knows is most likely misspelt."""
    group = api_version.split("/", maxsplit=1)[0]
    if kind in _KINDS:
        return Meaning.OURS
    return Meaning.FOREIGN if kind in _OTHERS or (group and group not in _OUR_GROUPS) else Meaning.UNKNOWN


def gather(documents: list[Document], loading: Loading) -> None:
    """Sort all documents into `loading.gathered`."""
    for document in documents:
        _sort(document.data, document.place, loading)


def included(documents: list[Document], available: list[str], loading: Loading) -> list[str]:
    """The files, of those available, that the documents' `include` asks for."""
    chosen: dict[str, None] = {}
    for document in documents:
        asked = document.data.get("include") if isinstance(document.data, dict) else None
        patterns = asked if isinstance(asked, list) else [asked]
        for index, pattern in enumerate(patterns):
            if not isinstance(pattern, str):
                continue
            place = document.place / "include"
            place = place / index if isinstance(asked, list) else place
            try:
                glob = compile_glob(pattern)
            except GlobError as error:
                loading.problems.error(place, "bad-glob", str(error))
                continue
            matching = [name for name in available if glob.fullmatch(name)]
            if not pattern.startswith(".promotion/"):
                message = f"`{pattern}` is not below .promotion/; move the files there, as in .promotion/*.yaml"
                loading.problems.error(place, "bad-include", message)
            elif not matching:
                loading.problems.warn(place, "nothing-included", f"no file matches `{pattern}`")
            chosen.update(dict.fromkeys(matching))
    return list(chosen)


def _sort(data: Any, place: Place, loading: Loading) -> None:
    if not isinstance(data, dict):
        message = "a document must be a mapping: `warehouses`, `stages` and so on, or a manifest with `kind`"
        loading.problems.error(place, "wrong-type", message)
    elif "kind" in data or "apiVersion" in data:
        _sort_manifest(data, place, loading)
    else:
        _sort_native(data, place, loading)


def _sort_native(data: dict[str, Any], place: Place, loading: Loading) -> None:
    fitted = loading.fit("document", lambda: native_shapes.DOCUMENT, data, place)
    document = fitted if fitted is not None else {key: each for key, each in data.items() if isinstance(each, dict)}
    for section, kind in (
        ("warehouses", "warehouse"),
        ("stages", "stage"),
        ("tasks", "task"),
        ("verifications", "verification"),
    ):
        for name, spec in document.get(section, {}).items():
            at = place / section / name
            _take(kind, name, {} if spec is None else spec, at, at, loading, native=True)
    _take_rules(fitted or {}, place, loading)


def _sort_manifest(data: dict[str, Any], place: Place, loading: Loading) -> None:
    problems = loading.problems
    kind = data.get("kind")
    if not isinstance(kind, str):
        problems.error(place, "missing", f"`kind` is missing; it is one of {names(_KINDS)}", key=True)
        return
    judged = meaning_of(kind, str(data.get("apiVersion") or ""))
    if judged is Meaning.FOREIGN:
        problems.warn(place / "kind", "ignored", f"`{kind[:60]}` is nothing Towpath reads; it can be removed here")
        return
    if judged is Meaning.UNKNOWN:
        near = problems.closest(kind, _KINDS)
        message = f"unknown kind `{kind[:60]}`{near or f'; known are {names(_KINDS)}'}"
        problems.error(place / "kind", "unknown-kind", message)
        return
    meaning = _KINDS[kind]
    if meaning == "list":
        items = data.get("items")
        for index, item in enumerate(items if isinstance(items, list) else []):
            _sort(item, place / "items" / index, loading)
    elif meaning in {"project", "old-project"}:
        _take_project(data, place, loading, old=meaning == "old-project")
    else:
        _take_manifest(meaning, data, place, loading)


def _take_manifest(kind: str, data: dict[str, Any], place: Place, loading: Loading) -> None:
    outer = loading.fit("manifest", lambda: shapes.manifest(shapes.ANYTHING), data, place)
    metadata = data.get("metadata")
    if not isinstance(metadata, dict) or not isinstance(data.get("spec"), dict):
        return
    name_place = place / "metadata" / "name"
    name = metadata.get("name")
    if name is None:
        loading.problems.error(place / "metadata", "missing", "`name` is missing here; add it", key=True)
        return
    labels = outer["metadata"].get("labels", {}) if outer is not None else {}
    _take(kind, str(name), data["spec"], place / "spec", name_place, loading, native=False, labels=labels)


def _take(
    kind: str,
    name: str,
    spec: Any,
    place: Place,
    name_place: Place,
    loading: Loading,
    *,
    native: bool,
    labels: Mapping[str, str] | None = None,
) -> None:
    _check_name(kind, name, name_place, loading, native=native)
    known = _section(kind, loading.gathered)
    if (first := known.get(name)) is not None:
        line, _ = first.name_place.position(key=True)
        where = f"line {line}" if first.name_place.file == name_place.file else f"{first.name_place.file}:{line}"
        message = f"there is a {kind} `{name}` already, at {where}; rename one or remove it"
        loading.problems.error(name_place, "duplicate-name", message, key=native)
        return
    if kind == "warehouse":
        spec = modernise_warehouse(spec, place, loading)
    fitted = loading.fit(f"{'native ' if native else ''}{kind}", lambda: _shape(kind, loading, native), spec, place)
    if fitted is not None and native:
        labels = fitted.get("labels")
    known[name] = Entry(name, fitted, place, name_place, native, labels or {})


def _shape(kind: str, loading: Loading, native: bool) -> Schema:
    kinds = loading.plugins.subscriptions
    if kind == "warehouse":
        return native_shapes.warehouse(kinds) if native else shapes.warehouse(kinds)
    if kind == "stage":
        return native_shapes.STAGE if native else shapes.STAGE
    return shapes.TASK if kind == "task" else shapes.ANALYSIS


def _section(kind: str, gathered: Gathered) -> dict[str, Entry]:
    return {
        "warehouse": gathered.warehouses,
        "stage": gathered.stages,
        "task": gathered.tasks,
        "verification": gathered.verifications,
    }[kind]


def _check_name(kind: str, name: str, place: Place, loading: Loading, *, native: bool) -> None:
    complaint = ""
    if not _NAME.fullmatch(name):
        complaint = f"`{name[:60]}` does not do as a name: {_NAME_RULE}"
    elif kind != "stage":
        return
    elif name in _RESERVED_STAGES:
        complaint = f"a stage can't be called `{name}`: {_RESERVED_STAGES[name]}"
    elif name.endswith(".lock"):
        complaint = f"a stage can't be called `{name}`: Git allows no branch that ends in .lock"
    elif len(name) > shapes.LONGEST_STAGE_NAME:
        complaint = (
            f"the stage's name has {len(name)} characters; {shapes.LONGEST_STAGE_NAME} is the most, "
            "so that the label stage/<name> stays within GitHub's 50"
        )
    if complaint:
        loading.problems.error(place, "bad-name", complaint, key=native)


def _take_project(data: dict[str, Any], place: Place, loading: Loading, *, old: bool) -> None:
    spec = data.get("spec")
    if spec is None:
        return
    at = place / "spec"
    fitted = loading.fit("project", lambda: shapes.PROJECT, spec, at)
    if fitted is None:
        return
    if old and fitted.get("promotionPolicies"):
        message = "a Project's own promotionPolicies are deprecated; move them to a ProjectConfig"
        loading.problems.warn(at / "promotionPolicies", "deprecated", message, key=True)
    _take_rules(fitted, at, loading)


def _take_rules(spec: Mapping[str, Any], place: Place, loading: Loading) -> None:
    for field, rules in (
        ("promotionPolicies", loading.gathered.policies),
        ("promotionWindows", loading.gathered.windows),
    ):
        rules += [Rule(each, place / field / index) for index, each in enumerate(spec.get(field, ()))]
    take_receivers(spec, place, loading)
