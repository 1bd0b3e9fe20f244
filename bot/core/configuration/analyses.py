"""Verifications: Argo Rollouts' AnalysisTemplates, and a stage's reference to them.

https://argo-rollouts.readthedocs.io/en/stable/features/analysis/
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.core.configuration.formats import ARGUMENTS
from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.places import Path, Place
from bot.core.configuration.problems import names
from bot.core.configuration.vocabulary import ARGO_PROVIDERS
from bot.core.jsonpath import JsonPathError
from bot.core.jsonpath import parse as parse_json_path
from bot.core.jsonpath.nodes import Literal
from bot.core.model import AnalysisTemplate, Argument, MeasurementRetention, Metric

_PLACEHOLDER = re.compile(r"\{\{([^{}]*)\}\}")
_LIMITS = {
    "failureLimit": -1,
    "inconclusiveLimit": 0,
    "consecutiveErrorLimit": 0,
    "consecutiveSuccessLimit": 0,
}
STAGE_ARGUMENT = "stage"


def build_analysis(entry: Entry, loading: Loading) -> AnalysisTemplate | None:
    """The template, or None (and problems) when it is wrong."""
    spec = entry.spec
    if spec is None:
        return None
    metrics = spec.get("metrics", [])
    if not metrics and not spec.get("templates"):
        message = f"`{entry.name}` measures nothing; give it `metrics`"
        loading.problems.error(entry.name_place, "no-metrics", message, key=entry.native)
    seen: set[str] = set()
    built = []
    for index, metric in enumerate(metrics):
        place = entry.place / "metrics" / index
        if metric["name"] in seen:
            message = f"there is a metric `{metric['name']}` already; rename one"
            loading.problems.error(place / "name", "duplicate-name", message)
        seen.add(metric["name"])
        if (ready := _metric(metric, place, loading)) is not None:
            built.append(ready)
    return AnalysisTemplate(
        entry.name,
        tuple(built),
        _declared(entry, loading),
        tuple(each["metricName"] for each in spec.get("dryRun", ())),
        tuple(MeasurementRetention(each["metricName"], each["limit"]) for each in spec.get("measurementRetention", ())),
        tuple(each["templateName"] for each in spec.get("templates", ())),
    )


def arguments(given: Any) -> tuple[Argument, ...]:
    """Arguments from a list or a mapping whose shape is right."""
    if isinstance(given, Mapping):
        return tuple(Argument(name, value) for name, value in given.items())
    return tuple(_argument(each) for each in given or ())


def _argument(given: Mapping[str, Any]) -> Argument:
    secret = given.get("valueFrom", {}).get("secretKeyRef")
    return Argument(given["name"], given.get("value"), (secret["name"], secret["key"]) if secret else None)


def _declared(entry: Entry, loading: Loading) -> tuple[Argument, ...]:
    """The template's arguments. Towpath's own spelling also declares what is used, Argo's must declare it."""
    spec = entry.spec or {}
    given = arguments(spec.get("args"))
    at = entry.place / "args"
    known: dict[str, Argument] = {}
    for index, argument in enumerate(given):
        if argument.name in known:
            message = f"the argument `{argument.name}` is declared twice; remove one"
            loading.problems.error(at / index, "duplicate-name", message)
        known.setdefault(argument.name, argument)
    for path, text in _texts(spec.get("metrics", [])):
        place = (entry.place / "metrics").at(path)
        for placeholder in map(str.strip, _PLACEHOLDER.findall(text) if "{{" in text else ()):
            name = placeholder.removeprefix("args.") if placeholder.startswith("args.") else ""
            if not name:
                if "${{" not in text:
                    message = f"`{{{{{placeholder[:40]}}}}}` means nothing here; write {{{{args.<name>}}}}"
                    loading.problems.error(place, "unknown-argument", message)
            elif name not in known:
                if entry.native:
                    known[name] = Argument(name)
                    continue
                near = loading.problems.closest(name, known)
                message = f"the argument `{name}` is not declared{near or f'; add it to `args` of `{entry.name}`'}"
                loading.problems.error(place, "unknown-argument", message)
    return tuple(known.values())


