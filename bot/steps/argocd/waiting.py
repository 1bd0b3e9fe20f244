"""What a step that waits for Argo CD says meanwhile."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.argocd.application import Application

_SHORTEST, _LONGEST = timedelta(seconds=5), timedelta(seconds=30)


@dataclass(slots=True)
class Waiting:
    """One look at what is waited for. `since` is when the first one was; what was `kept` then is there again.

    Kept is only what changes seldom, for it is written down whenever it does.
    """

    since: datetime
    now: datetime
    resumed: bool
    kept: dict[str, Any]
    apps: dict[str, dict[str, str]] = field(default_factory=dict)
    reasons: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, context: StepContext) -> "Waiting":
        now = context.clock.now()
        kept = dict(context.previous)
        began = kept.get("since")
        since = datetime.fromisoformat(began) if isinstance(began, str) else now
        return cls(since, now, bool(context.previous), kept)

    def saw(self, app: Application) -> None:
        self.apps.setdefault(app.key, {"name": app.name, "namespace": app.namespace})

    def result(self, **more: Any) -> StepResult:
        """Running while there is a reason to wait, asked again after 5 seconds at first and then ever more slowly."""
        output: dict[str, Any] = {"apps": list(self.apps.values()), **more}
        if not self.reasons:
            return StepResult(StepStatus.SUCCEEDED, output)
        return self._running({**output, "since": self.since.isoformat()}, "; ".join(self.reasons))

    def unavailable(self, because: str) -> StepResult:
        """Argo CD can't be asked: a fault at first, and no more than a reason to wait once it has answered."""
        if not self.resumed:
            return StepResult(StepStatus.ERRORED, message=because)
        return self._running(self.kept, because)

    def _running(self, output: Mapping[str, Any], message: str) -> StepResult:
        pause = min(max((self.now - self.since) / 6, _SHORTEST), _LONGEST)
        return StepResult(StepStatus.RUNNING, output, message, self.now + pause)
