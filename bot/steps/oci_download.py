"""oci-download: put a layer of an artifact at an OCI registry into a file."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.files.targets import writable_file
from bot.steps.shapes import ARTIFACT, FLAG, TEXT, record, told

NAME = "oci-download"
HELP = "Download a layer of an artifact at an OCI registry."
SCHEMA: Schema = record(
    "imageRef outPath",
    imageRef=told(
        ARTIFACT, "The artifact by tag or digest, like registry.example.com/chart:1.0.0; oci:// may precede."
    ),
    outPath=told(TEXT, "The file it goes to."),
    allowOverwrite=told(FLAG, "Whether a file that is there may be replaced."),
    mediaType=told(TEXT, "Of the layer: the first one with it is taken. Left out: the first layer."),
    insecureSkipTLSVerify=FLAG,
)
_MOST_BYTES = 100 * 1024 * 1024  # as in Kargo


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. Only what is whole, and has the digest it should have, comes to its place."""
    target = writable_file(context.workdir, config["outPath"], config.get("allowOverwrite", False), "allowOverwrite")
    part = await asyncio.to_thread(_beside, target)
    try:
        await context.artifacts.download(
            config["imageRef"],
            part,
            size_limit=_MOST_BYTES,
            media_type=config.get("mediaType", ""),
            verify_tls=not config.get("insecureSkipTLSVerify", False),
        )
        await asyncio.to_thread(os.replace, part, target)
    finally:
        await asyncio.to_thread(part.unlink, missing_ok=True)
    return StepResult(StepStatus.SUCCEEDED)


def _beside(target: Path) -> Path:
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    part.touch(0o600)
    return part
