"""Kargo's manifests, from wherever they are, to one tidy file that means the same."""

import random
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.config import ROOT, Imported, import_manifests, load
from bot.core.model import Severity
from tests.core.configurations import EXAMPLE, PLUGINS
from tests.core.test_config_invariants import PASTED, WORDS, mutated
from tests.core.test_config_manifests import KARGO

PIPELINE = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Project
metadata: {name: shop}
---
apiVersion: v1
kind: Namespace
metadata: {name: shop}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: app, namespace: shop, labels: {team: a}}
spec:
  shard: east
  interval: 5m0s
  freightCreationPolicy: Automatic
  subscriptions: [{image: {repoURL: ghcr.io/acme/app}}]
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: flags}
spec: {subscriptions: [{git: {repoURL: https://github.com/acme/flags.git, branch: main}}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata:
  name: dev
  namespace: shop
  labels: {tier: low}
  annotations: {kargo.akuity.io/color: green}
spec:
  vars: [{name: env, value: dev}]
  requestedFreight:
  - {origin: {kind: Warehouse, name: app}, sources: {direct: true}}
  - {origin: {kind: Warehouse, name: flags}, sources: {direct: true}}
  promotionTemplate: {spec: {steps: [{task: {name: promote}, vars: [{name: path, value: "${{ vars.env }}"}]}]}}
  verification: {analysisTemplates: [{name: smoke}], args: [{name: url, value: https://dev.example.com}]}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata: {name: prod}
spec:
  # both kinds of freight
  requestedFreight:
  - origin: {kind: Warehouse, name: app}
    sources: {stages: [dev], requiredSoakTime: 1h, availabilityStrategy: All}
  - origin: {kind: Warehouse, name: flags}
    sources: {stages: [dev], requiredSoakTime: 1h, availabilityStrategy: All}
  promotionTemplate: {spec: {steps: [{uses: git-clear, config: {path: "1.20"}}]}}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: PromotionTask
metadata: {name: promote}
spec:
  vars: [{name: path}, {name: message, value: hello}]
  steps:
  - {uses: git-clear, as: clear, config: {path: "${{ vars.path }}"}}
  - {uses: git-commit, config: {path: ., message: "${{ vars.message }}\\n\\nfor ${{ ctx.stage }}"}}
---
apiVersion: kargo.akuity.io/v1alpha1
kind: ProjectConfig
metadata: {name: shop}
spec:
  promotionPolicies: [{stageSelector: {name: dev}, autoPromotionEnabled: true}, {stageSelector: {name: prod}}]
  webhookReceivers: [{name: github, github: {secretRef: {name: x}}}]
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke}
spec:
  args: [{name: url}]
  metrics: [{name: up, provider: {web: {url: "{{args.url}}", jsonPath: "{$.ok}"}}, successCondition: result == true}]
"""

TIDY = """\
# Made from shop.yaml by `towpath import`.
#
# Left out:
# - Namespace, which is nothing Towpath reads: shop
# - the label team of Warehouse: app
# - spec.shard of Warehouse: app
# - the annotation kargo.akuity.io/color of Stage: dev
# - comments (1 line)

warehouses:
  app:
    image: ghcr.io/acme/app

  flags:
    git:
      repoURL: https://github.com/acme/flags.git
      branch: main

stages:
  dev:
    from: [app, flags]
    labels:
      tier: low
    vars:
      env: dev
    auto: true
    steps:
    - task:
        name: promote
      vars:
        path: ${{ vars.env }}
    verify:
    - name: smoke
      args:
        url: https://dev.example.com

  prod:
    from: dev
    soak: 1h
    availability: All
    steps:
    - uses: git-clear
      config:
        path: '1.20'

tasks:
  promote:
    vars:
    - name: path
    - name: message
      value: hello
    steps:
    - uses: git-clear
      as: clear
      config:
        path: ${{ vars.path }}
    - uses: git-commit
      config:
        path: .
        message: |-
          ${{ vars.message }}

          for ${{ ctx.stage }}

verifications:
  smoke:
    args:
    - name: url
    metrics:
    - name: up
      provider:
        web:
          url: '{{args.url}}'
          jsonPath: '{$.ok}'
      successCondition: result == true

webhookReceivers:
- name: github
  github:
    secretRef:
      name: x
"""


def importing(text: str, *, mixed: bool = False) -> Imported:
    return import_manifests({"shop.yaml": text}, {"shop.yaml"} if mixed else (), PLUGINS)


def test_manifests_become_one_tidy_file() -> None:
    imported = importing(PIPELINE)

    assert imported.text == TIDY
    assert imported.loaded.problems == ()


def test_the_file_means_what_the_manifests_mean() -> None:
    for text in (PIPELINE, KARGO, PASTED, (Path(__file__).parent / "pasted.yaml").read_text()):
        imported = importing(text)
        here = load({ROOT: text}, PLUGINS)

        assert imported.loaded.pipeline == here.pipeline
        assert here.pipeline is not None, here.problems
        again = load({ROOT: imported.text}, PLUGINS)
        assert again.pipeline == here.pipeline, again.problems


def test_importing_what_was_imported_changes_nothing_but_its_head() -> None:
    again = importing(TIDY).text

    assert again.split("\n\n", 1)[1] == TIDY.split("\n\n", 1)[1]


def test_many_files_are_one_pipeline_whatever_their_order() -> None:
    files = {f"{number}.yaml": each for number, each in enumerate(PIPELINE.split("---\n"))}
    backwards = dict(reversed(files.items()))

    assert import_manifests(files, (), PLUGINS).loaded.pipeline == importing(PIPELINE).loaded.pipeline
    assert import_manifests(backwards, (), PLUGINS).loaded.problems == ()


def test_of_files_that_hold_anything_only_manifests_are_taken() -> None:
    text = "image: {tag: 1}\n---\n" + PIPELINE

    assert importing(text, mixed=True).text == TIDY
    assert [problem.code for problem in importing(text).loaded.problems] == ["unknown-key"]


def test_policies_that_choose_by_pattern_stay_policies() -> None:
    text = PIPELINE.replace("{stageSelector: {name: prod}}", "{stageSelector: {name: 'glob:p*'}}")
    tidy = importing(text).text

    assert "promotionPolicies:\n- stageSelector:\n    name: dev\n  autoPromotionEnabled: true\n" in tidy
    assert "auto: true" not in tidy


def test_requests_the_short_form_can_not_say_stay_as_they_are() -> None:
    text = PIPELINE.replace("sources: {stages: [dev], requiredSoakTime: 1h,", "sources: {stages: [dev],", 1)
    tidy = importing(text).text

    assert "  prod:\n    requestedFreight:\n    - origin:\n        kind: Warehouse\n        name: app\n" in tidy


def test_a_native_file_can_be_imported_with_the_rest() -> None:
    imported = importing(
        EXAMPLE + "---\n" + PIPELINE.replace("name: prod}", "name: production}").replace("smoke", "ok")
    )

    assert imported.loaded.problems == ()
    assert "  production:\n    from: dev\n" in imported.text


def test_with_errors_what_is_right_is_written_all_the_same() -> None:
    text = PIPELINE.replace("soakTime", "soak").replace('{uses: git-clear, config: {path: "1.20"}}', "{uses: oci-push}")
    imported = importing(text)

    assert imported.loaded.pipeline is None
    assert [problem.code for problem in imported.loaded.problems] == ["unknown-step"]
    assert "- uses: oci-push" in imported.text


def test_of_nothing_comes_nothing() -> None:
    imported = importing("apiVersion: v1\nkind: Namespace\nmetadata: {name: x}\n")

    assert imported.text == ""
    assert [problem.severity for problem in imported.loaded.problems] == [Severity.ERROR]


def test_names_can_not_leave_the_comment_they_stand_in() -> None:
    text = PIPELINE + '---\napiVersion: v1\nkind: "A\\nstages: {}\\n"\nmetadata: {name: "x\\u2028y\\nwarehouses: {}"}\n'
    head = importing(text).text.split("\n\n")[0]

    assert all(line.startswith("#") for line in head.splitlines())


def test_a_thousand_mutations_import_to_the_same_pipeline_or_give_problems() -> None:
    chance = random.Random(20260102)  # noqa: S311, not about secrets
    same = 0
    for number in range(1000):
        text = mutated((PIPELINE, KARGO)[number % 2], chance)
        imported = importing(text)  # raises when the two mean different things
        here = load({ROOT: text}, PLUGINS)
        assert imported.loaded.pipeline == here.pipeline, text
        same += here.pipeline is not None
    assert same > 50


@settings(max_examples=200)
@given(
    st.text(max_size=40) | st.sampled_from(WORDS), st.lists(st.text(max_size=12) | st.sampled_from(WORDS), max_size=3)
)
def test_any_text_survives_the_way_through_yaml(value: str, more: list[str]) -> None:
    quoted = repr_yaml(value)
    text = PIPELINE.replace("value: hello", f"value: {quoted}").replace(
        "[{name: env, value: dev}]", f"[{{name: env, value: [{', '.join(map(repr_yaml, more))}]}}]"
    )
    importing(text)


def repr_yaml(text: str) -> str:
    """Any text as YAML's double quotes have it."""
    return '"' + "".join(f"\\U{ord(each):08x}" for each in text) + '"'
