"""What Kargo's manifests mean, and several documents and files together."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot.core.model import (
    FreightRequest,
    PromotionWindow,
    Selection,
    Severity,
    StageName,
    Variable,
    Verification,
    WarehouseName,
    WindowKind,
)
from tests.core.configurations import WATCH, loading, pipeline, stage, steps

SERVICE = WarehouseName("service")

KARGO = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: service}
spec:
  interval: 1h30m
  freightCreationPolicy: Manual
  freightCreationCriteria: {expression: imageFrom("ghcr.io/acme/service").Tag != ""}
  subscriptions:
  - name: main
    image: {repoURL: ghcr.io/acme/service, constraint: 1.10}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata:
  name: uat
  labels: {tier: low}
spec:
  vars: [{name: greeting, value: hello}, {name: attempts, value: 3}]
  requestedFreight:
  - origin: {kind: Warehouse, name: service}
    sources: {direct: true}
  promotionTemplate:
    spec:
      vars: [{name: folder, value: 1.20}]
      steps:
      - task: {name: render}
        as: rendering
        vars: [{name: out, value: ./out}]
      - uses: git-push
        if: ${{ success() }}
        continueOnError: true
        retry: {timeout: 5m, errorThreshold: 3}
        config: {path: ., targetBranch: main, maxAttempts: "${{ vars.attempts }}"}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: {name: render}
spec:
  vars: [{name: out}, {name: folder, value: default}, {name: depth, value: "1"}]
  steps:
  - uses: git-clear
    config: {path: "${{ vars.out }}"}
  - uses: git-commit
    as: commit
    vars: [{name: own, value: x}]
    config: {path: ./src, message: "${{ task.outputs['step-1'] }}"}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: project}
spec:
  promotionPolicies:
  - stageSelector: {name: "glob:u*", matchLabels: {tier: low}}
    autoPromotionEnabled: true
  - stageSelector: {name: uat}
"""


def test_a_warehouse_of_kargo() -> None:
    warehouse = pipeline(KARGO).warehouses[SERVICE]

    assert warehouse.interval == timedelta(hours=1, minutes=30)
    assert warehouse.creation_policy.value == "Manual"
    assert warehouse.creation_criteria == 'imageFrom("ghcr.io/acme/service").Tag != ""'
    assert warehouse.subscriptions[0].name == "main"
    assert warehouse.subscriptions[0].config["constraint"] == "1.10"  # the text, not the number 1.1


def test_a_task_is_inflated_with_its_aliases_and_variables() -> None:
    clear, commit, push = steps(KARGO)

    assert (clear.alias, commit.alias, push.alias) == ("rendering::step-1", "rendering::commit", "step-2")
    assert clear.task == commit.task == "rendering"
    # `folder` is set by the template, so that the task's default does not count
    assert clear.vars == (Variable("depth", "1"), Variable("out", "./out"))
    assert commit.vars == (*clear.vars, Variable("own", "x"))
    assert push.task == ""


def test_a_step_of_kargo_keeps_everything_said_of_it() -> None:
    push = steps(KARGO)[-1]

    assert push.condition == "${{ success() }}"
    assert push.continue_on_error
    assert (push.timeout, push.error_threshold) == (timedelta(minutes=5), 3)
    assert push.config["maxAttempts"] == "${{ vars.attempts }}"  # judged once it is evaluated
    assert stage(KARGO).target_branch == "main"


def test_variables_keep_what_was_written() -> None:
    template = stage(KARGO).template

    assert stage(KARGO).vars == (Variable("greeting", "hello"), Variable("attempts", 3))
    assert template is not None
    assert template.vars == (Variable("folder", "1.20"),)


def test_the_first_policy_that_matches_decides_on_auto_promotion() -> None:
    assert stage(KARGO).auto
    assert not stage(KARGO.replace("tier: low}\nspec", "tier: high}\nspec")).auto


