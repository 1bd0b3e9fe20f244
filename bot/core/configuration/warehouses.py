"""Warehouses: what is watched."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

from bot.core.configuration.formats import complain_of_expression, complain_of_range, complain_of_regex
from bot.core.configuration.loading import Entry, Loading
from bot.core.configuration.places import Place
from bot.core.configuration.problems import names
from bot.core.discoveries import criteria_environment
from bot.core.durations import parse_duration
from bot.core.model import FreightCreation, Subscription, Warehouse, WarehouseName
from bot.expressions import ExpressionError
from bot.expressions import compile as compile_expression

_DEFAULT_INTERVAL = "5m"
# https://docs.kargo.io/user-guide/reference-docs/expressions
_OF_COMMITS = ("id", "author", "committer", "subject", "commitDate")
_OF_TAGS = ("id", "author", "committer", "subject", "tag", "tagger", "annotation", "creatorDate")
_PATTERN_PREFIXES = ("regex:", "regexp:")


def build_warehouse(entry: Entry, loading: Loading) -> Warehouse | None:
    """The warehouse, or None (and problems) when it is wrong."""
    spec = entry.spec
    if spec is None:
        return None
    subscriptions = []
    seen: dict[tuple[str, str], tuple[Place, str]] = {}
    for subscription, place in _subscriptions(entry, loading):
        _check_subscription(subscription, place, loading)
        key = (subscription.kind, _identity(subscription))
        first = seen.setdefault(key, (place, subscription.name))
        if first[0] is not place and (not subscription.name or first[1] == subscription.name):
            line, _ = first[0].position(key=True)
            message = f"`{key[1]}` is watched already, at line {line}; join the two, or give each its own `name`"
            loading.problems.error(place, "duplicate-subscription", message, key=True)
        subscriptions.append(subscription)
    if not subscriptions:
        kinds = " or ".join(loading.plugins.subscriptions)
        message = f"warehouse `{entry.name}` watches nothing; give it {kinds}, or `subscriptions`"
        loading.problems.error(entry.name_place, "no-subscription", message, key=True)
        return None
    criteria = spec.get("freightCreationCriteria", "")
    place = entry.place / "freightCreationCriteria"
    if isinstance(criteria, dict):
        place, criteria = place / "expression", criteria["expression"]
    _check_names(criteria, criteria_environment(), place, loading)
    return Warehouse(
        WarehouseName(entry.name),
        tuple(subscriptions),
        interval=parse_duration(spec.get("interval", _DEFAULT_INTERVAL)),
        creation_policy=FreightCreation(spec.get("freightCreationPolicy", FreightCreation.AUTOMATIC)),
        creation_criteria=criteria,
    )


def _subscriptions(entry: Entry, loading: Loading) -> list[tuple[Subscription, Place]]:
    """Every subscription with its place, the short forms written out."""
    spec = entry.spec or {}
    kinds = loading.plugins.subscriptions
    found = []
    for kind in [each for each in kinds if entry.native and each in spec]:
        given, place = spec[kind], entry.place / kind
        several = given if isinstance(given, list) else [given]
        for index, config in enumerate(several):
            at = place / index if isinstance(given, list) else place
            found.append((Subscription(kind, {"repoURL": config} if isinstance(config, str) else config), at))
    for index, item in enumerate(spec.get("subscriptions", ())):
        at = entry.place / "subscriptions" / index
        found += [
            (Subscription(kind, config, item.get("name", "")), at / kind)
            for kind, config in item.items()
            if kind != "name"
        ]
    return found


def _identity(subscription: Subscription) -> str:
    config = subscription.config
    return " ".join(str(config[key]) for key in ("repoURL", "name") if key in config)


def _check_subscription(subscription: Subscription, place: Place, loading: Loading) -> None:
    """What a plug-in's schema can't say: patterns, ranges and expressions."""
    config = subscription.config
    strategy = config.get("imageSelectionStrategy", "SemVer")

    def check(name: str, value: Any, at: Place, complain: Callable[[str], str | None], code: str) -> None:
        if isinstance(value, str) and (complaint := complain(value)) is not None:
            loading.problems.error(at, code, complaint)

    for name in ("allowTagsRegexes", "ignoreTagsRegexes"):
        for index, pattern in _entries(config, name):
            check(name, pattern, place / name / index, complain_of_regex, "bad-regex")
    for name in ("includePaths", "excludePaths"):
        for index, pattern in _entries(config, name):
            for prefix in _PATTERN_PREFIXES:
                if isinstance(pattern, str) and pattern.startswith(prefix):
                    check(name, pattern.removeprefix(prefix), place / name / index, complain_of_regex, "bad-regex")
    if "expressionFilter" in config:
        at = place / "expressionFilter"
        check("expressionFilter", config["expressionFilter"], at, complain_of_expression, "bad-expression")
        by_branch = config.get("commitSelectionStrategy", "NewestFromBranch") == "NewestFromBranch"
        _check_names(config["expressionFilter"], _OF_COMMITS if by_branch else _OF_TAGS, at, loading)
    for name in ("constraint", "semverConstraint"):
        if config.get(name) and (name != "constraint" or strategy == "SemVer"):
            check(name, config[name], place / name, complain_of_range, "bad-range")
    if subscription.kind == "image" and strategy == "Digest" and not config.get("constraint"):
        message = "imageSelectionStrategy Digest follows one tag; name it in `constraint`"
        loading.problems.error(place, "missing", message, key=True)


def _check_names(code: Any, known: Collection[str], place: Place, loading: Loading) -> None:
    """Names that mean nothing where the expression is evaluated: found now, not when there is something to discover."""
    try:
        used = compile_expression(code).names if isinstance(code, str) and code else frozenset()
    except ExpressionError:
        return  # said already, by its format
    for name in sorted(used.difference(known)):
        message = f"`{name}` means nothing here{loading.problems.closest(name, known)}; there is {names(known)}"
        loading.problems.error(place, "unknown-name", message)


def _entries(config: Mapping[str, Any], name: str) -> list[tuple[int, Any]]:
    given = config.get(name)
    return list(enumerate(given)) if isinstance(given, list) else []
