"""git-tag: put an annotated tag on what was committed; git-push with `tag` pushes it."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.shapes import FLAG, TEXT, record, told
from bot.steps.workspace import spot

NAME = "git-tag"
HELP = "Put an annotated tag on the checkout's newest commit; a git-push with `tag` brings it to the remote."
SCHEMA: Schema = record(
    "path tag message",
    path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."),
    tag=told(TEXT, "The tag's name."),
    message=told(TEXT, "The tag's own message."),
    force=told(FLAG, "Move a tag that is elsewhere; without it that is a mistake."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `tag`, and `commit`, which it is on."""
    checkout = (await spot(context, config["path"])).checkout
    commit = await context.git.tag(
        checkout.path,
        config["tag"],
        config["message"],
        tagger=checkout.author or context.identity,
        force=config.get("force", False),
    )
    return StepResult(StepStatus.SUCCEEDED, {"tag": config["tag"], "commit": commit})
