"""What every provider promises."""

import jsonschema_rs
import pytest

from bot.contracts import MetricContext, MetricProvider
from bot.core.model import Metric
from bot.errors import UserError
from bot.metrics import BY_NAME, PROVIDERS
from tests.metrics.conftest import ScriptedHttp


def test_names_are_unique_and_those_of_the_modules() -> None:
    assert list(BY_NAME) == [provider.NAME for provider in PROVIDERS]
    for provider in PROVIDERS:
        assert getattr(provider, "__name__", "") == f"bot.metrics.{provider.NAME}"


@pytest.mark.parametrize("provider", PROVIDERS, ids=lambda provider: provider.NAME)
class TestEveryProvider:
    def test_explains_itself_in_one_line(self, provider: MetricProvider) -> None:
        assert provider.HELP.endswith(".")
        assert "\n" not in provider.HELP
        assert len(provider.HELP) < 120

    def test_has_a_schema_that_knows_all_its_fields(self, provider: MetricProvider) -> None:
        jsonschema_rs.meta.validate(dict(provider.SCHEMA))
        assert provider.SCHEMA["type"] == "object"
        assert provider.SCHEMA["additionalProperties"] is False
        assert set(provider.SCHEMA["required"]) <= set(provider.SCHEMA["properties"])

    async def test_refuses_a_config_without_what_it_needs_before_asking_anybody(
        self, provider: MetricProvider, context: MetricContext, http: ScriptedHttp
    ) -> None:
        with pytest.raises(UserError):
            await provider.measure(context, {})
        assert http.asked == []

    async def test_refuses_values_of_the_wrong_type_by_name(
        self, provider: MetricProvider, context: MetricContext
    ) -> None:
        good = dict.fromkeys(provider.SCHEMA["required"], "http://a.test/")
        for name, schema in provider.SCHEMA["properties"].items():
            if "type" in schema:
                wrong: object = 7 if schema["type"] != "integer" else "seven"
                with pytest.raises(UserError, match=name):
                    await provider.measure(context, {**good, name: wrong})

    async def test_lets_the_word_of_an_unreachable_server_through(
        self, provider: MetricProvider, context: MetricContext, http: ScriptedHttp
    ) -> None:
        good = dict.fromkeys(provider.SCHEMA["required"], "http://a.test/")
        with pytest.raises(UserError, match="can't connect"):
            await provider.measure(context, good)
        assert len(http.asked) == 1

    def test_fits_into_a_metric(self, provider: MetricProvider) -> None:
        assert BY_NAME[Metric("m", provider.NAME, {}).provider] is provider
