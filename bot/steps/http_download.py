"""http-download: put what a service answers into a file."""

import asyncio
import os
import secrets
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.contracts.metrics import Unreachable
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.asking import LONGEST_ANSWER, seconds_to_wait
from bot.steps.files.targets import writable_file
from bot.steps.rendering.addresses import with_parameters
from bot.steps.shapes import DURATION, FLAG, PAIR, TEXT, listed, record, told

NAME = "http-download"
HELP = "Download a file."
SCHEMA: Schema = record(
    "url outPath",
    url=told(TEXT, "Of http or https."),
    outPath=told(TEXT, "The file it goes to."),
    allowOverwrite=told(FLAG, "Whether a file that is there may be replaced."),
    headers=listed(PAIR),
    queryParams=listed(PAIR),
    timeout=told(DURATION, "For the whole download, like 30s or 5m: 5m unless given, 30m at most."),
    insecureSkipTLSVerify=FLAG,
)
TIMEOUT = LONGEST_ANSWER + timedelta(minutes=1)
_MOST_BYTES = 100 * 1024 * 1024  # as in Kargo


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """No output. A status other than 2xx is a fault that may go away, and leaves what was there before."""
    target = writable_file(context.workdir, config["outPath"], config.get("allowOverwrite", False), "allowOverwrite")
    try:
        answer = await context.http.request(
            "GET",
            with_parameters(config),
            headers=[(each["name"], each["value"]) for each in config.get("headers", ())],
            timeout_seconds=seconds_to_wait(config, "5m"),
            insecure=config.get("insecureSkipTLSVerify", False),
            size_limit=_MOST_BYTES,
        )
    except Unreachable as error:
        return StepResult(StepStatus.ERRORED, message=str(error))
    if not 200 <= answer.status < 300:
        host = urlsplit(config["url"]).hostname
        return StepResult(StepStatus.ERRORED, message=f"{host} answered {answer.status}")
    await asyncio.to_thread(_write, target, answer.body)
    return StepResult(StepStatus.SUCCEEDED)


def _write(target: Path, content: bytes) -> None:
    """At once or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    part = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        part.write_bytes(content)
        part.chmod(0o600)
        os.replace(part, target)
    finally:
        part.unlink(missing_ok=True)
