"""All that a kustomization is made of, as far as it lies in the promotion's folder.

Kustomize reads files at and below a kustomization, and others, other kustomizations and charts wherever they are named.
https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/
"""

import re
from collections.abc import Iterator, Mapping
from os.path import realpath
from pathlib import Path
from typing import Any

import yaml

from bot.core.plain_yaml import PlainLoader
from bot.core.yaml_depth import DEEPEST, too_deep
from bot.errors import UserError
from bot.steps.rendering.renders import Content, content_of
from bot.steps.workspace import refuse_links_out

_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")
_OF_OTHERS = ("resources", "bases", "components", "transformers", "validators", "crds", "configurations")
_WORDS = {"commonAnnotations", "commonLabels", "labels", "images", "literals", "metadata"}  # are no addresses
_SEEN = {*_OF_OTHERS, "helmGlobals"}  # whose files are found by what they mean
_FIELDS = {*_OF_OTHERS, *_WORDS, "helmGlobals", "helmCharts", "generators", "helmChartInflationGenerator"}
_TEXT = "tag:yaml.org,2002:str"
_MOST = 200  # folders
_WORD = re.compile(r"[^\s\"'<>,\[\]{}\0]{1,255}")
_ADDRESS = re.compile(r"(?:https?|oci)://[^\s\"'<>,\]}]+")


def inputs_of(root: Path, folder: Path) -> dict[str, Content | None]:
    """Every folder a kustomization is made of, with its files. None for one that can't be known: what it names lies
    elsewhere, is fetched, or is not understood."""
    found: dict[str, Content | None] = {}
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        name = here.relative_to(root).as_posix() if here.is_relative_to(root) else ""
        if name in found:
            continue
        if not name or len(found) >= _MOST:
            return {"": None}
        found[name] = content_of(here)
        if here.is_dir():
            further = _named(here)
            if further is None:
                return {"": None}
            waiting += [place for place in further if not place.is_relative_to(here) or _is_kustomization(place)]
    return found


def is_known(inputs: Mapping[str, Content | None]) -> bool:
    """Whether all that a kustomization is made of is there: then nothing is fetched."""
    return all(content is not None for content in inputs.values())


def stays_inside(root: Path, inputs: Mapping[str, Content | None]) -> bool:
    """Whether every file that kustomize will read is known to lie in `root`. Then it may read those beside a
    kustomization, too, as Kargo has it, not only those below.

    Transformers and validators may name files of their own. Raises UserError for a symbolic link that leads out.
    """
    if not is_known(inputs):
        return False
    for name in inputs:
        refuse_links_out(root, root / name)
    read = [_read(root / name) for name in inputs]
    return not any(data and (data.get("transformers") or data.get("validators")) for data in read)


def addresses_in(root: Path, folder: Path) -> list[str]:
    """The web addresses that a kustomization and those it is made of name, as far as they can be known."""
    found: set[str] = set()
    for _, text in kustomizations(root, folder):
        found.update(_ADDRESS.findall(text))
    return sorted(found)


def kustomizations(root: Path, folder: Path) -> Iterator[tuple[Path, str]]:
    """The files, with their texts, of a kustomization and of those it may be made of, as far as they lie in `root`."""
    seen: set[Path] = set()
    waiting = [folder]
    while waiting and len(seen) < _MOST:
        here = waiting.pop()
        seen.add(here)
        for file in (here / name for name in _NAMES if (here / name).is_file()):
            text = file.read_text("utf-8", "replace")
            yield file, text
            places = {Path(realpath(here / word)) for word in _WORD.findall(text)} - seen
            waiting += [place for place in places if place.is_relative_to(root) and _is_kustomization(place)]


def may_fetch_others(root: Path, folder: Path) -> bool:
    """Whether it may be made of kustomizations that are fetched, so that nobody has looked at their charts."""
    for number, (file, _) in enumerate(kustomizations(root, folder), 1):
        data = _read(file.parent)
        if data is None or number >= _MOST:
            return True
        others = _texts([data.get(key) for key in (*_OF_OTHERS, "generators")])
        if any("\n" not in text and _place(file.parent, text) is None for text in others):
            return True
    return False


