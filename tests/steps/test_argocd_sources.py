"""How an Application is read, what argocd-update makes of its sources, and how a selector is written."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.model import Chart, Commit, CommitSha
from bot.errors import UserError
from bot.sandbox.cluster.targets import selected
from bot.steps.argocd.application import Application, application
from bot.steps.argocd.selection import selector_text
from bot.steps.argocd.sources import changed_spec, desired_revisions
from tests.steps.conftest import DIGEST, Run, an_image, freight_of

GIT = "https://github.example.com/acme/config.git"
HELM = "https://charts.example.com"
OCI = "registry.example.com/charts"
IMAGE = "registry.example.com/service"
SHA = CommitSha("c" * 40)


def app(*sources: dict[str, Any]) -> Application:
    spec = {"source": sources[0]} if len(sources) == 1 else {"sources": list(sources)}
    return application({"metadata": {"name": "service", "namespace": "argocd"}, "spec": spec})


def carrying(run: Run, *charts: Chart) -> Run:
    ours = replace(freight_of(an_image(), Commit(GIT, SHA)), charts=charts)
    other = freight_of(an_image(tag="2.0.0"), origin="other")
    run.promoting(freight=ours, collection=(ours, other) if not charts else (ours,))
    return run


def spec_of(run: Run, target: Application, *updates: dict[str, Any]) -> dict[str, Any]:
    revisions = desired_revisions(run.context, target, updates, "argocd-update")
    return changed_spec(run.context.promotion, target, updates, revisions)


@pytest.mark.parametrize(
    ("source", "update", "expected"),
    [
        ({"repoURL": GIT}, {"repoURL": GIT, "desiredRevision": "v1"}, "v1"),
        ({"repoURL": GIT.upper()}, {"repoURL": GIT.removesuffix(".git"), "desiredRevision": "v1"}, "v1"),
        ({"repoURL": GIT}, {"repoURL": GIT}, SHA),
        ({"repoURL": GIT}, {"repoURL": GIT, "fromOrigin": {"name": "other"}}, ""),
        ({"repoURL": GIT}, {"repoURL": GIT, "desiredCommitFromStep": "commit"}, "d" * 40),
        ({"repoURL": GIT}, {"repoURL": GIT, "desiredCommitFromStep": "skipped"}, SHA),
        ({"repoURL": HELM, "chart": "service"}, {"repoURL": HELM, "chart": "service"}, "1.2.3"),
        ({"repoURL": HELM, "chart": "other"}, {"repoURL": HELM, "chart": "other"}, ""),
        ({"repoURL": OCI, "chart": "service"}, {"repoURL": OCI, "chart": "service"}, "4.5.6"),
    ],
)
def test_the_revision_is_what_is_named_or_what_the_freight_has(
    run: Run, source: dict[str, Any], update: dict[str, Any], expected: str
) -> None:
    carrying(run, Chart(HELM, "service", "1.2.3"), Chart(f"oci://{OCI}/service", "", "4.5.6"))
    run.outputs |= {"commit": {"commit": "d" * 40}, "skipped": {}}
    assert desired_revisions(run.context, app(source), [update], "argocd-update") == (expected,)


@pytest.mark.parametrize(
    ("update", "said"),
    [
        (
            {"repoURL": "https://elsewhere.example.com/x"},
            "no source of https://elsewhere.example.com/x; its sources",
        ),
        ({"repoURL": GIT, "chart": "service"}, "and the chart service; its sources: https://github"),
        ({"repoURL": GIT, "desiredRevision": "v1", "desiredCommitFromStep": "commit"}, "leave one out"),
        ({"repoURL": GIT, "desiredCommitFromStep": "render"}, "'render' put out no commit"),
        ({"repoURL": GIT, "desiredCommitFromStep": "nothing"}, "which has not run"),
        ({"repoURL": GIT, "updateTargetRevision": True, "fromOrigin": {"name": "other"}}, "none is known"),
        ({"repoURL": GIT, "kustomize": {"images": [{"repoURL": "unknown"}]}}, "the freight has no image unknown"),
        ({"repoURL": GIT, "kustomize": {"images": [{"repoURL": IMAGE}]}}, "several warehouses"),
        ({"repoURL": GIT, "kustomize": {"images": [{"repoURL": "x", "tag": "1", "digest": "sha256:1"}]}}, "leave one"),
        ({"repoURL": GIT, "helm": {"images": [{"key": "tag", "value": "1.0", "repoURL": IMAGE}]}}, "one of Tag, Image"),
    ],
)
def test_what_can_not_be_done_is_said(run: Run, update: dict[str, Any], said: str) -> None:
    carrying(run)
    run.outputs |= {"commit": {"commit": SHA}, "render": {"commitMessage": "x"}}
    with pytest.raises(UserError) as error:
        spec_of(run, app({"repoURL": GIT}), update)
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("image", "written"),
    [
        ({"repoURL": "a", "tag": "1.20"}, "a:1.20"),
        ({"repoURL": "a", "digest": "sha256:12"}, "a@sha256:12"),
        ({"repoURL": "a", "newName": "b", "tag": "1"}, "a=b:1"),
        ({"repoURL": IMAGE}, f"{IMAGE}:1.0.0"),
        ({"repoURL": IMAGE, "newName": "", "tag": "", "digest": ""}, f"{IMAGE}:1.0.0"),
        ({"repoURL": IMAGE, "useDigest": True}, f"{IMAGE}@{DIGEST}"),
        ({"repoURL": IMAGE, "fromOrigin": {"name": "other"}}, f"{IMAGE}:2.0.0"),
    ],
)
def test_images_of_a_kustomization_are_replaced(run: Run, image: dict[str, Any], written: str) -> None:
    carrying(run)
    origin = {"fromOrigin": {"name": "service"}}
    target = app({"repoURL": GIT, "kustomize": {"images": ["old:1"], "nameSuffix": "-x"}})
    spec = spec_of(run, target, {"repoURL": GIT, **origin, "kustomize": {"images": [image]}})
    assert spec == {"source": {"repoURL": GIT, "kustomize": {"images": [written], "nameSuffix": "-x"}}}


@pytest.mark.parametrize(
    ("image", "written"),
    [
        ({"key": "image.tag", "value": "1.0.0"}, {"value": "1.0.0"}),
        ({"key": "image.tag", "value": "Tag"}, {"value": "Tag"}),
        ({"key": "image.tag", "value": "1.20"}, {"value": "1.20", "forceString": True}),
        ({"key": "image.tag", "value": "123e456"}, {"value": "123e456", "forceString": True}),
        ({"key": "image.tag", "value": "true"}, {"value": "true", "forceString": True}),
        ({"key": "image.tag", "value": "Tag", "repoURL": IMAGE}, {"value": "1.0.0"}),
        ({"key": "image.tag", "value": "Digest", "repoURL": IMAGE}, {"value": DIGEST}),
        ({"key": "image.tag", "value": "ImageAndTag", "repoURL": IMAGE}, {"value": f"{IMAGE}:1.0.0"}),
        ({"key": "image.tag", "value": "ImageAndDigest", "repoURL": IMAGE}, {"value": f"{IMAGE}@{DIGEST}"}),
    ],
)
def test_parameters_of_a_chart_are_set(run: Run, image: dict[str, Any], written: dict[str, Any]) -> None:
    carrying(run)
    target = app({"repoURL": GIT, "helm": {"valueFiles": ["v.yaml"], "parameters": [{"name": "a", "value": "b"}]}})
    update = {"repoURL": GIT, "helm": {"fromOrigin": {"name": "service"}, "images": [image]}}
    parameters = spec_of(run, target, update)["source"]["helm"]["parameters"]
    assert parameters == [{"name": "a", "value": "b"}, {"name": "image.tag", **written}]


def test_a_parameter_that_is_there_keeps_how_it_is_passed(run: Run) -> None:
    before = {"name": "image.tag", "value": "0.9", "forceString": True}
    target = app({"repoURL": GIT, "helm": {"parameters": [before, {"name": "b", "value": "c"}]}})
    spec = spec_of(run, target, {"repoURL": GIT, "helm": {"images": [{"key": "image.tag", "value": "1.0"}]}})
    assert spec["source"]["helm"]["parameters"] == [{**before, "value": "1.0"}, {"name": "b", "value": "c"}]


def test_one_update_is_for_all_sources_of_its_repository_several_for_one_each(run: Run) -> None:
    chart, values = {"repoURL": GIT, "path": "chart"}, {"repoURL": GIT, "ref": "values"}
    target = app(chart, {"repoURL": HELM, "chart": "redis", "targetRevision": "1"}, values)
    update = {
        "repoURL": GIT,
        "desiredRevision": "v1",
        "updateTargetRevision": True,
        "helm": {"images": [{"key": "image.tag", "value": "a"}]},
    }
    assert spec_of(run, target, update)["sources"] == [
        {**chart, "targetRevision": "v1", "helm": {"parameters": [{"name": "image.tag", "value": "a"}]}},
        {"repoURL": HELM, "chart": "redis", "targetRevision": "1"},
        {**values, "targetRevision": "v1"},  # it lends files, and has no parameters
    ]
    other = {**update, "desiredRevision": "v2"}
    targets = [source.get("targetRevision") for source in spec_of(run, target, update, other)["sources"]]
    assert targets == ["v1", "1", "v2"]
    with pytest.raises(UserError, match="no further source"):
        spec_of(run, target, update, other, dict(other))


def test_what_is_as_it_should_be_is_left_alone(run: Run) -> None:
    target = app({"repoURL": GIT, "targetRevision": "v1"})
    assert spec_of(run, target, {"repoURL": GIT, "desiredRevision": "v1", "updateTargetRevision": True}) == {}
    assert spec_of(run, target) == {}


@pytest.mark.parametrize(
    ("selector", "text"),
    [
        ({"matchLabels": {"a": "b", "example.com/team": "shop"}}, "a=b,example.com/team=shop"),
        ({"matchExpressions": [{"key": "a", "operator": "In", "values": ["b", "c"]}]}, "a in (b,c)"),
        ({"matchExpressions": [{"key": "a", "operator": "NotIn", "values": ["b"]}]}, "a notin (b)"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists"}]}, "a"),
        ({"matchExpressions": [{"key": "a", "operator": "DoesNotExist", "values": []}]}, "!a"),
        ({"matchLabels": {"a": "b"}, "matchExpressions": [{"key": "c", "operator": "Exists"}]}, "a=b,c"),
    ],
)
def test_a_selector_is_written_as_kubernetes_does(selector: dict[str, Any], text: str) -> None:
    assert selector_text(selector, "argocd-update") == text


@pytest.mark.parametrize(
    ("selector", "said"),
    [
        ({}, "is empty"),
        ({"matchLabels": {}}, "is empty"),
        ({"matchLabels": {"a": "b,c=d"}}, "can't be the value of a label"),
        ({"matchLabels": {"a in (b)": "c"}}, "is not the name of a label"),
        ({"matchExpressions": [{"key": "a", "operator": "In"}]}, "In of `a` .* wants `values`"),
        ({"matchExpressions": [{"key": "a", "operator": "Exists", "values": ["b"]}]}, "takes no `values`"),
    ],
)
def test_what_is_no_selector_is_refused(selector: dict[str, Any], said: str) -> None:
    with pytest.raises(UserError, match=said):
        selector_text(selector, "argocd-update")


_LABELS = st.sampled_from(["a", "b", "example.com/c"])
_VALUES = st.sampled_from(["", "1", "x-y", "Z"])
_EXPRESSIONS = st.one_of(
    st.builds(
        lambda key, operator, values: {"key": key, "operator": operator, "values": values},
        _LABELS,
        st.sampled_from(["In", "NotIn"]),
        st.lists(_VALUES, min_size=1, max_size=3),
    ),
    st.builds(
        lambda key, operator: {"key": key, "operator": operator}, _LABELS, st.sampled_from(["Exists", "DoesNotExist"])
    ),
)


def _holds(labels: dict[str, str], expression: dict[str, Any]) -> bool:
    """https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors"""
    key, values = expression["key"], expression.get("values", ())
    return {
        "In": key in labels and labels[key] in values,
        "NotIn": key not in labels or labels[key] not in values,
        "Exists": key in labels,
        "DoesNotExist": key not in labels,
    }[expression["operator"]]


@given(
    st.dictionaries(_LABELS, _VALUES),
    st.dictionaries(_LABELS, _VALUES),
    st.lists(_EXPRESSIONS, max_size=3),
)
def test_the_sandbox_understands_a_selector_as_it_was_meant(
    labels: dict[str, str], wanted: dict[str, str], expressions: list[dict[str, Any]]
) -> None:
    if not wanted and not expressions:
        return
    text = selector_text({"matchLabels": wanted, "matchExpressions": expressions}, "argocd-update")
    meant = all(labels.get(key) == value for key, value in wanted.items())
    assert selected(labels, text) == (meant and all(_holds(labels, each) for each in expressions))


_FIELDS = """
metadata spec status name namespace annotations source sources operation operationState syncResult revision revisions
info phase finishedAt reconciledAt conditions health initiatedBy type message
"""
_NAMES = st.sampled_from(_FIELDS.split())
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_NAMES, inner, max_size=6),
    max_leaves=40,
)


@given(st.dictionaries(_NAMES, _JSON))
def test_whatever_argo_cd_answers_is_read_or_refused(data: dict[str, Any]) -> None:
    try:
        read = application({**data, "metadata": {"name": "a"}, "spec": data.get("spec") or {"source": {}}})
    except UserError:
        return
    assert read.name == "a"