@pytest.mark.parametrize(
    ("selector", "selected"),
    [
        ("name: uat-a", ["uat-a"]),
        ('name: "glob:uat-*"', ["uat-a", "uat-b"]),
        ('name: "glob:{uat-a,prod}"', ["uat-a", "prod"]),
        ('name: "regex:^(uat|prod)"', ["uat-a", "uat-b", "prod"]),
        ('name: "regexp:b$"', ["uat-b"]),
        ("matchLabels: {tier: low}", ["uat-a", "uat-b"]),
        ('name: "glob:*b", matchLabels: {tier: low}', ["uat-b"]),
        ("matchExpressions: [{key: tier, operator: In, values: [low, high]}]", ["uat-a", "uat-b", "prod"]),
        ("matchExpressions: [{key: tier, operator: NotIn, values: [low]}]", ["dev", "prod"]),
        ("matchExpressions: [{key: tier, operator: Exists}]", ["uat-a", "uat-b", "prod"]),
        ("matchExpressions: [{key: tier, operator: DoesNotExist}]", ["dev"]),
    ],
)
def test_policies_select_stages_by_name_and_labels(selector: str, selected: list[str]) -> None:
    run = "render: {helm: {chart: c}}"
    text = (
        WATCH
        + f"""\
stages:
  dev: {{from: service, {run}}}
  uat-a: {{from: dev, labels: {{tier: low}}, {run}}}
  uat-b: {{from: dev, labels: {{tier: low}}, {run}}}
  prod: {{from: [uat-a, uat-b], labels: {{tier: high}}, {run}}}
promotionPolicies:
- {{stageSelector: {{{selector}}}, autoPromotionEnabled: true}}
"""
    )
    assert [name for name, each in pipeline(text).stages.items() if each.auto] == selected


def test_promotion_windows_are_those_whose_selector_matches() -> None:
    text = (
        WATCH
        + """\
stages: {uat: {from: service}, prod: {from: uat}}
promotionWindows:
- name: nights
  kind: Deny
  stageSelector: {name: prod}
  rrule: FREQ=DAILY
  dtstart: "TZID=Europe/Berlin:20260101T200000"
  dtend: "TZID=Europe/Berlin:20260102T060000"
"""
    )
    times = ("TZID=Europe/Berlin:20260101T200000", "TZID=Europe/Berlin:20260102T060000")
    nights = PromotionWindow("nights", WindowKind.DENY, "FREQ=DAILY", *times)

    assert stage(text, "prod").windows == (nights,)
    assert stage(text, "uat").windows == ()


def test_requests_of_kargo_keep_their_sources() -> None:
    text = (
        WATCH
        + """\
stages:
  test: {from: service}
  uat:
    requestedFreight:
    - origin: {name: service}
      sources:
        stages: [test]
        requiredSoakTime: 45m
        availabilityStrategy: ""
        autoPromotionOptions: {selectionPolicy: MatchUpstream}
"""
    )
    assert stage(text).requests == (
        FreightRequest(
            SERVICE,
            stages=(StageName("test"),),
            required_soak=timedelta(minutes=45),
            selection=Selection.MATCH_UPSTREAM,
        ),
    )


def test_documents_of_both_spellings_make_one_pipeline() -> None:
    text = KARGO + "---\nstages: {prod: {from: uat}}\n"

    assert list(pipeline(text).stages) == ["uat", "prod"]


def test_a_list_of_manifests_as_kubectl_prints_it() -> None:
    text = """\
apiVersion: v1
kind: List
items:
- apiVersion: kargo.akuity.io/v1alpha1
  kind: Warehouse
  metadata: {name: service, uid: x}
  spec: {subscriptions: [{image: {repoURL: ghcr.io/acme/service}}]}
  status: {lastFreightID: x}
- apiVersion: kargo.akuity.io/v1alpha1
  kind: Stage
  metadata: {name: uat}
  spec: {requestedFreight: [{origin: {kind: Warehouse, name: service}, sources: {direct: true}}]}
"""
    assert list(pipeline(text).stages) == ["uat"]


def test_included_files_belong_to_the_pipeline_and_others_do_not() -> None:
    loaded = loading(
        'include: [".promotion/team-*.yaml"]\n' + WATCH,
        **{"team-a": "stages: {a: {from: service}}", "team-b": "stages: {b: {from: a}}", "draft": "nonsense: ["},
    )

    assert loaded.problems == ()
    assert loaded.pipeline is not None
    assert list(loaded.pipeline.stages) == ["a", "b"]


def test_a_problem_in_an_included_file_is_told_there() -> None:
    loaded = loading("include: .promotion/*.yaml\n" + WATCH, team="stages:\n  a: {frm: service}\n")

    assert {problem.file for problem in loaded.problems} == {".promotion/team.yaml"}


def test_a_tag_pasted_into_an_image_is_left_out_and_a_port_is_kept() -> None:
    text = "warehouses: {service: {image: 'localhost:5000/acme/service:1.0.0'}}\nstages: {uat: {from: service}}"
    loaded = loading(text)

    assert loaded.pipeline is not None
    assert loaded.pipeline.warehouses[SERVICE].subscriptions[0].config == {"repoURL": "localhost:5000/acme/service"}
    assert [problem.code for problem in loaded.problems] == ["tag-in-repo-url"]


