"""OAuth 2 client credentials for providers: https://www.rfc-editor.org/rfc/rfc6749#section-4.4"""

import base64
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote_plus, urlencode

from bot.contracts import HttpAnswer, MetricContext, Schema
from bot.errors import UserError
from bot.metrics import fields

SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "tokenUrl": fields.TEXT,
        "clientId": fields.TEXT,
        "clientSecret": fields.TEXT,
        "scopes": {"type": "array", "items": fields.TEXT},
    },
    "additionalProperties": False,
}


async def authorization(
    context: MetricContext, config: Mapping[str, Any], *, timeout_seconds: float, insecure: bool
) -> str | None:
    """The Authorization header that `authentication.oauth2` of a provider's config leads to; None without one.

    Raises UserError when the section is incomplete or the token server gives no token.
    """
    oauth2 = fields.section(fields.section(config, "authentication"), "oauth2")
    token_url = fields.text(oauth2, "tokenUrl")
    if not token_url:
        return None
    client_id, client_secret = fields.text(oauth2, "clientId"), fields.text(oauth2, "clientSecret")
    if not client_id or not client_secret:
        raise UserError("missing mandatory parameter in metric for OAuth2 setup: clientId and clientSecret are needed")
    form = {"grant_type": "client_credentials"}
    if scopes := fields.items(oauth2, "scopes"):
        form["scope"] = " ".join(str(scope) for scope in scopes)

    async def ask(form: Mapping[str, str], *more: tuple[str, str]) -> HttpAnswer:
        return await context.http.request(
            "POST",
            token_url,
            headers=[("Content-Type", "application/x-www-form-urlencoded"), *more],
            body=urlencode(form).encode(),
            timeout_seconds=timeout_seconds,
            insecure=insecure,
        )

    # Servers should take the credentials in a header, but some want them in the form (section 2.3.1).
    pair = f"{quote_plus(client_id)}:{quote_plus(client_secret)}"
    answer = await ask(form, ("Authorization", f"Basic {base64.b64encode(pair.encode()).decode()}"))
    if not _good(answer):
        answer = await ask({**form, "client_id": client_id, "client_secret": client_secret})
    return _header(answer)


def _good(answer: HttpAnswer) -> bool:
    return 200 <= answer.status < 300


def _header(answer: HttpAnswer) -> str:
    if not _good(answer):
        raise UserError(f"oauth2: the token server answered with status {answer.status}")
    try:
        found = json.loads(answer.body)
    except ValueError as error:
        raise UserError("oauth2: the token server's answer is not JSON") from error
    token = found.get("access_token") if isinstance(found, dict) else None
    if not isinstance(token, str) or not token:
        raise UserError("oauth2: the token server's answer has no access_token")
    kind = found.get("token_type")
    return f"{kind if isinstance(kind, str) and kind.lower() != 'bearer' else 'Bearer'} {token}"
