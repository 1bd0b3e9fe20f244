"""flux-reconcile: tell Flux that there is something new.

Flux answers no questions over HTTP. What it has is a Receiver, an address that lets it look at once instead of at its
next interval; of the type generic-hmac, it wants every request signed. Whether what came of it is well, a
verification or an `http` step sees. https://fluxcd.io/flux/components/notification/receivers/#generic-hmac
"""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.errors import UserError
from bot.steps.shapes import TEXT, record, told

NAME = "flux-reconcile"
HELP = "Have a Flux Receiver reconcile its resources at once."
SCHEMA: Schema = record(
    url=told(TEXT, "The Receiver's address, of type generic-hmac; left out: `url` of the secret."),
    secret=told(TEXT, "The repository's secret with the Receiver's `token`, and its `url`: flux unless given."),
)
_SECRET = "flux"  # noqa: S105 -- its name


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Succeeded once Flux has taken the request; asking it again does no harm. Errored while it can't."""
    name = config.get("secret", _SECRET)
    token, url = context.secrets.get(name, "token"), config.get("url") or context.secrets.get(name, "url")
    if not token or not url:
        missing = "`token` is" if url else "`url` is" if token else "`url` and `token` are"
        folder = f"{context.repository.name}/{name}"
        raise UserError(
            f"{NAME} needs the secret `{name}` of {context.repository.name}, and {missing} not there: the address "
            "of a Flux Receiver of type generic-hmac, and the token of its secretRef. Where Towpath runs, put each "
            f"into a file of SECRETS_DIR: {folder}/url and {folder}/token."
        )
    promotion = context.promotion
    told_of = {
        "repository": context.repository.name,
        "stage": promotion.stage,
        "promotion": promotion.id,
        "freight": promotion.freight.id,
    }
    body = json.dumps(told_of).encode()
    signature = hmac.new(token.strip().encode(), body, hashlib.sha256).hexdigest()
    answer = await context.http.request(
        "POST",
        url.strip(),
        headers=[("Content-Type", "application/json"), ("X-Signature", f"sha256={signature}")],
        body=body,
    )
    where = urlsplit(url).netloc
    if 200 <= answer.status < 300:
        return StepResult(StepStatus.SUCCEEDED, message=f"Flux at {where} reconciles")
    if answer.status == 400:
        raise UserError(f"the Flux Receiver at {where} refuses the signature; check `token` in the secret `{name}`")
    if answer.status == 404:
        raise UserError(f"there is no Flux Receiver at this address of {where}; take it from its .status.webhookPath")
    because = ": it is suspended or not ready" if answer.status == 503 else ""
    return StepResult(StepStatus.ERRORED, message=f"the Flux Receiver at {where} answered {answer.status}{because}")
