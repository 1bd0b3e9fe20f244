"""Receivers in `.promotion.yaml`: both spellings, and what is wrong with one."""

import pytest

from bot.app import PLUG_INS
from bot.core.config import explain, import_manifests, load
from bot.core.model import Receiver

PLUGINS = PLUG_INS.schemas()
STAGES = """\
warehouses: {service: {image: ghcr.io/acme/service}}
stages: {test: {from: service, render: {helm: {chart: chart}}}}
"""
MANIFEST = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop}
spec:
  webhookReceivers:
  - {name: hub, dockerhub: {secretRef: {name: hub-secret}}}
  - name: jfrog
    artifactory: {secretRef: {name: jfrog-secret}, virtualRepoName: docker}
  - name: any
    generic:
      secretRef: {name: any-secret}
      actions:
      - action: Refresh
        whenExpression: request.header("X-Event") == "built"
        targetSelectionCriteria:
        - kind: Warehouse
          name: ${{ request.body.warehouse }}
          indexSelector:
            matchIndices:
            - {key: subscribedURLs, operator: Equals, value: "${{ normalizeImage(request.body.image) }}"}
"""
NATIVE = """\
receivers:
  hub: {dockerhub: hub-secret}
  jfrog: {artifactory: {secretRef: {name: jfrog-secret}, virtualRepoName: docker}}
"""
HUB = Receiver("hub", "dockerhub", "hub-secret")
JFROG = Receiver("jfrog", "artifactory", "jfrog-secret", {"virtualRepoName": "docker"})


def receivers(text: str) -> tuple[Receiver, ...]:
    loaded = load({".promotion.yaml": text}, PLUGINS)
    assert loaded.problems == ()
    assert loaded.pipeline is not None
    return loaded.pipeline.receivers


def test_kargos_receivers_are_read() -> None:
    hub, jfrog, other = receivers(STAGES + MANIFEST)
    assert (hub, jfrog) == (HUB, JFROG)
    assert (other.name, other.kind, other.secret) == ("any", "generic", "any-secret")
    assert other.config["actions"][0]["action"] == "Refresh"


def test_the_short_form_means_the_same() -> None:
    assert receivers(STAGES + NATIVE) == (HUB, JFROG)


def test_the_long_form_may_stand_in_towpaths_own_spelling() -> None:
    long = "webhookReceivers: [{name: hub, dockerhub: {secretRef: {name: hub-secret}}}]\n"
    assert receivers(STAGES + long) == (HUB,)


@pytest.mark.parametrize("text", [STAGES + NATIVE, STAGES + MANIFEST])
def test_explained_and_imported_they_mean_the_same(text: str) -> None:
    pipeline = load({".promotion.yaml": text}, PLUGINS).pipeline
    assert pipeline is not None
    assert receivers(explain(pipeline)) == pipeline.receivers
    assert receivers(import_manifests({"all.yaml": text}, (), PLUGINS).text) == pipeline.receivers


GENERIC = "receivers: {x: {generic: {secretRef: {name: s}, actions: [{action: Refresh, %s}]}}}"
WRONG = [
    ("receivers: {x: {dockerhub: s, quay: s}}", "error"),
    ("receivers: {x: {}}", "error"),
    ("receivers: {x: {dokerhub: s}}", "did you mean `dockerhub`"),
    ("receivers: {x: {dockerhub: {secretRef: {}}}}", "`name` is missing"),
    ("receivers: {x: {dockerhub: {secretRef: {name: s}, virtualRepoName: y}}}", "virtualRepoName"),
    ("receivers: {X_y: {dockerhub: s}}", "X_y"),
    ("webhookReceivers: [{dockerhub: {secretRef: {name: s}}}]", "`name` is missing"),
    (
        "webhookReceivers: [{name: x, dockerhub: {secretRef: {name: s}}}, {name: x, quay: {secretRef: {name: s}}}]",
        "already",
    ),
    (GENERIC % "whenExpression: 'a ==', targetSelectionCriteria: []", "is not an expression"),
    (GENERIC % "targetSelectionCriteria: [{name: '${{ a == }}'}]", "expression"),
    (
        GENERIC % "targetSelectionCriteria: [{indexSelector: {matchIndices: [{key: other, value: x}]}}]",
        "subscribedURLs",
    ),
    (GENERIC % "targetSelectionCriteria: [{nam: x}]", "did you mean `name`"),
    (GENERIC % "whenExpression: 'true'", "targetSelectionCriteria"),
]


@pytest.mark.parametrize(("text", "said"), WRONG)
def test_what_is_wrong_is_found_before_any_delivery(text: str, said: str) -> None:
    loaded = load({".promotion.yaml": STAGES + text}, PLUGINS)
    assert loaded.pipeline is None
    assert any(said in f"{one.severity} {one.message}" for one in loaded.problems), loaded.problems
    assert all(one.line == STAGES.count("\n") + 1 for one in loaded.problems)


IGNORED = [
    "targetSelectionCriteria: [{kind: Promotion, name: x}]",
    "targetSelectionCriteria: [{labelSelector: {matchLabels: {a: b}}}]",
]


@pytest.mark.parametrize("criteria", IGNORED)
def test_what_kargo_selects_by_and_nothing_here_has_is_warned_of(criteria: str) -> None:
    loaded = load({".promotion.yaml": STAGES + GENERIC % criteria}, PLUGINS)
    assert loaded.pipeline is not None
    assert [one.code for one in loaded.problems] == ["not-acted-on"]
