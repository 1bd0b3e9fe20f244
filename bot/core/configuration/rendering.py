"""The short form `render`, written out as promotion steps.

Clone, clear what was rendered before, set the images, render, commit what was rendered and nothing else, propose,
wait for the merge.
"""

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.core.configuration.loading import Loading
from bot.core.configuration.native_shapes import HELM_PASSED_ON
from bot.core.configuration.places import Place
from bot.core.configuration.problems import names

_SOURCE = "./src"
_TARGET = "./target"  # where a branch of its own for rendered manifests is checked out
_DEFAULT_KEY = "image.tag"
_UPDATE = "update-image"
_BUILD = "build"

StepData = dict[str, Any]


@dataclass(frozen=True, slots=True)
class WatchedImage:
    """An image of a warehouse the stage takes freight from. `ambiguous`: other warehouses watch it too."""

    repo_url: str
    warehouse: str
    ambiguous: bool

    def field(self, name: str) -> str:
        """The expression for one field of it in the freight."""
        origin = f", warehouse({json.dumps(self.warehouse)})" if self.ambiguous else ""
        return f"${{{{ imageFrom({json.dumps(self.repo_url)}{origin}).{name} }}}}"

    def value(self, kind: str) -> str:
        """As `helm-update-image` names them: Tag, Digest, ImageAndTag, ImageAndDigest."""
        if kind == "ImageAndTag":
            return f"{self.repo_url}:{self.field('Tag')}"
        if kind == "ImageAndDigest":
            return f"{self.repo_url}@{self.field('Digest')}"
        return self.field(kind)


def rendering_steps(
    render: Mapping[str, Any],
    place: Place,
    stage: str,
    release: str,
    images: Sequence[WatchedImage],
    loading: Loading,
) -> list[StepData]:
    """The steps, as they would be written in full. `release` is the name of the Helm release unless one is given."""
    branch, _ = _either(render, "branch", "targetBranch", place, loading)
    folder, at = _either(render, "path", "out", place, loading)
    tree = _SOURCE if branch is None else _TARGET
    out = _inside(f"out/stages/{stage}" if folder is None else folder, at, loading, tree)
    if out == tree:
        message = f"`{at.path[-1]}` must be a folder of its own: everything in it is replaced at each promotion"
        loading.problems.error(at, "bad-path", message)
    if "helm" in render:
        updates, build = _helm(render["helm"], place / "helm", out, release, images, loading)
    else:
        updates, build = _kustomize(render["kustomize"], place / "kustomize", out, images, loading)
    summary = f"Promote ${{{{ ctx.targetFreight.alias }}}} to {stage}"
    if updates:
        summary += f"\n\n${{{{ outputs[{json.dumps(_UPDATE)}].commitMessage }}}}"
    target: dict[str, Any] = {}
    checkouts: list[dict[str, Any]] = [{"path": _SOURCE}]
    if branch is not None:
        target["targetBranch"] = branch
        checkouts.append({"branch": branch, "create": True, "path": _TARGET})
    commit: dict[str, Any] = {"path": out, "message": render.get("message", summary)}
    if "allowPlaintextSecrets" in render:
        commit["allowPlaintextSecrets"] = render["allowPlaintextSecrets"]
    return [
        {"uses": "git-clone", "as": "clone", "config": {"checkout": checkouts}},
        {"uses": "git-clear", "as": "clear", "config": {"path": out}},
        *updates,
        build,
        {"uses": "git-commit", "as": "commit", "config": commit},
        {"uses": "git-push", "as": "push", "config": {"path": out, "generateTargetBranch": True}},
        {"uses": "git-open-pr", "as": "open-pr", "config": target},
        {"uses": "git-wait-for-pr", "as": "wait-for-pr", "config": {}},
    ]


def _either(
    render: Mapping[str, Any], word: str, other: str, place: Place, loading: Loading
) -> tuple[str | None, Place]:
    """What is written under one of two words for the same, and where."""
    if word in render and other in render:
        message = f"`{other}` is another word for `{word}`; leave one out"
        loading.problems.error(place / other, "duplicate-key", message, key=True)
    used = other if other in render and word not in render else word
    return render.get(used), place / used


