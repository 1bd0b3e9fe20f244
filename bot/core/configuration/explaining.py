"""The pipeline written out in full: every short form, default and task said as what it means.

The text is Towpath's own spelling in its long form, and loads as the same pipeline.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from bot.core.configuration.writing import given, written
from bot.core.durations import format_duration
from bot.core.model import (
    AnalysisTemplate,
    Argument,
    FreightRequest,
    Metric,
    Pipeline,
    PromotionTemplate,
    PromotionWindow,
    Stage,
    StepSpec,
    Variable,
    Verification,
    Warehouse,
)


def explain(pipeline: Pipeline) -> str:
    """The long form as YAML."""
    document = {
        "warehouses": {name: _warehouse(each) for name, each in pipeline.warehouses.items()},
        "stages": {name: _stage(each) for name, each in pipeline.stages.items()},
        "verifications": {name: _analysis(each) for name, each in pipeline.verifications.items()},
        "promotionWindows": _windows(pipeline),
        "webhookReceivers": [
            {"name": each.name, each.kind: {"secretRef": {"name": each.secret}, **each.config}}
            for each in pipeline.receivers
        ],
    }
    return written(given(document))


def _warehouse(warehouse: Warehouse) -> dict[str, Any]:
    return given(
        {
            "interval": format_duration(warehouse.interval),
            "freightCreationPolicy": warehouse.creation_policy.value,
            "freightCreationCriteria": given({"expression": warehouse.creation_criteria}),
            "subscriptions": [
                given({"name": each.name}) | {each.kind: dict(each.config)} for each in warehouse.subscriptions
            ],
        }
    )


def _stage(stage: Stage) -> dict[str, Any]:
    running = {"auto": stage.auto, "merge": stage.merge.value, "mergeMethod": stage.merge_method}
    return {
        **given(
            {
                "labels": dict(stage.labels),
                "vars": _vars(stage.vars),
                "requestedFreight": [_request(each) for each in stage.requests],
                "promotionTemplate": _template(stage.template),
                "verification": _verification(stage.verification),
                "allow": {command: list(who) for command, who in stage.allow.items()},
            }
        ),
        **({} if stage.is_control_flow else running),
    }


def _request(request: FreightRequest) -> dict[str, Any]:
    sources = {
        "direct": request.direct,
        "stages": list(request.stages),
        "requiredSoakTime": _duration(request.required_soak),
        "availabilityStrategy": request.availability.value,
        "autoPromotionOptions": {"selectionPolicy": request.selection.value},
    }
    return {"origin": {"kind": "Warehouse", "name": request.origin}, "sources": given(sources)}


def _template(template: PromotionTemplate | None) -> dict[str, Any] | None:
    if template is None:
        return None
    steps = [_step(each, index) for index, each in enumerate(template.steps, 1)]
    return {"spec": given({"vars": _vars(template.vars)}) | {"steps": steps}}


def _step(step: StepSpec, number: int) -> dict[str, Any]:
    retry = {"timeout": _duration(step.timeout), "errorThreshold": step.error_threshold}
    return given(
        {
            "uses": step.uses,
            "as": step.alias if step.alias != f"step-{number}" else "",
            "if": step.condition,
            "continueOnError": step.continue_on_error,
            "retry": {name: value for name, value in retry.items() if value not in (None, "")},
            "vars": _vars(step.vars),
            "config": dict(step.config),
        }
    )


def _vars(given: Sequence[Variable]) -> list[dict[str, Any]]:
    return [{"name": each.name} | ({} if each.value is None else {"value": each.value}) for each in given]


def _verification(verification: Verification | None) -> dict[str, Any] | None:
    if verification is None:
        return None
    templates = [{"name": name} for name in verification.templates]
    return given({"analysisTemplates": templates, "args": _arguments(verification.args)})


def _arguments(given: Sequence[Argument]) -> list[dict[str, Any]]:
    written = []
    for each in given:
        argument: dict[str, Any] = {"name": each.name}
        if each.value is not None:
            argument["value"] = each.value
        if each.secret is not None:
            argument["valueFrom"] = {"secretKeyRef": {"name": each.secret[0], "key": each.secret[1]}}
        written.append(argument)
    return written


def _analysis(template: AnalysisTemplate) -> dict[str, Any]:
    return given(
        {
            "args": _arguments(template.args),
            "metrics": [_metric(each) for each in template.metrics],
            "dryRun": [{"metricName": name} for name in template.dry_run],
            "measurementRetention": [
                {"metricName": each.metric_name, "limit": each.limit} for each in template.retention
            ],
            "templates": [{"templateName": name} for name in template.templates],
        }
    )


def _metric(metric: Metric) -> dict[str, Any]:
    fields = {
        "interval": metric.interval or None,
        "initialDelay": metric.initial_delay or None,
        "count": metric.count,
        "successCondition": metric.success_condition or None,
        "failureCondition": metric.failure_condition or None,
        "failureLimit": metric.failure_limit,
        "inconclusiveLimit": metric.inconclusive_limit,
        "consecutiveErrorLimit": metric.consecutive_error_limit,
        "consecutiveSuccessLimit": metric.consecutive_success_limit,
        "provider": {metric.provider: dict(metric.config)},
    }
    return {"name": metric.name} | {name: value for name, value in fields.items() if value is not None}


def _windows(pipeline: Pipeline) -> list[dict[str, Any]]:
    """The windows, each for the stages that have it: selectors have been resolved."""
    stages: dict[PromotionWindow, list[str]] = {}
    for stage in pipeline.stages.values():
        for window in stage.windows:
            stages.setdefault(window, []).append(stage.name)
    return [
        {
            "name": window.name,
            "kind": window.kind.value,
            "stageSelector": {"name": f"glob:{{{','.join(names)}}}" if len(names) > 1 else names[0]},
            **given({"rrule": window.rule, "dtstart": window.start, "dtend": window.end}),
        }
        for window, names in stages.items()
    ]


def _duration(duration: timedelta | None) -> str:
    return "" if not duration else format_duration(duration)