def test_old_spellings_are_read_as_the_new_ones_with_a_warning_each() -> None:
    text = """\
warehouses:
  service:
    image: {repoURL: ghcr.io/acme/service, semverConstraint: ^1.0.0, allowTags: ^v, ignoreTags: [v1.0]}
stages: {uat: {from: service}}
"""
    loaded = loading(text)

    assert loaded.pipeline is not None
    assert loaded.pipeline.warehouses[SERVICE].subscriptions[0].config == {
        "repoURL": "ghcr.io/acme/service",
        "constraint": "^1.0.0",
        "allowTagsRegexes": ["^v"],
        "ignoreTagsRegexes": ["^v1\\.0$"],
    }
    assert [(problem.code, problem.severity.value) for problem in loaded.problems] == [("deprecated", "warning")] * 3


def test_the_branch_promotions_land_on_is_known_without_the_step_that_says_it() -> None:
    text = (
        WATCH
        + """\
tasks:
  t:
    vars: [{name: branch, value: "env/${{ vars.name }}"}, {name: name, value: "${{ ctx.stage }}"}]
    steps: [{uses: git-open-pr, config: {targetBranch: "${{ vars.branch }}"}}]
stages: {uat: {from: service, steps: [{task: {name: t}}]}}
"""
    )
    assert stage(text).target_branch == "env/${{ ctx.stage }}"


CHECKOUTS = """\
kind: Stage
metadata: {name: uat}
spec:
  requestedFreight: [{origin: {kind: Warehouse, name: w}, sources: {direct: true}}]
  promotionTemplate:
    spec:
      steps:
        - uses: git-clone
          config: {repoURL: https://github.com/acme/config, checkout: CHECKOUT}
        - {uses: git-push, config: PUSH}
"""


@pytest.mark.parametrize(
    ("checkout", "push", "more", "branch"),
    [
        ("[{path: ./out, branch: env/uat}]", "{path: ./out}", "", "env/uat"),
        ("[{path: ./out, branch: env/uat}]", "{path: ./out/sub/}", "", "env/uat"),
        ("[{path: src, branch: main}, {path: ./out, branch: env/uat}]", "{path: out}", "", "env/uat"),
        ("[{path: src, branch: main}, {path: ./out, branch: env/uat}]", "{path: elsewhere}", "", "main"),
        ("[{path: src, branch: main}, {path: src/out, branch: env/uat}]", "{path: src/out/a}", "", "env/uat"),
        ("[{path: src}]", "{path: src}", "", ""),
        ("[{path: src, tag: v1}]", "{path: src}", "", ""),
        ("[{path: src, branch: env/uat}]", "{path: src, targetBranch: main}", "", "main"),
        ("[{path: src, branch: env/uat}]", "{path: src, generateTargetBranch: true}", "", ""),
        ("[{path: src, branch: env/uat}]", "{path: src, generateTargetBranch: true}", "git-open-pr", "env/uat"),
    ],
)
def test_a_push_without_a_target_goes_to_the_branch_that_was_checked_out(
    checkout: str, push: str, more: str, branch: str
) -> None:
    text = CHECKOUTS.replace("CHECKOUT", checkout).replace("PUSH", push)
    if more:
        text += f"        - {{uses: {more}, config: {{}}}}\n"
    warehouse = "kind: Warehouse\nmetadata: {name: w}\nspec: {subscriptions: [{image: {repoURL: a/b}}]}\n"
    assert stage(f"{warehouse}---\n{text}").target_branch == branch


def test_manifests_pasted_from_an_article_work_as_they_are() -> None:
    """No-break spaces, old spellings, a tag in an image and a provider nobody uses here are warnings, each once."""
    text = (Path(__file__).parent / "pasted.yaml").read_text()
    loaded = loading(text)

    assert loaded.pipeline is not None
    uat = loaded.pipeline.stages[StageName("uat-tags")]
    assert uat.requests == (FreightRequest(WarehouseName("kargo-poc-tags"), stages=(StageName("teststable-tags"),)),)
    assert uat.template is not None
    assert [step.alias for step in uat.template.steps] == [
        "step-1",
        "step-2",
        "update-image",
        "step-4",
        "commit",
        "push",
        "open-pr",
        "wait-pr",
        "step-9",
    ]
    assert uat.target_branch == "develop"
    assert uat.verification == Verification(("kargo-poc-uat-analysis",))
    assert [(problem.line, problem.code, problem.severity) for problem in loaded.problems] == [
        (4, "odd-space", Severity.WARNING),
        (4, "unused", Severity.WARNING),
        (10, "tag-in-repo-url", Severity.WARNING),
        (48, "deprecated", Severity.WARNING),
        (67, "deprecated", Severity.WARNING),
        (78, "deprecated", Severity.WARNING),
        (84, "deprecated", Severity.WARNING),
        (93, "deprecated", Severity.WARNING),
        (111, "provider-not-here", Severity.WARNING),
    ]
