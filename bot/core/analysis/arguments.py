"""Arguments: several templates made one, the caller's values merged in, `{{args.name}}` replaced.

Rules: Argo Rollouts' utils/analysis/helpers.go and utils/template/template.go.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from bot.core.analysis.state import AnalysisError
from bot.core.model import AnalysisTemplate, Argument, Metric

_T = TypeVar("_T")


def expand(names: Iterable[str], templates: Mapping[str, AnalysisTemplate]) -> tuple[AnalysisTemplate, ...]:
    """The named templates and those they refer to (`templates[]`), each once, referrer first. Raises AnalysisError."""
    found: dict[str, AnalysisTemplate] = {}
    waiting = list(names)
    while waiting:
        name = waiting.pop(0)
        if name in found:
            continue
        if name not in templates:
            raise AnalysisError(f'there is no analysis template "{name}"')
        found[name] = templates[name]
        waiting[:0] = templates[name].templates
    return tuple(found.values())


def flatten(templates: Sequence[AnalysisTemplate]) -> AnalysisTemplate:
    """Several templates as one. Raises AnalysisError where they contradict each other."""
    metrics = tuple(metric for template in templates for metric in template.metrics)
    dry_run = tuple(rule for template in templates for rule in template.dry_run)
    retention = tuple(rule for template in templates for rule in template.retention)
    _no_repeats(metrics, lambda metric: metric.name, "two metrics have the same name")
    _no_repeats(dry_run, lambda rule: rule, "two Dry-Run metric rules have the same name")
    _no_repeats(retention, lambda rule: rule.metric_name, "two Measurement Retention metric rules have the same name")
    args: dict[str, Argument] = {}
    for arg in (arg for template in templates for arg in template.args):
        earlier = args.get(arg.name)
        if earlier is None or earlier.value is None:
            args[arg.name] = arg
        elif arg.value is not None and arg.value != earlier.value:
            raise AnalysisError(
                f"Argument `{arg.name}` specified multiple times with different values: "
                f"'{earlier.value}', '{arg.value}'"
            )
    return AnalysisTemplate(
        name="+".join(template.name for template in templates),
        metrics=metrics,
        args=tuple(args.values()),
        dry_run=dry_run,
        retention=retention,
    )


def merge(args: Iterable[Argument], given: Mapping[str, str]) -> tuple[Argument, ...]:
    """The templates' arguments with the caller's values. Values for unknown names are dropped.

    Raises AnalysisError for an argument that neither a value nor a secret is known for.
    """
    merged = tuple(replace(arg, value=given[arg.name], secret=None) if arg.name in given else arg for arg in args)
    for arg in merged:
        if arg.value is None and arg.secret is None:
            raise AnalysisError(f"args.{arg.name} was not resolved")
    return merged


def resolve_metric(metric: Metric, values: Mapping[str, str]) -> Metric:
    """The metric with every `{{args.name}}` replaced, wherever text stands. Raises AnalysisError for anything else.

    What is put in is not looked at again: a value can't smuggle in the name of another argument.
    """
    known = {f"args.{name}": value for name, value in values.items()}
    return Metric(
        name=_resolve(metric.name, known),
        provider=metric.provider,
        config=_resolve(metric.config, known),
        interval=_resolve(metric.interval, known),
        initial_delay=_resolve(metric.initial_delay, known),
        count=_resolve(metric.count, known),
        success_condition=_resolve(metric.success_condition, known),
        failure_condition=_resolve(metric.failure_condition, known),
        failure_limit=_resolve(metric.failure_limit, known),
        inconclusive_limit=_resolve(metric.inconclusive_limit, known),
        consecutive_error_limit=_resolve(metric.consecutive_error_limit, known),
        consecutive_success_limit=_resolve(metric.consecutive_success_limit, known),
    )


def _resolve(value: Any, known: Mapping[str, str]) -> Any:
    if isinstance(value, str):
        return _replace_tags(value, known)
    if isinstance(value, Mapping):
        return {_resolve(key, known): _resolve(item, known) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_resolve(item, known) for item in value]
    return value


def _replace_tags(text: str, known: Mapping[str, str]) -> str:
    head, *rest = text.split("{{")
    pieces = [head]
    for part in rest:
        tag, closed, after = part.partition("}}")
        if not closed:
            raise AnalysisError(f'"{text}" has {{{{ without }}}}')
        if tag.strip() not in known:
            raise AnalysisError(f"failed to resolve {{{{{tag}}}}}")
        pieces += [known[tag.strip()], after]
    return "".join(pieces)


def _no_repeats(items: Iterable[_T], key: Callable[[_T], Hashable], message: str) -> None:
    seen = set()
    for item in items:
        if key(item) in seen:
            raise AnalysisError(f"{message} '{key(item)}'")
        seen.add(key(item))
