"""deployment: show on GitHub what a stage holds, as a deployment to an environment."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.contracts.github_areas import Deployment, DeploymentStatus
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.earlier import latest
from bot.steps.shapes import FLAG, TEXT, record, told

NAME = "deployment"
HELP = "Tell GitHub of the deployment to an environment, and how it is getting on."
# https://docs.github.com/en/rest/deployments/statuses#create-a-deployment-status
_STATES = ("error", "failure", "in_progress", "inactive", "pending", "queued", "success")
SCHEMA: Schema = record(
    environment=told(TEXT, "The environment; left out: the stage's name."),
    ref=told(TEXT, "The branch, tag or commit; left out: the commit that landed or was pushed last."),
    description=told(TEXT, "For people; left out: what is promoted."),
    state=told({"enum": list(_STATES)}, "How it is getting on: in_progress unless given."),
    environmentURL=told(TEXT, "Where what was deployed can be seen."),
    logURL=told(TEXT, "Where to read how it went; left out: the pull request."),
    autoInactive=told(FLAG, "A success ends earlier deployments to the environment: true unless given."),
)
_TASK = "promote"


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `id` of the deployment, `environment`, `state`.

    One promotion makes one deployment to an environment; whoever comes later in it, and says another state, adds that.
    """
    environment = config.get("environment") or str(context.promotion.stage)
    deployments = context.github.deployments
    found = [one for one in await deployments.find(environment, _TASK) if _is_ours(context, one)]
    opened = latest(context, "pr")
    wanted = DeploymentStatus(
        state=config.get("state", "in_progress"),
        description=" ".join(context.secrets.mask(config.get("description") or _of(context)).split())[:140],
        environment_url=_address(config, "environmentURL"),
        log_url=_address(config, "logURL") or (opened["url"] if opened else ""),
    )
    if found:
        made = found[0]
    else:
        ref = config.get("ref") or latest(context, "commit")
        if not ref:
            raise UserError("nothing was committed that could be deployed; name a `ref`")
        payload = {"promotion": context.promotion.id, "freight": context.promotion.freight.id}
        made = await deployments.create(ref, environment, _TASK, wanted.description, payload)
    if not found or await deployments.status(made.id) != wanted:
        await deployments.set_status(made.id, wanted, auto_inactive=config.get("autoInactive", True))
    return StepResult(StepStatus.SUCCEEDED, {"id": made.id, "environment": environment, "state": wanted.state})


def _is_ours(context: StepContext, one: Deployment) -> bool:
    return one.payload.get("promotion") == context.promotion.id


def _of(context: StepContext) -> str:
    return f"Freight {context.promotion.freight.alias or context.promotion.freight.id[:7]}"


def _address(config: Mapping[str, Any], field: str) -> str:
    url = str(config.get(field, ""))
    if url and (urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname):
        raise UserError(f"`{field}` is {url!r}; write an address of http or https")
    return url
