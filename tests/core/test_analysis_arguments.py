"""What an analysis is started with: templates made one, arguments put in, and what is refused."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.core.analysis import AnalysisError, Phase, due, expand, next_time, resolve_metric, start
from bot.core.model import AnalysisTemplate, Argument, MeasurementRetention, Metric

T0 = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def web(name: str, **fields: Any) -> Metric:
    return replace(Metric(name, "web", {"url": "https://a.test/"}), **fields)


def template(*metrics: Metric, **fields: Any) -> AnalysisTemplate:
    return replace(AnalysisTemplate("t", metrics), **fields)


def test_arguments_are_put_in_wherever_text_stands() -> None:
    metric = web(
        "{{args.a}}-ok",
        config={"{{args.a}}": ["{{ args.a }}/{{args.b}}", {"x": "{{args.b}}"}], "n": 1, "yes": True, "none": None},
        count="{{args.n}}",
        interval="{{args.n}}m",
        success_condition='result == "{{args.b}}"',
    )
    found = resolve_metric(metric, {"a": "A", "b": 'say "hi"\n\\', "n": "3"})
    assert found.name == "A-ok"
    assert found.config == {
        "A": ['A/say "hi"\n\\', {"x": 'say "hi"\n\\'}],
        "n": 1,
        "yes": True,
        "none": None,
    }
    assert (found.count, found.interval) == ("3", "3m")
    assert found.success_condition == 'result == "say "hi"\n\\"'


def test_a_value_cannot_smuggle_in_another_argument() -> None:
    found = resolve_metric(web("one", config={"url": "{{args.a}}"}), {"a": "{{args.token}}", "token": "s3cret"})
    assert found.config == {"url": "{{args.token}}"}


@pytest.mark.parametrize("text", ["{{args.unknown}}", "{{unknown}}", "{{}}", "a {{ args.a b }}", "echo {{args.a"])
def test_anything_else_in_braces_is_refused(text: str) -> None:
    run = start([template(web("one", config={"command": [text]}), args=(Argument("a", "1"),))], {}, T0)
    assert run.phase is Phase.ERROR
    assert run.message.startswith("Unable to resolve metric arguments: ")


def test_the_callers_values_replace_the_templates_and_unknown_ones_are_dropped() -> None:
    arguments = (Argument("a", "default"), Argument("b"), Argument("c", secret=("vault", "key")))
    run = start([template(web("one"), args=arguments)], {"a": "mine", "b": "given", "z": "?"}, T0)
    assert [(arg.name, arg.value) for arg in run.args] == [("a", "mine"), ("b", "given"), ("c", None)]
    run = start([template(web("one"), args=arguments)], {"b": "given", "c": "mine"}, T0)
    assert run.args == (Argument("a", "default"), Argument("b", "given"), Argument("c", "mine"))


def test_the_text_of_a_secret_is_nowhere_in_a_run() -> None:
    arguments = (Argument("token", secret=("vault", "key")),)
    run = start([template(web("one", success_condition='result == "{{args.token}}"'), args=arguments)], {}, T0)
    assert run.metrics[0].rules.success_condition == 'result == "*****"'
    assert run.metrics[0].spec.success_condition == 'result == "{{args.token}}"'


SPEC = "Analysis spec invalid: "
IDLE = "Rule didn't match any metric name(s)"


@pytest.mark.parametrize(
    ("templates", "message"),
    [
        ([template()], SPEC + "no metrics specified"),
        ([template(web("a"), web("a"))], "two metrics have the same name 'a'"),
        ([template(web("a")), template(web("a"))], "two metrics have the same name 'a'"),
        (
            [template(web("a"), web("{{args.x}}"), args=(Argument("x", "a"),))],
            SPEC + "metrics[1]: duplicate name 'a'",
        ),
        ([template(web("a"), args=(Argument("x"),))], "args.x was not resolved"),
        (
            [template(web("a"), args=(Argument("x", "1"),)), template(web("b"), args=(Argument("x", "2"),))],
            "Argument `x` specified multiple times with different values: '1', '2'",
        ),
        (
            [template(web("a", interval="1d"))],
            SPEC + 'metrics[0]: invalid interval string: time: unknown unit "d" in duration "1d"',
        ),
        (
            [template(web("a", count="{{args.n}}"), args=(Argument("n", "many"),))],
            SPEC + 'metrics[0]: count must be a whole number, not "many"',
        ),
        ([template(web("a", provider=""))], SPEC + "metrics[0]: no provider specified"),
        ([template(web("a"), dry_run=("b",))], SPEC + "dryRun[0]: " + IDLE),
        ([template(web("a"), dry_run=("*",))], SPEC + "dryRun[0]: " + IDLE),
        ([template(web("a"), dry_run=("a", "a"))], "two Dry-Run metric rules have the same name 'a'"),
        (
            [template(web("a"), retention=(MeasurementRetention("a", 1), MeasurementRetention("b", 1)))],
            SPEC + "measurementRetention[1]: " + IDLE,
        ),
        (
            [template(web("a"), retention=(MeasurementRetention("a", 1), MeasurementRetention("a", 2)))],
            "two Measurement Retention metric rules have the same name 'a'",
        ),
    ],
)
def test_a_run_that_makes_no_sense_is_over_with_an_error(templates: Sequence[AnalysisTemplate], message: str) -> None:
    run = start(templates, {}, T0)
    assert (run.phase, run.message, run.completed_at) == (Phase.ERROR, message, T0)
    assert due(run, T0 + timedelta(hours=1)) == []
    assert next_time(run, T0) is None


def test_the_same_argument_in_two_templates_takes_the_value_that_one_of_them_has() -> None:
    both = [template(web("a"), args=(Argument("x"),)), template(web("b"), args=(Argument("x", "2"),))]
    assert start(both, {}, T0).args == (Argument("x", "2"),)
    assert start(both[::-1], {}, T0).args == (Argument("x", "2"),)


def test_templates_bring_in_the_templates_they_refer_to_each_once() -> None:
    known = {
        "a": AnalysisTemplate("a", (web("1"),), templates=("b", "c")),
        "b": AnalysisTemplate("b", (web("2"),), templates=("a", "c")),
        "c": AnalysisTemplate("c", (web("3"),)),
    }
    assert [found.name for found in expand(["a", "c"], known)] == ["a", "b", "c"]
    with pytest.raises(AnalysisError, match='there is no analysis template "d"'):
        expand(["d"], known)