def _helm(
    helm: Mapping[str, Any],
    place: Place,
    out: str,
    release: str,
    images: Sequence[WatchedImage],
    loading: Loading,
) -> tuple[list[StepData], StepData]:
    chart = _inside(helm["chart"], place / "chart", loading)
    given = helm.get("values", [])
    values = [
        _inside(each, place / "values" / index, loading, below=chart)
        for index, each in enumerate(given if isinstance(given, list) else [given])
    ]
    config: dict[str, Any] = {"path": chart, "releaseName": helm.get("releaseName", release)}
    if values:
        config["valuesFiles"] = values
    config |= {name: helm[name] for name in HELM_PASSED_ON if name in helm}
    config["outPath"] = f"{out}/manifests.yaml"
    updates = _helm_updates(helm, place, images, loading)
    steps: list[StepData] = []
    if updates:
        path = values[-1] if values else f"{chart}/values.yaml"
        steps.append({"uses": "yaml-update", "as": _UPDATE, "config": {"path": path, "updates": updates}})
    return steps, {"uses": "helm-template", "as": _BUILD, "config": config}


def _helm_updates(
    helm: Mapping[str, Any], place: Place, images: Sequence[WatchedImage], loading: Loading
) -> list[dict[str, str]]:
    if "images" not in helm:
        if len(images) > 1:
            message = (
                f"the freight has several images ({names([each.repo_url for each in images])}); "
                "say in `images` under which key the values file has each"
            )
            loading.problems.error(place, "which-image", message, key=True)
            return []
        return [{"key": _DEFAULT_KEY, "value": each.value("Tag")} for each in images]
    updates = []
    keys: set[str] = set()
    for index, each in enumerate(helm["images"]):
        at = place / "images" / index
        key = each.get("key", _DEFAULT_KEY)
        if key in keys:
            message = f"two images are written to the key `{key}`; give each its own `key`"
            loading.problems.error(at, "duplicate-key", message)
        keys.add(key)
        image = _chosen(each.get("image"), at, images, loading)
        if image is not None:
            updates.append({"key": key, "value": image.value(each.get("value", "Tag"))})
    return updates


def _kustomize(
    kustomize: Mapping[str, Any], place: Place, out: str, images: Sequence[WatchedImage], loading: Loading
) -> tuple[list[StepData], StepData]:
    path = _inside(kustomize["path"], place / "path", loading)
    chosen: list[dict[str, str]] = []
    if "images" not in kustomize:
        chosen = [{"image": each.repo_url, "tag": each.field("Tag")} for each in images]
    for index, each in enumerate(kustomize.get("images", ())):
        image = _chosen(each["image"], place / "images" / index, images, loading)
        if image is None:
            continue
        kind = each.get("value", "Tag")
        name = {"image": each["name"], "newName": image.repo_url} if "name" in each else {"image": image.repo_url}
        chosen.append({**name, kind.lower(): image.field(kind)})
    steps: list[StepData] = []
    if chosen:
        steps.append({"uses": "kustomize-set-image", "as": _UPDATE, "config": {"path": path, "images": chosen}})
    config: dict[str, Any] = {"path": path, "outPath": f"{out}/manifests.yaml"}
    if "plugin" in kustomize:
        config["plugin"] = kustomize["plugin"]
    return steps, {"uses": "kustomize-build", "as": _BUILD, "config": config}


def _chosen(name: str | None, place: Place, images: Sequence[WatchedImage], loading: Loading) -> WatchedImage | None:
    matching = [each for each in images if name in {None, each.repo_url}]
    if len(matching) == 1 or (matching and name is not None):
        return matching[0]
    watched = names([each.repo_url for each in images])
    if name is None:
        message = f"say which `image` is meant: {watched}" if images else "the freight of this stage has no image"
        loading.problems.error(place, "which-image", message)
    else:
        near = loading.problems.closest(name, [each.repo_url for each in images])
        known = f"; the freight has {watched}" if images else "; the freight has none"
        message = f"the freight of this stage has no image `{name[:80]}`{near or known}"
        loading.problems.error(place / "image", "unknown-image", message)
    return None


def _inside(path: str, place: Place, loading: Loading, tree: str = _SOURCE, *, below: str = "") -> str:
    """A path as written, from the root of the repository (or from `below`, unless it starts with `/`), in its tree."""
    base = tree if path.startswith("/") or not below else below
    whole = posixpath.normpath(posixpath.join(base, path.lstrip("/")))
    root = tree.removeprefix("./")
    if whole != root and not whole.startswith(f"{root}/"):
        message = f"`{path[:80]}` leads out of the repository; paths start at its root"
        loading.problems.error(place, "bad-path", message)
        return tree
    return f"./{whole}"
