"""Rounds of measuring: all at once, each fault by itself, secrets never kept."""

import asyncio
import base64
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from bot.contracts import Http, HttpAnswer, MeasurementPhase, MetricContext, MetricProvider, Reading, Schema
from bot.core.analysis import Measurement, Phase, Run, start, terminate, to_json
from bot.core.egress import parse_rules
from bot.core.model import AnalysisTemplate, Argument, Metric
from bot.engine.http import OutboundHttp
from bot.engine.measure import measure_due
from bot.errors import Retry, UserError
from bot.metrics import BY_NAME

HERE = parse_rules("*, 127.0.0.0/8, ::1")

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


class NobodyThere:
    async def request(self, method: str, url: str, **more: Any) -> HttpAnswer:
        raise UserError(f"{method} {url}: can't connect")


@dataclass
class Drawer:
    """Secrets by name and key."""

    values: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def get(self, name: str, key: str) -> str | None:
        return self.values.get((name, key))

    def mask(self, data: Any) -> Any:
        """Encoded as some servers give them back."""
        for value in filter(None, self.values.values()):
            data = data.replace(base64.b64encode(value.encode()).decode(), "***")
        return data


@dataclass
class Clock:
    """Every look at it is a second later."""

    time: datetime = NOW

    def now(self) -> datetime:
        self.time += timedelta(seconds=1)
        return self.time


@dataclass
class Scripted:
    """A provider that does what the metric's config says."""

    NAME: str = "scripted"
    HELP: str = "Does as it is told."
    SCHEMA: Schema = field(default_factory=dict)
    seen: list[Mapping[str, Any]] = field(default_factory=list)
    previous: list[Reading | None] = field(default_factory=list)

    async def measure(self, context: MetricContext, config: Mapping[str, Any]) -> Reading:
        self.seen.append(config)
        self.previous.append(context.previous)
        match config:
            case {"refuse": text}:
                raise UserError(text)
            case {"retry": text}:
                raise Retry(NOW, text)
            case {"crash": text}:
                raise ZeroDivisionError(text) from RuntimeError(f"because of {text}")
            case {"fly": metadata}:
                return Reading(phase=MeasurementPhase.RUNNING, resume_at=NOW + timedelta(hours=1), metadata=metadata)
            case {"phase": phase}:
                return Reading(phase=MeasurementPhase(phase), value="own")
        return Reading(config.get("result"), str(config.get("result")))


def context(http: Http | None = None, **secrets: str) -> MetricContext:
    drawer = Drawer({("vault", key): value for key, value in secrets.items()})
    return MetricContext(http or NobodyThere(), drawer, Clock())


def run_of(*metrics: Metric, args: tuple[Argument, ...] = ()) -> Run:
    run = start([AnalysisTemplate("t", metrics, args)], {}, NOW)
    assert run.message == ""
    return run


def scripted(name: str = "one", condition: str = "", **config: Any) -> Metric:
    return Metric(name, "scripted", config, success_condition=condition)


async def next_run(run: Run, provider: MetricProvider | None = None, surroundings: MetricContext | None = None) -> Run:
    providers = {"scripted": provider or Scripted()}
    return await measure_due(run, providers, surroundings or context(), NOW + timedelta(days=1))


async def round_of(
    run: Run, provider: MetricProvider | None = None, surroundings: MetricContext | None = None
) -> Mapping[str, Measurement]:
    """The last measurement of every metric after one round."""
    after = await next_run(run, provider, surroundings)
    return {metric.rules.name: metric.last for metric in after.metrics if metric.last}


@pytest.mark.parametrize(
    ("result", "condition", "phase"),
    [(1, "result == 1", Phase.SUCCESSFUL), (2, "result == 1", Phase.FAILED), (1, "reslt == 1", Phase.ERROR)],
)
async def test_a_reading_is_judged_by_the_metrics_conditions(result: int, condition: str, phase: Phase) -> None:
    found = (await round_of(run_of(scripted(condition=condition, result=result))))["one"]
    assert (found.phase, found.value) == (phase, str(result))
    assert found.started_at < (found.finished_at or NOW)
    assert ("unknown name reslt" in found.message) == (phase is Phase.ERROR)


