"""Comments that tell how a promotion ended."""

from bot.core import freight as freight_data
from bot.core.facts import PullRequest
from bot.core.gates import short
from bot.core.messages.markdown import code, marker, plain
from bot.core.model import Freight, Pipeline, Stage, StageName
from bot.core.record import Record
from bot.core.snapshot import Landing, StageFacts


def result_marker(landing: Landing) -> str:
    """One result for one landing."""
    return marker("result", f"{landing.lock.stage}/{landing.sha}")


def result(pipeline: Pipeline, facts: StageFacts, landing: Landing) -> str:
    """The verification's outcome, its figures, and what can be done next."""
    name, stage = freight_data.describe(landing.lock.freight), facts.stage.name
    check = landing.check
    told = f"{plain(check.title)}\n\n{check.summary}" if check else ""
    if landing.verified:
        return f"### ✅ {plain(name)} is verified in `{stage}`\n\n{told}\n\n{_next(pipeline, facts.stage, landing)}"
    return (
        f"### ❌ {plain(name)} is not verified in `{stage}`\n\n{told}\n\n"
        f"It goes no further. What you can do:\n"
        f"* ⏪ To bring back what was here before, comment:\n  ```\n  /rollback {stage}\n  ```\n"
        "* ⏩ Or publish a newer version: it takes this one's place."
    )


def _next(pipeline: Pipeline, stage: Stage, landing: Landing) -> str:
    version = short(landing.lock.freight)
    lines = []
    for other in pipeline.stages.values():
        if stage.name not in other.upstreams or other.is_control_flow:
            continue
        if other.auto:
            lines.append(f"* `{other.name}` is next, and goes by itself.")
        else:
            lines.append(f"* ▶️ To go on, comment:\n  ```\n  /promote {other.name} {version}\n  ```")
    return "\n".join(lines) or "This was the last stage."


def turned_down(stage: Stage, record: Record) -> str:
    name, version = freight_data.describe(record.freight), short(record.freight)
    offer = "You get a pull request once there is newer freight." if stage.auto else ""
    return (
        f"Because this was closed without merging, {plain(name)} is not offered to `{stage.name}` again. {offer}\n\n"
        f"Should it come after all, comment:\n```\n/promote {stage.name} {version}\n```"
    )


def already_there(stage: StageName, freight: Freight) -> str:
    return f"{plain(freight_data.describe(freight))} is in `{stage}` already, so there is nothing left to merge here."


def unreadable(stage: StageName) -> str:
    return (
        f"Neither this text nor the branch says any more what was to be promoted into `{stage}`, so Towpath gives this "
        f"pull request up. Comment `/promote {stage}` to start afresh."
    )


def orphan(pull: PullRequest) -> str:
    return f"The stage that {code(pull.head_branch)} promotes into is no longer in `.promotion.yaml`."
