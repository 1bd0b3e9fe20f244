"""What a metric provider is, and what it may ask."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Protocol

from bot.contracts.clock import Clock
from bot.contracts.schema import Schema
from bot.errors import UserError


class MeasurementPhase(StrEnum):
    SUCCESSFUL = "Successful"
    FAILED = "Failed"
    INCONCLUSIVE = "Inconclusive"
    ERROR = "Error"
    RUNNING = "Running"


@dataclass(frozen=True, slots=True)
class Reading:
    """What a provider read: `result` is what conditions see, `value` what people see.

    A provider that judges by itself (job, kayenta) sets `phase`; one in flight sets RUNNING and `resume_at`.
    """

    result: Any = None
    value: str = ""
    phase: MeasurementPhase | None = None
    resume_at: datetime | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


class Unreachable(UserError):
    """A server could not be asked, or did not answer in time. Unlike other mistakes it may pass."""


class Http(Protocol):
    """Outbound HTTP under the egress rules, for providers and steps. Raises UserError on refusal or failure,
    Unreachable for what may pass."""

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        timeout_seconds: float = 10.0,
        insecure: bool = False,
        size_limit: int | None = None,  # bytes the answer may have; None: what is usual
    ) -> "HttpAnswer": ...


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    status: int
    headers: Mapping[str, str]
    body: bytes


class Secrets(Protocol):
    def get(self, name: str, key: str) -> str | None:
        """One value of a named secret; None when there is none."""
        ...

    def mask(self, data: Any) -> Any:
        """A value as JSON knows them, whose texts hold nothing any more of the secrets that were read. Whatever is told
        to people has that done to it by itself; who cuts a text short does it before, for half a secret isn't known."""
        ...


@dataclass(frozen=True, slots=True)
class MetricContext:
    http: Http
    secrets: Secrets
    clock: Clock
    previous: Reading | None = None  # the reading in flight, when a provider is resumed


class MetricProvider(Protocol):
    """A way to measure: one module in `bot/metrics`, its name that of Argo Rollouts' provider."""

    NAME: str
    HELP: str
    SCHEMA: Schema

    async def measure(self, context: MetricContext, config: Mapping[str, Any]) -> Reading:
        """One measurement. What a person could mend (address, status, path) is a UserError: an Error measurement."""
        ...
