"""Argo CD's REST API, as far as the `argocd-*` steps need it.

Every Argo CD serves the description of its own API: https://argo-cd.readthedocs.io/en/stable/developer-guide/api-docs/
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from bot.contracts.metrics import Http, HttpAnswer
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext
from bot.errors import UserError
from bot.steps.argocd.application import Application, application
from bot.steps.shapes import TEXT, told

SECRET: Schema = told(
    TEXT, "The repository's secret with `server` and `token` of Argo CD, and `insecure`: argocd unless given."
)
_SECRET = "argocd"  # noqa: S105 -- its name
_PATIENCE = 20.0  # seconds for one answer
_BUSY = "another operation is already in progress"
_WINDOW = "blocked by sync window"


class Unavailable(Exception):
    """Argo CD can't answer at the moment; the text says why, for people."""


class _Denied(Exception):
    """Argo CD says no, or that there is no such thing: without a project it does not tell them apart."""


@dataclass(frozen=True, slots=True)
class ArgoCD:
    """One Argo CD, as one account. Every call raises Unavailable, or UserError where a person has to mend something."""

    http: Http
    url: str  # without a final slash
    token: str = field(repr=False)
    insecure: bool
    secret: str

    async def application(self, name: str, namespace: str) -> Application:
        """`namespace` "" is Argo CD's own."""
        where = f"{namespace}/{name}" if namespace else name
        try:
            return application(await self._ask("GET", f"/{_segment(name)}", _placed(namespace)))
        except _Denied as error:
            raise UserError(
                f"Argo CD has no Application {where}, or does not show it to the account of the secret "
                f"`{self.secret}` ({error}); check `name` and `namespace`, and that the account may get it"
            ) from error

    async def applications(self, selector: str, namespace: str) -> tuple[Application, ...]:
        """Those the account may see whose labels fit, by name. `namespace` "" is any."""
        try:
            found = await self._ask("GET", "", {"selector": selector, **_placed(namespace)})
        except _Denied as error:
            raise UserError(f"Argo CD does not let the account of the secret `{self.secret}` list: {error}") from error
        items = found.get("items")
        return tuple(application(item) for item in items if isinstance(item, Mapping)) if items else ()

    async def refresh(self, app: Application, kind: str) -> Application:
        """Have it compared with Git anew, `normal` or `hard` (without caches). Argo CD answers when that is done.

        https://argo-cd.readthedocs.io/en/stable/user-guide/annotations-and-labels/ (`argocd.argoproj.io/refresh`)
        """
        query = {"refresh": kind, **_placed(app.namespace)}
        try:
            return application(await self._ask("GET", f"/{_segment(app.name)}", query))
        except _Denied as error:
            raise UserError(f"Argo CD does not show {app.key} any more: {error}") from error

    async def patch(self, app: Application, spec: Mapping[str, Any]) -> None:
        """Change these parts of its `spec`: https://www.rfc-editor.org/rfc/rfc7386"""
        patch = json.dumps({"spec": spec})
        body = {"name": app.name, **_placed(app.namespace), "patch": patch, "patchType": "merge"}
        try:
            await self._ask("PATCH", f"/{_segment(app.name)}", body=body)
        except _Denied as error:
            raise UserError(
                f"Argo CD does not let the account of the secret `{self.secret}` change {app.key}: {error}; "
                "allow it the action `update`"
            ) from error

    async def sync(self, app: Application, infos: Sequence[tuple[str, str]]) -> str:
        """Start a sync, as its `spec` says. Gives the reason when it can't start now and may later, else ""."""
        listed = [{"name": name, "value": value} for name, value in infos]
        body = {"name": app.name, **_placed(app.namespace), "infos": listed}
        try:
            await self._ask("POST", f"/{_segment(app.name)}/sync", body=body)
        except _Denied as error:
            if _WINDOW in str(error):
                return "waits for its sync window"
            raise UserError(
                f"Argo CD does not let the account of the secret `{self.secret}` sync {app.key}: {error}; "
                "allow it the action `sync`"
            ) from error
        except _Refused as error:
            if error.said == _BUSY:
                return "waits for another operation to end"
            raise
        return ""

    async def _ask(
        self, method: str, path: str, query: Mapping[str, str] | None = None, body: Mapping[str, Any] | None = None
    ) -> Mapping[str, Any]:
        headers = [("Authorization", f"Bearer {self.token}"), ("Accept", "application/json")]
        if body is not None:
            headers.append(("Content-Type", "application/json"))
        url = f"{self.url}/api/v1/applications{path}" + (f"?{urlencode(query)}" if query else "")
        try:
            answer = await self.http.request(
                method,
                url,
                headers=headers,
                body=None if body is None else json.dumps(body).encode(),
                timeout_seconds=_PATIENCE,
                insecure=self.insecure,
            )
        except UserError as error:  # not there, or not allowed by the settings: the text says which
            raise Unavailable(f"Argo CD can't be asked: {error}") from error
        return self._judged(answer)

    def _judged(self, answer: HttpAnswer) -> Mapping[str, Any]:
        """gRPC's codes as HTTP's: https://github.com/grpc-ecosystem/grpc-gateway/blob/main/runtime/errors.go"""
        where = f"Argo CD at {urlsplit(self.url).netloc}"
        try:
            data = json.loads(answer.body)
        except ValueError:
            data = None
        said = data.get("message") or data.get("error") or "" if isinstance(data, Mapping) else ""
        if answer.status == 401:
            raise UserError(f"{where} refuses the token in the secret `{self.secret}`; put a valid one there")
        if answer.status in (403, 404) and said:
            raise _Denied(str(said))
        if answer.status == 429 or answer.status >= 500:
            raise Unavailable(f"{where} answered {answer.status}{f': {said}' if said else ''}")
        if not 200 <= answer.status < 300 and said:
            raise _Refused(where, answer.status, str(said))
        if not 200 <= answer.status < 300 or not isinstance(data, Mapping):
            raise UserError(
                f"what is at {urlsplit(self.url).netloc} does not answer as Argo CD does (status {answer.status}); "
                f"check `server` in the secret `{self.secret}`"
            )
        return data


class _Refused(UserError):
    def __init__(self, where: str, status: int, said: str) -> None:
        super().__init__(f"{where} answered {status}: {said}")
        self.said = said


def connect(context: StepContext, config: Mapping[str, Any], step: str) -> ArgoCD:
    """The Argo CD that the repository's secret tells of. Raises UserError when something is missing there."""
    name = config.get("secret", _SECRET)
    server, token, insecure = (context.secrets.get(name, key) for key in ("server", "token", "insecure"))
    missing = [f"`{key}`" for key, value in (("server", server), ("token", token)) if not value]
    if not server or not token:
        raise UserError(
            f"{step} needs the secret `{name}` of {context.repository.name}, and {' and '.join(missing)} "
            f"{'is' if len(missing) == 1 else 'are'} not there. `server` is Argo CD's address, `token` that of an "
            "account that may get, update and sync the Applications. Where Towpath runs, put each into a file "
            f"of SECRETS_DIR: {context.repository.name}/{name}/server and {context.repository.name}/{name}/token."
        )
    address = server.strip().rstrip("/")
    return ArgoCD(
        http=context.http,
        url=address if "://" in address else f"https://{address}",
        token=token.strip(),
        insecure=(insecure or "").strip() == "true",
        secret=name,
    )


def _placed(namespace: str) -> dict[str, str]:
    return {"appNamespace": namespace} if namespace else {}


def _segment(name: str) -> str:
    return quote(name, safe="")
