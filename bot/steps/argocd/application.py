"""An Argo CD Application, as far as the `argocd-*` steps look at it.

https://argo-cd.readthedocs.io/en/stable/operator-manual/application.yaml
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from bot.errors import UserError

PROMOTION = "kargo.akuity.io/promotion"  # the entry of an operation's info that says for which promotion it is
_ERRORS = frozenset(("ComparisonError", "InvalidSpecError"))


class Stand(StrEnum):
    """How far an Application is with what a promotion wants of it."""

    ABSENT = "nothing is under way"
    FOREIGN = "somebody else's operation is under way"
    RUNNING = "ours is under way"
    FAILED = "ours failed"
    SUCCEEDED = "ours succeeded"


@dataclass(frozen=True, slots=True)
class Operation:
    """The last operation, or the one under way. `revisions` and `targets` are of its result, one for each source."""

    promotion: str  # "": it is nobody's
    initiator: str
    phase: str  # Running, Terminating, Failed, Error, Succeeded
    message: str = ""
    revisions: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()
    finished_at: datetime | None = None

    @property
    def is_under_way(self) -> bool:
        return self.phase in {"", "Running", "Terminating"}

    @property
    def by(self) -> str:
        return self.initiator or "Argo CD itself"


@dataclass(frozen=True, slots=True)
class Application:
    """One Application. `sources` are as Argo CD has them, for they go back there; a single `source` is one of them."""

    name: str
    namespace: str
    annotations: Mapping[str, str]
    sources: tuple[Mapping[str, Any], ...]
    has_many: bool
    operation: Operation | None
    sync: str
    health: str
    health_message: str
    errors: tuple[str, ...]  # conditions that keep Argo CD from comparing it with Git
    reconciled_at: datetime | None

    @property
    def key(self) -> str:
        return f"{self.namespace}/{self.name}"

    @property
    def is_seen_since(self) -> bool:
        """Whether its health was judged after the last operation ended: Argo CD does these one after the other."""
        ended = self.operation.finished_at if self.operation else None
        return ended is None or (self.reconciled_at is not None and self.reconciled_at >= ended)


def stand(app: Application, promotion: str) -> Stand:
    """An operation without a result is as none: it is started again."""
    operation = app.operation
    if operation is None:
        return Stand.ABSENT
    if operation.promotion != promotion:
        return Stand.FOREIGN if operation.is_under_way else Stand.ABSENT
    if operation.is_under_way:
        return Stand.RUNNING
    if operation.phase != "Succeeded":
        return Stand.FAILED
    return Stand.SUCCEEDED if operation.revisions else Stand.ABSENT


def application(data: Mapping[str, Any]) -> Application:
    """Read Argo CD's answer. Raises UserError for what is no Application."""
    metadata, spec, status = (_mapping(data.get(name)) for name in ("metadata", "spec", "status"))
    if not isinstance(metadata.get("name"), str) or not spec:
        raise UserError("Argo CD's answer is not an Application; check `server` in its secret")
    many = _list(spec.get("sources"))
    sources = many or ([spec["source"]] if spec.get("source") else [])
    health = _mapping(status.get("health"))
    return Application(
        name=metadata["name"],
        namespace=str(metadata.get("namespace") or ""),
        annotations={str(name): str(value) for name, value in _mapping(metadata.get("annotations")).items()},
        sources=tuple(_mapping(source) for source in sources),
        has_many=bool(many),
        operation=_operation(_mapping(data.get("operation")), _mapping(status.get("operationState"))),
        sync=str(_mapping(status.get("sync")).get("status") or ""),
        health=str(health.get("status") or ""),
        health_message=str(health.get("message") or ""),
        errors=tuple(
            f"{one.get('type')}: {one.get('message')}"
            for one in map(_mapping, _list(status.get("conditions")))
            if one.get("type") in _ERRORS
        ),
        reconciled_at=_moment(status.get("reconciledAt")),
    )


def _operation(asked: Mapping[str, Any], state: Mapping[str, Any]) -> Operation | None:
    """`asked` is there from when somebody asks until the end; `state` comes when Argo CD has taken it up."""
    if not state:
        return Operation(_promotion(asked), _initiator(asked), "Running") if asked else None
    requested = _mapping(state.get("operation"))
    result = _mapping(state.get("syncResult"))
    revisions = _list(result.get("revisions")) or ([result["revision"]] if result.get("revision") else [])
    sources = _list(result.get("sources")) or [result.get("source")]
    return Operation(
        promotion=_promotion(requested),
        initiator=_initiator(requested),
        phase=str(state.get("phase") or ""),
        message=str(state.get("message") or ""),
        revisions=tuple(str(revision) for revision in revisions),
        targets=tuple(str(_mapping(source).get("targetRevision") or "") for source in sources),
        finished_at=_moment(state.get("finishedAt")),
    )


def _promotion(operation: Mapping[str, Any]) -> str:
    entries = map(_mapping, _list(operation.get("info")))
    return next((str(entry.get("value") or "") for entry in entries if entry.get("name") == PROMOTION), "")


def _initiator(operation: Mapping[str, Any]) -> str:
    return str(_mapping(operation.get("initiatedBy")).get("username") or "")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _moment(value: Any) -> datetime | None:
    """Kubernetes' times: https://www.rfc-editor.org/rfc/rfc3339. Raises UserError for what is none."""
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError as error:
        raise UserError(f"Argo CD tells a time that can't be read: {str(value)[:40]!r}") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
