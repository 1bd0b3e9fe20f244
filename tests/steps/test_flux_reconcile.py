"""flux-reconcile: what a Receiver of type generic-hmac is sent, and what its answers mean."""

import hashlib
import hmac
import json
from typing import Any

import pytest

from bot.contracts.metrics import HttpAnswer
from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.errors import UserError
from bot.steps import flux_reconcile
from tests.steps.conftest import Run

URL = "https://flux.example.com/hook/0123abcd"
TOKEN = "receiver-token"


@pytest.fixture
def asking(run: Run) -> Run:
    run.secrets.values = {("flux", "url"): f"{URL}\n", ("flux", "token"): f"{TOKEN}\n"}
    return run


def answers(run: Run, status: int) -> None:
    run.http.answers.append(HttpAnswer(status, {}, b""))


async def test_the_request_is_signed_as_flux_checks_it(asking: Run) -> None:
    answers(asking, 200)
    assert (await asking("flux-reconcile")).status is StepStatus.SUCCEEDED
    (asked,) = asking.http.asked
    assert (asked["method"], asked["url"]) == ("POST", URL)
    kind, _, signature = dict(asked["headers"])["X-Signature"].partition("=")
    assert (kind, signature) == ("sha256", hmac.new(TOKEN.encode(), asked["body"], hashlib.sha256).hexdigest())
    assert json.loads(asked["body"]) == {
        "repository": "acme/config",
        "stage": "uat",
        "promotion": "uat.01.ffffff",
        "freight": "f" * 40,
    }


async def test_the_address_and_the_secret_can_be_named(asking: Run) -> None:
    asking.secrets.values = {("production", "token"): TOKEN}
    answers(asking, 202)
    result = await asking("flux-reconcile", {"url": URL, "secret": "production"})
    assert (result.status, result.message) == (StepStatus.SUCCEEDED, "Flux at flux.example.com reconciles")


@pytest.mark.parametrize(("status", "said"), [(500, "answered 500"), (503, "suspended or not ready"), (301, "301")])
async def test_what_may_pass_is_a_fault(asking: Run, status: int, said: str) -> None:
    answers(asking, status)
    result = await asking("flux-reconcile")
    assert result.status is StepStatus.ERRORED
    assert said in result.message


@pytest.mark.parametrize(("status", "said"), [(400, "check `token`"), (404, "no Flux Receiver at this address")])
async def test_what_a_person_has_to_mend_is_said(asking: Run, status: int, said: str) -> None:
    answers(asking, status)
    with pytest.raises(UserError, match=said) as error:
        await asking("flux-reconcile")
    assert TOKEN not in str(error.value)
    assert "0123abcd" not in str(error.value)


@pytest.mark.parametrize(
    ("kept", "config", "missing"),
    [
        ({}, {}, "`url` and `token` are"),
        ({("flux", "url"): URL}, {}, "`token` is"),
        ({("flux", "token"): TOKEN}, {}, "`url` is"),
        ({}, {"url": URL}, "`token` is"),
    ],
)
async def test_a_missing_secret_says_where_it_goes(
    asking: Run, kept: dict[tuple[str, str], str], config: dict[str, Any], missing: str
) -> None:
    asking.secrets.values = kept
    with pytest.raises(UserError, match=r"SECRETS_DIR: acme/config/flux/url and acme/config/flux/token") as error:
        await asking("flux-reconcile", config)
    assert missing in str(error.value)


@pytest.mark.parametrize("config", [{"url": ""}, {"token": "x"}, {"waitFor": ["health"]}])
def test_a_configuration_that_makes_no_sense_does_not_fit(config: dict[str, Any]) -> None:
    assert Fit(flux_reconcile.SCHEMA)(config)[1]
