"""What single values mean: YAML's scalars, arguments of verifications."""

import pytest

from bot.core.model import (
    Argument,
    Variable,
    WarehouseName,
)
from tests.core.configurations import WATCH, pipeline, stage

SERVICE = WarehouseName("service")


def given(text: str, name: str) -> tuple[Argument, ...]:
    verification = stage(text, name).verification
    assert verification is not None
    return verification.args


def test_verifications_take_arguments_as_a_mapping_or_a_list() -> None:
    text = (
        WATCH
        + """\
stages:
  test: {from: service, render: {helm: {chart: c}}, verify: [{name: load, args: {rate: 10, url: "${{ ctx.stage }}"}}]}
  uat:
    from: test
    render: {helm: {chart: c}}
    verification: {analysisTemplates: [{name: load}], args: [{name: url, value: b}, {name: rate, value: 1.50}]}
verifications:
  load:
    args: [{name: url}, {name: rate, value: "5"}, {name: token, valueFrom: {secretKeyRef: {name: s, key: k}}}]
    dryRun: [{metricName: errors}]
    measurementRetention: [{metricName: .*, limit: 20}]
    metrics:
    - name: errors
      interval: 30s
      count: 5
      failureLimit: "{{args.rate}}"
      provider: {web: {url: "{{args.url}}", timeoutSeconds: "{{args.rate}}"}}
"""
    )
    template = pipeline(text).verifications["load"]

    assert given(text, "test") == (Argument("rate", "10"), Argument("url", "${{ ctx.stage }}"))
    assert given(text, "uat") == (Argument("url", "b"), Argument("rate", "1.50"))
    assert template.args == (Argument("url"), Argument("rate", "5"), Argument("token", secret=("s", "k")))
    assert (template.metrics[0].count, template.metrics[0].failure_limit) == (5, "{{args.rate}}")
    assert template.dry_run == ("errors",)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1.10", "1.10"),
        ("1.5", 1.5),
        ("10", 10),
        ("010", "010"),
        ("0x1F", "0x1F"),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("123e456", "123e456"),
        ("1e5", "1e5"),
        ("-3", -3),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("2026-01-01", "2026-01-01"),
        ("9" * 40, "9" * 40),
        ("null", None),
        ("~", None),
        ("!!str 10", "10"),
        ("'10'", "10"),
        (".inf", ".inf"),
        ("1.0", 1.0),
        ("-0", "-0"),
        ("0.30000000000000004", 0.30000000000000004),
    ],
)
def test_a_value_is_what_it_looks_like(written: str, meant: object) -> None:
    text = WATCH + f"stages: {{uat: {{from: service, vars: {{x: {written}}}}}}}"

    assert stage(text).vars == (Variable("x", meant),)


def test_keys_are_always_text() -> None:
    text = WATCH + "stages: {uat: {from: service, labels: {on: yes, 1: 2, null: x}}}"

    assert stage(text).labels == {"on": "yes", "1": "2", "null": "x"}


def test_aliases_and_merge_keys_are_written_out_and_own_keys_come_first() -> None:
    text = (
        WATCH
        + """\
stages:
  test: &test {from: service, auto: true, render: &render {helm: {chart: chart}}}
  uat: {<<: *test, from: test, auto: false, render: *render}
"""
    )
    uat = stage(text)

    assert uat.requests[0].stages == ("test",)
    assert not uat.auto
    assert uat.template is not None
