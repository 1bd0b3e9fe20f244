"""Receivers: doors for senders other than the App's own webhooks.

https://docs.kargo.io/user-guide/how-to-guides/working-with-projects#webhook-receivers
"""

from collections.abc import Mapping
from typing import Any

from bot.core.configuration import shapes
from bot.core.configuration.loading import Loading, Rule
from bot.core.configuration.misfits import Schema
from bot.core.configuration.places import Place
from bot.core.model import Receiver


def take_receivers(spec: Mapping[str, Any], place: Place, loading: Loading) -> None:
    """Both spellings into `loading.gathered`, the short form (`receivers: {hub: {dockerhub: secret}}`) written out."""
    senders = loading.plugins.senders
    if not senders:
        return
    for index, given in enumerate(spec.get("webhookReceivers", ())):
        at = place / "webhookReceivers" / index
        fitted = loading.fit("receiver", lambda: shapes.receiver(senders), given, at)
        if fitted is not None:
            _take(fitted, at / "name", at, loading)
    for name, given in (spec.get("receivers") or {}).items():
        at = place / "receivers" / name
        fitted = loading.fit("native receiver", lambda: short(senders), {} if given is None else given, at)
        if fitted is not None:
            ((kind, config),) = fitted.items()
            written = {"secretRef": {"name": config}} if isinstance(config, str) else config
            whole = loading.fit("receiver", lambda: shapes.receiver(senders), {"name": name, kind: written}, at)
            if whole is not None:
                _take(whole, at, at, loading)


def short(senders: Mapping[str, Schema]) -> Schema:
    """One entry of `receivers`: exactly one sender, with its secret or all it takes."""
    kinds = {name: shapes.either(shapes.TEXT, schema) for name, schema in senders.items()}
    return {**shapes.record(**kinds), "oneOf": [{"required": [name]} for name in senders]}


def build_receivers(loading: Loading) -> tuple[Receiver, ...]:
    found = []
    for rule in loading.gathered.receivers:
        ((kind, config),) = [item for item in rule.spec.items() if item[0] != "name"]
        rest = {key: each for key, each in config.items() if key != "secretRef"}
        _warn(rest, rule.place / kind, loading)
        found.append(Receiver(rule.spec["name"], kind, config["secretRef"]["name"], rest))
    return tuple(found)


def _take(spec: Mapping[str, Any], name_place: Place, place: Place, loading: Loading) -> None:
    known = {rule.spec["name"]: rule.place for rule in loading.gathered.receivers}
    if (first := known.get(spec["name"])) is not None:
        line, _ = first.position()
        message = f"there is a receiver `{spec['name']}` already, at line {line}; rename one or remove it"
        loading.problems.error(name_place, "duplicate-name", message)
        return
    loading.gathered.receivers.append(Rule(spec, place))


def _warn(config: Mapping[str, Any], place: Place, loading: Loading) -> None:
    """What Kargo's generic receiver selects by, and nothing here has."""
    for number, action in enumerate(config.get("actions", ())):
        for index, criteria in enumerate(action.get("targetSelectionCriteria", ())):
            at = place / "actions" / number / "targetSelectionCriteria" / index
            if criteria.get("kind", "Warehouse") != "Warehouse":
                message = "promotions are woken by GitHub's own webhooks; this selects nothing"
                loading.problems.warn(at / "kind", "not-acted-on", message)
            if criteria.get("labelSelector"):
                message = "warehouses have no labels here, so this selects nothing; select by `name` or `indexSelector`"
                loading.problems.warn(at / "labelSelector", "not-acted-on", message, key=True)
