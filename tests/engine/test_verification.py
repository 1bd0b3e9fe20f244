"""An analysis under way fits into the work store, whatever was measured."""

from dataclasses import replace
from datetime import UTC, datetime

from bot.core import analysis
from bot.core.model import AnalysisTemplate, Metric
from bot.engine.verification import small_enough

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_run(value: str) -> analysis.Run:
    metrics = tuple(Metric(f"m{n}", "web", {}, success_condition="true") for n in range(20))
    run = analysis.start((AnalysisTemplate("smoke", metrics),), {}, NOW)
    measured = analysis.Measurement(analysis.Phase.SUCCESSFUL, NOW, NOW, value=value)
    return replace(run, metrics=tuple(replace(one, measurements=(measured,) * 10) for one in run.metrics))


def test_what_is_short_is_kept_whole() -> None:
    run = a_run("42")

    assert analysis.from_json(small_enough(run)) == run


def test_of_what_is_long_the_last_of_each_metric_is_kept_whole() -> None:
    kept = small_enough(a_run("x" * 1500))

    assert len(kept.encode()) <= 64_000
    for metric in analysis.from_json(kept).metrics:
        assert metric.last is not None
        assert metric.last.value == "x" * 1500
