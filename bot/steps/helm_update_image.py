"""helm-update-image: write the freight's images into a values file. Kargo has replaced it by yaml-update."""

import asyncio
from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.model import Image
from bot.errors import UserError
from bot.steps.artifacts import find_image
from bot.steps.editing.yaml_edit import Update, update_file
from bot.steps.shapes import ORIGIN, TEXT, listed, record, told

NAME = "helm-update-image"
HELP = "Write images of the freight into a values file (deprecated: yaml-update with imageFrom())."
SCHEMA: Schema = record(
    "path images",
    path=told(TEXT, "The values file."),
    images=listed(
        record(
            "image key value",
            image=told(TEXT, "The image's repository, as the freight has it."),
            key=told(TEXT, "Where the value goes, like image.tag."),
            value=told({"enum": ["Tag", "ImageAndTag", "Digest", "ImageAndDigest"]}, "What is written there."),
            fromOrigin=ORIGIN,
        ),
        at_least=1,
    ),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commitMessage`."""
    updates = []
    for wanted in config["images"]:
        image = find_image(context.promotion, wanted["image"], wanted.get("fromOrigin"))
        updates.append(Update(wanted["key"], _value(image, wanted["image"], wanted["value"])))
    await asyncio.to_thread(update_file, context.workdir, config["path"], updates)
    message = f"Updated {config['path']} to use new image{'s' if len(updates) > 1 else ''}\n"
    message += "".join(
        f"\n- {_shown(wanted, update)}" for wanted, update in zip(config["images"], updates, strict=True)
    )
    return StepResult(StepStatus.SUCCEEDED, {"commitMessage": message})


def _value(image: Image, repository: str, kind: str) -> str:
    of_tag = kind in {"Tag", "ImageAndTag"}
    text = image.tag if of_tag else image.digest
    if not text:
        raise UserError(f"the image {repository} of the freight has no {'tag' if of_tag else 'digest'}")
    return text if kind in {"Tag", "Digest"} else f"{image.repo_url}{':' if of_tag else '@'}{text}"


def _shown(wanted: Mapping[str, Any], update: Update) -> str:
    """The whole reference, also where only its end is written."""
    separator = {"Tag": ":", "Digest": "@"}.get(wanted["value"])
    return f"{wanted['image']}{separator}{update.value}" if separator else str(update.value)
