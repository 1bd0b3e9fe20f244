"""`.promotion.yaml` into a `Pipeline`, or into every problem it has: both spellings, all files, at once.

The parts are in `configuration/`. Nothing here reads files or asks anybody: the texts and the plug-ins' schemas
are given.
"""

import gc
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bot.core.configuration.analyses import build_analysis
from bot.core.configuration.explaining import explain
from bot.core.configuration.fitting import Fit
from bot.core.configuration.gathering import gather, included
from bot.core.configuration.graph import check_graph
from bot.core.configuration.importing import is_foreign, is_manifest, notes
from bot.core.configuration.loading import Loading, PlugIns
from bot.core.configuration.misfits import Misfit, Schema
from bot.core.configuration.problems import TooMany
from bot.core.configuration.reading import Document, read
from bot.core.configuration.receivers import build_receivers
from bot.core.configuration.requests import find_sources
from bot.core.configuration.schema import shape_schema
from bot.core.configuration.stages import StageBuilder
from bot.core.configuration.steps import build_task
from bot.core.configuration.tidying import tidied
from bot.core.configuration.warehouses import build_warehouse
from bot.core.model import Pipeline, Problem, StageName, WarehouseName
from bot.errors import Broken

ROOT = ".promotion.yaml"


@dataclass(frozen=True, slots=True)
class Loaded:
    """What came of loading: the pipeline, None when there are errors, and all errors and warnings in file order."""

    pipeline: Pipeline | None
    problems: tuple[Problem, ...]


def load(files: Mapping[str, str | bytes], plugins: PlugIns) -> Loaded:
    """Load a configuration.

    `files` are texts by path in the repository: `.promotion.yaml` (or whatever comes first) is the configuration,
    and those below `.promotion/` are read when its `include` asks for them. Whatever the texts are, this returns.
    """
    loading = Loading(plugins)
    pipeline = None
    with suppress(TooMany), _collecting_no_garbage():
        pipeline = _load(files, loading)
    return Loaded(None if loading.problems.has_errors else pipeline, loading.problems.in_order())


@dataclass(frozen=True, slots=True)
class Imported:
    """Manifests as one file in Towpath's own spelling, and what loading them as they are says of them.

    With errors, the text is what could be made of the rest; without a single thing to write it is empty.
    """

    text: str
    loaded: Loaded


def import_manifests(files: Mapping[str, str | bytes], mixed: Collection[str], plugins: PlugIns) -> Imported:
    """Make one configuration of all these files, in their order; `mixed` are those that may hold anything else, too.

    The text loads as the same pipeline. Raises `Broken` if it does not.
    """
    loading = Loading(plugins)
    pipeline, text = None, ""
    with suppress(TooMany), _collecting_no_garbage():
        documents = [
            each for each in read(files, loading.problems) if each.place.file not in mixed or is_manifest(each.data)
        ]
        gather([each for each in documents if not is_foreign(each.data)], loading)
        if any((loading.gathered.warehouses, loading.gathered.stages, loading.gathered.tasks)):
            text = tidied(loading.gathered, tuple(plugins.subscriptions), notes(documents, files))
        pipeline = _assemble(loading, next(iter(files), ROOT), documents)
    loaded = Loaded(None if loading.problems.has_errors else pipeline, loading.problems.in_order())
    if loaded.pipeline is not None and load({ROOT: text}, plugins).pipeline != loaded.pipeline:
        raise Broken("importing the manifests changed what they mean; please report it, with the manifests")
    return Imported(text, loaded)


@contextmanager
def _collecting_no_garbage() -> Iterator[None]:
    """Reading makes many objects and no cycles; counting them again and again would take most of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _load(files: Mapping[str, str | bytes], loading: Loading) -> Pipeline | None:
    root = ROOT if ROOT in files else next(iter(files), "")
    if not root:
        loading.problems.error_in_file(ROOT, 1, 1, "no-configuration", f"there is no {ROOT}; add one")
        return None
    documents = read({root: files[root]}, loading.problems)
    others = included(documents, sorted(name for name in files if name != root), loading)
    documents += read({name: files[name] for name in others}, loading.problems)
    readable = not loading.problems.has_errors
    gather(documents, loading)
    return _assemble(loading, root, documents) if readable else None


def _assemble(loading: Loading, root: str, documents: list[Document]) -> Pipeline | None:
    """The pipeline out of what was gathered; what refers to something is held against what there is."""
    gathered = loading.gathered
    if not gathered.stages and not loading.problems.has_errors:
        message = "there is no stage yet; add `stages`, or Kargo's manifests" if documents else "the file is empty"
        loading.problems.error_in_file(root, 1, 1, "no-stage", message)
    warehouses = {name: build_warehouse(entry, loading) for name, entry in gathered.warehouses.items()}
    analyses = {name: build_analysis(entry, loading) for name, entry in gathered.verifications.items()}
    tasks = {name: build_task(entry, loading) for name, entry in gathered.tasks.items()}
    sources = find_sources(loading)
    builder = StageBuilder(loading, sources, warehouses, tasks, analyses)
    stages = {name: builder.build(entry) for name, entry in gathered.stages.items()}
    check_graph(sources, loading)
    return Pipeline(
        {WarehouseName(name): each for name, each in warehouses.items() if each is not None},
        {StageName(name): each for name, each in stages.items() if each is not None},
        {name: each for name, each in analyses.items() if each is not None},
        build_receivers(loading),
    )


__all__ = [
    "ROOT",
    "Fit",
    "Imported",
    "Loaded",
    "Misfit",
    "PlugIns",
    "Schema",
    "explain",
    "import_manifests",
    "load",
    "shape_schema",
]