async def test_a_provider_that_judges_by_itself_is_believed() -> None:
    found = (await round_of(run_of(scripted(condition="false", phase="Inconclusive"))))["one"]
    assert (found.phase, found.value, found.message) == (Phase.INCONCLUSIVE, "own", "")


async def test_all_are_measured_at_the_same_time() -> None:
    """Each waits for the other: one after the other, neither would ever be done."""
    first, second = asyncio.Event(), asyncio.Event()

    class Meeting(Scripted):
        async def measure(self, context: MetricContext, config: Mapping[str, Any]) -> Reading:
            mine, other = (first, second) if config["side"] == "a" else (second, first)
            mine.set()
            await other.wait()
            return Reading()

    run = run_of(scripted("one", side="a"), scripted("two", side="b"))
    async with asyncio.timeout(60):
        found = await round_of(run, Meeting())
    assert [one.phase for one in found.values()] == [Phase.SUCCESSFUL, Phase.SUCCESSFUL]


async def test_one_fault_leaves_the_other_measurements_alone(caplog: pytest.LogCaptureFixture) -> None:
    run = run_of(
        scripted("mend", refuse="the address is wrong"),
        scripted("wait", retry="the limit is used up"),
        scripted("crash", crash="s3cret by zero"),
        Metric("nobody", "astrology", {}),
        scripted("fine", result=1),
        args=(Argument("token", secret=("vault", "token")),),
    )
    with caplog.at_level(logging.ERROR):
        found = await round_of(run, surroundings=context(token="s3cret"))
    assert [one.phase for one in found.values()] == [*[Phase.ERROR] * 4, Phase.SUCCESSFUL]
    assert found["mend"].message == "the address is wrong"
    assert found["wait"].message.startswith("the limit is used up; trying again at")
    assert found["nobody"].message == 'there is no provider "astrology"; there are scripted'
    number = found["crash"].message.removeprefix("internal error ").partition(":")[0]
    (logged,) = caplog.messages
    assert number in logged
    assert "ZeroDivisionError: ***** by zero" in logged
    assert "RuntimeError: because of ***** by zero" in logged
    assert "s3cret" not in logged


async def test_secrets_reach_the_provider_and_stay_out_of_everything_kept() -> None:
    provider = Scripted()
    run = run_of(
        scripted("shown", condition="result == '{{args.token}}' and nonsense", result="{{args.token}}!"),
        scripted("told", refuse="no {{args.token}} here"),
        scripted("kept", fly={"header": "Bearer {{args.token}}"}),
        args=(Argument("token", secret=("vault", "token")), Argument("empty", secret=("vault", "empty"))),
    )
    after = await next_run(run, provider, context(token="s3cret", empty=""))
    shown, told, kept = (metric.last or pytest.fail("not measured") for metric in after.metrics)
    assert provider.seen[0]["result"] == "s3cret!"
    assert shown.value == "*****!"
    assert told.message == "no ***** here"
    assert kept.metadata == {"header": "Bearer *****"}
    assert "s3cret" not in to_json(after)


async def test_a_secret_inside_another_leaves_nothing_of_the_longer_one() -> None:
    secrets = (Argument("short", secret=("vault", "short")), Argument("long", secret=("vault", "long")))
    run = run_of(scripted(refuse="{{args.long}} or {{args.short}}"), args=secrets)
    found = (await round_of(run, surroundings=context(short="abc", long="abcdef")))["one"]
    assert found.message == "***** or *****"


async def test_long_texts_are_judged_whole_and_kept_short() -> None:
    run = run_of(scripted(condition="len(result) == 5000", result="x" * 5000))
    found = (await round_of(run))["one"]
    assert found.phase is Phase.SUCCESSFUL
    assert found.value == "x" * 1999 + "…"


async def test_a_secret_that_is_missing_fails_only_the_metrics_that_use_it() -> None:
    run = run_of(
        scripted("uses", result="{{args.token}}"),
        scripted("other", result=1),
        args=(Argument("token", secret=("vault", "token")),),
    )
    found = await round_of(run)
    assert found["other"].phase is Phase.SUCCESSFUL
    assert found["uses"].phase is Phase.ERROR
    assert found["uses"].message == (
        'failed to resolve {{args.token}}; there is no key "token" of secret "vault" for argument "token"'
    )


