"""The verification providers: one module each, held to `MetricProvider`, listed once here."""

from collections.abc import Mapping

from bot.contracts import MetricProvider
from bot.metrics import prometheus, web

PROVIDERS: tuple[MetricProvider, ...] = (prometheus, web)
BY_NAME: Mapping[str, MetricProvider] = {provider.NAME: provider for provider in PROVIDERS}
