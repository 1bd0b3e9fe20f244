"""kustomize-set-image: write images into a kustomization."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import PromotionInfo, StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.artifacts import all_images, find_image
from bot.steps.editing.texts import read_text, write_text
from bot.steps.rendering.kustomize_images import KEEP, ImageChange, set_images
from bot.steps.shapes import FLAG, MAYBE, ORIGIN, TEXT, listed, record, told
from bot.steps.workspace import existing

NAME = "kustomize-set-image"
HELP = "Write images into the `images` of a kustomization; without a list, all of the freight."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "Folder of the kustomization."),
    images=listed(
        record(
            "image",
            image=told(TEXT, "The image's repository."),
            name=told(MAYBE, "What the manifests call it; left out: the same."),
            newName=told(MAYBE, "What to call it instead; * keeps what is there."),
            tag=told(MAYBE, "* keeps what is there. With neither tag nor digest: as in the freight."),
            digest=told(MAYBE, "* keeps what is there."),
            useDigest=told(FLAG, "Take the freight's digest, not its tag (deprecated: `digest`)."),
            fromOrigin=told(ORIGIN, "Of which warehouse's freight (deprecated: `imageFrom()`)."),
        )
    ),
)
# https://kubectl.docs.kubernetes.io/references/kustomize/glossary/#kustomization
_FILES = ("kustomization.yaml", "kustomization.yml", "Kustomization")


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`, unless there was no image to write."""
    wanted = config.get("images")
    changes = _given(context.promotion, wanted) if wanted else _of_freight(context.promotion)
    if not changes:
        return StepResult(StepStatus.SUCCEEDED)
    await asyncio.to_thread(_update, context.workdir, config["path"], changes)
    message = f"Updated {config['path']} to use new image{'s' if len(changes) > 1 else ''}\n"
    message += "".join(f"\n- {_reference(changes[name])}" for name in sorted(changes))
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": message})


def _given(promotion: PromotionInfo, images: list[Mapping[str, Any]]) -> dict[str, ImageChange]:
    changes = {}
    for each in images:
        tag, digest = each.get("tag", ""), each.get("digest", "")
        if tag and digest:
            raise UserError(f"kustomize-set-image is given a tag and a digest for {each['image']}; leave one out")
        if not (tag or digest):
            image = find_image(promotion, each["image"], each.get("fromOrigin"))
            tag, digest = ("", image.digest) if each.get("useDigest") else (image.tag, "")
        name = each.get("name") or each["image"]
        changes[name] = ImageChange(name, each.get("newName", ""), tag, digest)
    return changes


def _of_freight(promotion: PromotionInfo) -> dict[str, ImageChange]:
    changes: dict[str, ImageChange] = {}
    for image in all_images(promotion):
        change = ImageChange(image.repo_url, new_tag=image.tag, digest=image.digest)
        if changes.setdefault(image.repo_url, change) != change:
            raise UserError(
                f"several warehouses have {image.repo_url}, each another one; say in `images` which is meant"
            )
    return changes


def _update(folder: Path, path: str, changes: Mapping[str, ImageChange]) -> None:
    where = existing(folder, path, "folder")
    found = [where / name for name in _FILES if (where / name).is_file() and not (where / name).is_symlink()]
    if len(found) != 1:
        what = "several kustomizations" if found else "no kustomization.yaml"
        raise UserError(f"there is {what} in {path!r}; name a folder with one")
    file = f"{path}/{found[0].name}"
    write_text(folder, file, set_images(read_text(folder, file), changes, file))


def _reference(change: ImageChange) -> str:
    def said(value: str, separator: str) -> str:
        return f"{separator}{value}" if value not in {"", KEEP} else ""

    name = change.name if change.new_name in {"", KEEP} else change.new_name
    return name + said(change.new_tag, ":") + said(change.digest, "@")