async def test_a_measurement_in_flight_is_given_back_to_its_provider_or_stopped() -> None:
    provider = Scripted()
    started = await next_run(run_of(scripted(fly={"job": "7"})), provider)
    resumed = await next_run(started, provider)
    (before,), (after,) = started.metrics[0].measurements, resumed.metrics[0].measurements
    assert (before.phase, before.finished_at) == (Phase.RUNNING, None)
    assert after.started_at == before.started_at
    first, second = provider.previous
    assert first is None
    assert second is not None
    assert (second.phase, second.metadata) == (MeasurementPhase.RUNNING, {"job": "7"})
    stopped = await next_run(terminate(resumed), provider)
    (last,) = stopped.metrics[0].measurements
    assert (last.phase, last.message) == (Phase.INCONCLUSIVE, "Metric Terminated")
    assert (stopped.phase, len(provider.seen)) == (Phase.INCONCLUSIVE, 2)


async def test_nothing_due_is_a_round_too() -> None:
    run = run_of(scripted())
    waiting = await measure_due(run, {"scripted": Scripted()}, context(), NOW - timedelta(days=1))
    assert (waiting.phase, waiting.metrics) == (Phase.RUNNING, run.metrics)
    ended = await measure_due(terminate(waiting), {"scripted": Scripted()}, context(), NOW)
    assert (ended.phase, ended.message) == (Phase.SUCCESSFUL, "Run Terminated")


async def test_a_whole_analysis_runs_over_real_http() -> None:
    """One web metric that first errors, then fails its condition within the limit, then succeeds."""

    answers = [(503, "{}"), (200, '{"message": "Hello World!"}'), (200, '{"message": "Hello Audience!"}')]

    async def answer(request: web.Request) -> web.Response:
        status, body = answers.pop(0)
        return web.Response(status=status, text=body)

    app = web.Application()
    app.router.add_get("/test", answer)
    metric = Metric(
        "greeting",
        "web",
        {"url": "{{args.url}}/test", "jsonPath": "{$.message}"},
        interval="1m",
        count=2,
        failure_limit=1,
        success_condition='result == "Hello Audience!"',
    )
    async with TestServer(app) as server, OutboundHttp(rules=HERE) as http:
        run = start([AnalysisTemplate("t", (metric,), (Argument("url"),))], {"url": str(server.make_url(""))}, NOW)
        now = NOW
        while not run.phase.completed:
            run = await measure_due(run, BY_NAME, context(http), now)
            now += timedelta(minutes=2)
    (state,) = run.metrics
    assert run.phase is Phase.SUCCESSFUL
    assert [(one.phase, one.value) for one in state.measurements] == [
        (Phase.ERROR, ""),
        (Phase.FAILED, '"Hello World!"'),
        (Phase.SUCCESSFUL, '"Hello Audience!"'),
    ]
    assert state.measurements[0].message == "received non 2xx response code: 503"


class Forbidding:
    """Secrets that can't be read."""

    def get(self, name: str, key: str) -> str | None:
        raise UserError(f"the secret {name} can't be read")

    def mask(self, data: Any) -> Any:
        return data


async def test_a_secret_that_cannot_be_read_fails_only_the_metrics_that_use_it() -> None:
    run = run_of(
        scripted("uses", result="{{args.token}}"),
        scripted("other", result=1),
        args=(Argument("token", secret=("vault", "token")),),
    )
    found = await round_of(run, surroundings=replace(context(), secrets=Forbidding()))
    assert found["other"].phase is Phase.SUCCESSFUL
    assert found["uses"].message == (
        'failed to resolve {{args.token}}; for argument "token", the secret vault can\'t be read'
    )


async def test_no_half_of_a_secret_is_left_where_a_text_is_cut() -> None:
    """Masked before that, encoded or not."""
    token = "t0ps3cret-and-longer-than-most"
    encoded = base64.b64encode(token.encode()).decode()
    run = run_of(
        scripted("plain", result="x" * 1980 + "{{args.token}}"),
        scripted("encoded", result="x" * 1980 + encoded),
        args=(Argument("token", secret=("vault", "token")),),
    )
    found = await round_of(run, surroundings=context(token=token))
    assert "t0ps3" not in found["plain"].value
    assert encoded[:5] not in found["encoded"].value
