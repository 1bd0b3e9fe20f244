"""What every part of reading a configuration shares: the plug-ins' schemas, the problems, and what was gathered."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.core.configuration.fitting import Fit
from bot.core.configuration.formats import Placeholders
from bot.core.configuration.misfits import Schema
from bot.core.configuration.places import Place
from bot.core.configuration.problems import Problems


@dataclass(frozen=True, slots=True)
class PlugIns:
    """The plug-ins there are: name to the JSON Schema of its configuration."""

    steps: Mapping[str, Schema]
    subscriptions: Mapping[str, Schema]
    providers: Mapping[str, Schema]
    senders: Mapping[str, Schema] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Entry:
    """One named thing as written, in either spelling, its shape checked.

    `spec` is None when the shape is wrong: the name is still known, so that references to it are no further problems.
    `place` is that of the spec, `name_place` that of the name.
    """

    name: str
    spec: Mapping[str, Any] | None
    place: Place
    name_place: Place
    native: bool
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """One promotion policy, window or receiver, in the order written."""

    spec: Mapping[str, Any]
    place: Place


@dataclass(slots=True)
class Gathered:
    """Everything the documents name."""

    warehouses: dict[str, Entry] = field(default_factory=dict)
    stages: dict[str, Entry] = field(default_factory=dict)
    tasks: dict[str, Entry] = field(default_factory=dict)
    verifications: dict[str, Entry] = field(default_factory=dict)
    policies: list[Rule] = field(default_factory=list)
    windows: list[Rule] = field(default_factory=list)
    receivers: list[Rule] = field(default_factory=list)


@dataclass(slots=True)
class Loading:
    """One load under way."""

    plugins: PlugIns
    problems: Problems = field(default_factory=Problems)
    gathered: Gathered = field(default_factory=Gathered)
    _fits: dict[str, Fit] = field(default_factory=dict)

    def fit(
        self,
        name: str,
        schema: Callable[[], Schema],
        value: Any,
        place: Place,
        placeholders: Placeholders | None = None,
    ) -> Any | None:
        """The value as its schema (made once per name) wants it; None, and problems, when it does not fit."""
        ready = self._fits.get(name)
        if ready is None:
            ready = self._fits[name] = Fit(schema())
        fitted, misfits = ready(value, placeholders, self.problems.closest)
        for misfit in misfits:
            self.problems.error(place.at(misfit.path), misfit.code, misfit.message, key=misfit.at_key)
        return None if misfits else fitted
