"""What providers are tested with: a web that answers by script, a drawer of secrets, a clock that stands still."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import pytest

from bot.contracts import HttpAnswer, MetricContext
from bot.errors import UserError


@dataclass(frozen=True)
class Asked:
    """One request as it went out."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None
    timeout_seconds: float
    insecure: bool

    @property
    def form(self) -> dict[str, list[str]]:
        """The form in the body, or else the query of the address."""
        return parse_qs(self.body.decode() if self.body else urlsplit(self.url).query)


@dataclass
class ScriptedHttp:
    """Gives the scripted answers one after the other, and keeps what was asked. Nothing scripted: nobody there."""

    answers: list[HttpAnswer] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)

    def answer(self, body: str, status: int = 200) -> None:
        self.answers.append(HttpAnswer(status, {}, body.encode()))

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        body: bytes | None = None,
        timeout_seconds: float = 10.0,
        insecure: bool = False,
    ) -> HttpAnswer:
        names = [name.lower() for name, _ in headers]
        assert len(names) == len(set(names)), "a header goes out once"
        self.asked.append(Asked(method, url, dict(headers), body, timeout_seconds, insecure))
        if not self.answers:
            raise UserError(f"{method}: can't connect")
        return self.answers.pop(0)


class NoSecrets:
    def get(self, name: str, key: str) -> str | None:
        return None


class StoppedClock:
    def now(self) -> datetime:
        return datetime(2026, 1, 2, 3, 4, 5, 678000, tzinfo=UTC)


@pytest.fixture
def http() -> ScriptedHttp:
    return ScriptedHttp()


@pytest.fixture
def context(http: ScriptedHttp) -> MetricContext:
    return MetricContext(http, NoSecrets(), StoppedClock())