def _texts(value: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
        return
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, item in entries:
        yield from _texts(item, (*path, step))


def _metric(metric: Mapping[str, Any], place: Place, loading: Loading) -> Metric | None:
    at = place / "provider"
    given = metric["provider"]
    if len(given) != 1:
        amount = f"not {names(given)}" if given else "and none is given"
        message = f"a metric wants exactly one provider, {amount}; known are {names(loading.plugins.providers)}"
        loading.problems.error(at, "one-provider", message, key=True)
        return None
    ((provider, config),) = given.items()
    schema = loading.plugins.providers.get(provider)
    if schema is not None:
        config = loading.fit(f"provider {provider}", lambda: schema, config, at / provider, ARGUMENTS)
        if config is None:
            return None
    elif provider not in ARGO_PROVIDERS:
        near = loading.problems.closest(provider, [*loading.plugins.providers, *ARGO_PROVIDERS])
        message = f"unknown provider `{provider[:60]}`{near or f'; known are {names(loading.plugins.providers)}'}"
        loading.problems.error(at / provider, "unknown-provider", message, key=True)
        return None
    else:
        message = f"this version has no provider `{provider}`; known are {names(loading.plugins.providers)}"
        loading.problems.warn(at / provider, "provider-not-here", message, key=True)
    _check_numbers(metric, place, loading)
    _check_json_path(config, at / provider, loading)
    return Metric(
        metric["name"],
        provider,
        config if isinstance(config, Mapping) else {},
        interval=metric.get("interval", ""),
        initial_delay=metric.get("initialDelay", ""),
        count=metric.get("count"),
        success_condition=metric.get("successCondition", ""),
        failure_condition=metric.get("failureCondition", ""),
        failure_limit=metric.get("failureLimit"),
        inconclusive_limit=metric.get("inconclusiveLimit"),
        consecutive_error_limit=metric.get("consecutiveErrorLimit"),
        consecutive_success_limit=metric.get("consecutiveSuccessLimit"),
    )


def _check_json_path(config: Any, place: Place, loading: Loading) -> None:
    """https://argo-rollouts.readthedocs.io/en/stable/analysis/web/: the path is a template, `{$.…}`."""
    path = config.get("jsonPath") if isinstance(config, Mapping) else None
    if not isinstance(path, str) or not path or "{{" in path:
        return
    try:
        parts = parse_json_path(path).parts
    except JsonPathError as error:
        loading.problems.error(place / "jsonPath", "bad-json-path", f"`{path[:60]}` is not a JSONPath: {error}")
        return
    if all(isinstance(part, Literal) for part in parts):
        message = f"`{path[:60]}` has no braces, so the result is that text itself; write {{{path[:60]}}}"
        loading.problems.warn(place / "jsonPath", "literal-json-path", message)


def _check_numbers(metric: Mapping[str, Any], place: Place, loading: Loading) -> None:
    """The rules of Argo's ValidateMetrics, for the numbers that are known before any argument is."""
    problems = loading.problems
    numbers: dict[str, int] = {}
    for name in ("count", *_LIMITS):
        value = metric.get(name)
        if isinstance(value, str) and "{{" not in value:
            message = f"`{name}` wants a whole number or an argument, not `{value[:40]}`"
            problems.error(place / name, "wrong-type", message)
        elif isinstance(value, int):
            numbers[name] = value
            if value < (lowest := _LIMITS.get(name, 0)):
                problems.error(place / name, "out-of-range", f"`{name}` wants at least {lowest}, not {value}")
    if any(isinstance(metric.get(name), str) for name in ("count", *_LIMITS)):
        return
    count, failures = numbers.get("count", 0), numbers.get("failureLimit", 0)
    successes, inconclusive = numbers.get("consecutiveSuccessLimit", 0), numbers.get("inconclusiveLimit", 0)
    if failures == -1 and not successes:
        message = "`failureLimit: -1` leaves nothing that could end the metric; set consecutiveSuccessLimit"
        problems.error(place / "failureLimit", "out-of-range", message)
    if count <= 0:
        return
    if count > 1 and not metric.get("interval"):
        message = f"`count` is {count}, so `interval` is needed too; add for example interval: 30s"
        problems.error(place / "count", "missing", message)
    if count < max(failures, 0) + successes:
        message = f"`count` ({count}) is less than failureLimit and consecutiveSuccessLimit together; raise it"
        problems.error(place / "count", "out-of-range", message)
    if count < inconclusive:
        message = f"`count` ({count}) is less than inconclusiveLimit ({inconclusive}); raise it"
        problems.error(place / "count", "out-of-range", message)


def is_measurable(template: AnalysisTemplate, loading: Loading) -> bool:
    """Whether this version has every provider the template asks for."""
    return all(metric.provider in loading.plugins.providers for metric in template.metrics)