def refuse_bases_out(root: Path, folder: Path) -> None:
    """Kustomize takes bases and charts from any folder of the machine. Raises UserError for one outside `root` that a
    kustomization, or one it is made of, names."""
    seen: set[Path] = set()
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        seen.add(here)
        for file in (here / name for name in _NAMES if (here / name).is_file()):
            shown = file.relative_to(root).as_posix()
            for text in _scalars(file, shown):
                # Kustomize itself takes no absolute path here.
                place = None if text.startswith("/") else _place(here, text)
                if place is None or not place.is_dir():
                    continue
                if not place.is_relative_to(root):
                    raise UserError(
                        f"{shown} names the folder {text!r}, which lies outside the promotion's folder; "
                        "have git-clone check it out, and name it there"
                    )
                if place not in seen and _is_kustomization(place):
                    waiting.append(place)


def _scalars(file: Path, shown: str) -> list[str]:
    """Every text in a file, each as often as it is written: aliases are not followed."""
    content = file.read_bytes()
    if too_deep(content):
        raise UserError(f"{shown} is nested more than {DEEPEST} levels deep")
    try:
        events = list(yaml.parse(content, Loader=yaml.CSafeLoader))
    except yaml.YAMLError as error:
        raise UserError(f"{shown} is not YAML: {' '.join(str(error).split())}") from error
    if any(_has_tag(event) for event in events):
        raise UserError(
            f"{shown} has a value with a tag, like !!binary, which may hide what it names; write it plainly"
        )
    return [event.value for event in events if isinstance(event, yaml.ScalarEvent)]


def _has_tag(event: yaml.Event) -> bool:
    """Of tags kustomize reads texts that are not as they are written."""
    return isinstance(event, yaml.ScalarEvent) and event.tag not in {None, "!", _TEXT}


def _is_kustomization(place: Path) -> bool:
    return place.is_dir() and any((place / name).is_file() for name in _NAMES)


def _read(folder: Path) -> dict[Any, Any] | None:
    """A folder's kustomization; empty where there is none, None for one that is not understood."""
    files = [folder / name for name in _NAMES if (folder / name).is_file()]
    if not files:
        return {}  # a chart, or files
    content = files[0].read_bytes()
    if too_deep(content):
        return None
    try:
        # Small texts can make enormous values of aliases.
        events = yaml.parse(content, Loader=yaml.CSafeLoader)
        if any(isinstance(event, yaml.AliasEvent) or _has_tag(event) for event in events):
            return None
        data = yaml.load(content, Loader=PlainLoader)  # noqa: S506  # it is a safe one
    except (yaml.YAMLError, RecursionError):
        return None
    return data if isinstance(data, dict) and not any(_misspelt(key) for key in data) else None


def _misspelt(key: Any) -> bool:
    """Kustomize takes `Resources` for `resources`: https://pkg.go.dev/encoding/json#Unmarshal"""
    return isinstance(key, str) and key not in _FIELDS and key.casefold() in {field.casefold() for field in _FIELDS}


def _named(folder: Path) -> list[Path] | None:
    """Files and folders that a kustomization names; None where it names what is not there."""
    data = _read(folder)
    if data is None or data.get("generators") or "helmChartInflationGenerator" in data:
        return None  # generators name charts of their own
    if any("://" in text and "\n" not in text for text in _texts(data)):  # every file may be an address
        return None
    found = []
    for text in _texts([data.get(key) for key in _OF_OTHERS]):
        place = _place(folder, text)
        if place is not None:
            found.append(place)
        elif "\n" not in text:  # it may be written out in place
            return None
    charts, globals_ = data.get("helmCharts") or [], data.get("helmGlobals") or {}
    if not isinstance(charts, list) or not isinstance(globals_, dict):
        return None
    for chart in charts:
        if not isinstance(chart, dict) or chart.get("repo"):
            return None
        place = _place(folder, f"{globals_.get('chartHome') or 'charts'}/{chart.get('name')}")
        if place is None:
            return None
        found.append(place)
    return found + _beside(folder, [value for key, value in data.items() if key not in _SEEN])


def _beside(folder: Path, values: list[Any]) -> list[Path]:
    """Files and folders outside a kustomization's own that texts name: patches, values, `files` as `key=path`."""
    words = {word for text in _texts(values) for word in (text, text.partition("=")[2]) if word}
    places = (_place(folder, word) for word in words)
    return [place for place in places if place is not None and not place.is_relative_to(folder)]


def _place(folder: Path, text: str) -> Path | None:
    if "\n" in text or "\0" in text or len(text) > 1000:
        return None
    place = (folder / text).resolve()
    return place if place.exists() else None


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        value = [each for key, each in value.items() if key not in _WORDS]
    if isinstance(value, list):
        for each in value:
            yield from _texts(each)
    elif isinstance(value, str):
        yield value
