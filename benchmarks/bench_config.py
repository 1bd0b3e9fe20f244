"""How long loading and validating a configuration takes, against PyYAML's C loader only parsing the same text."""

import time
from collections.abc import Iterator

import yaml

from benchmarks.figures import Figure, Say, best
from bot import metrics, steps, subscriptions
from bot.core.config import PlugIns, load

NAME = "config"
STAGES = 500
ABOUT = (
    f"Loading and validating a .promotion.yaml of {STAGES} stages in Kargo's manifests, eight steps with expressions "
    "in each, against PyYAML's C loader only parsing the same text."
)
_AGAINST = "parsing only"

HEAD = """\
apiVersion: kargo.akuity.io/v1alpha1
kind: Warehouse
metadata: {name: service}
spec: {subscriptions: [{image: {repoURL: ghcr.io/acme/service, constraint: ^1.0.0}}]}
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke}
spec:
  metrics:
  - name: greeting
    successCondition: result == "Hello"
    provider: {web: {url: "https://service.example.com", jsonPath: "{$.message}"}}
"""
STAGE = """\
---
apiVersion: kargo.akuity.io/v1alpha1
kind: Stage
metadata:
  name: stage-{number}
spec:
  requestedFreight:
  - origin:
      kind: Warehouse
      name: service
    sources:
      {sources}
  verification:
    analysisTemplates:
    - name: smoke
  promotionTemplate:
    spec:
      steps:
      - uses: git-clone
        config:
          repoURL: https://github.com/acme/gitops
          checkout:
          - branch: main
            path: ./src
      - uses: git-clear
        config:
          path: ./src/out/stage-{number}
      - uses: yaml-update
        as: update-image
        config:
          path: ./src/chart/values-{number}.yaml
          updates:
          - key: image.tag
            value: ${{{{ imageFrom("ghcr.io/acme/service").Tag }}}}
      - uses: helm-template
        config:
          releaseName: service
          path: ./src/chart
          valuesFiles:
          - ./src/chart/values-{number}.yaml
          outPath: ./src/out/stage-{number}/manifests.yaml
      - uses: git-commit
        config:
          path: ./src/out/stage-{number}
          message: ${{{{ outputs["update-image"].commitMessage }}}} for stage {number} (${{{{ ctx.stage }}}})
      - uses: git-push
        as: push
        config:
          path: ./src/out/stage-{number}
          generateTargetBranch: true
      - uses: git-open-pr
        as: open-pr
        config:
          sourceBranch: ${{{{ outputs.push.branch }}}}
          targetBranch: main
      - uses: git-wait-for-pr
        config:
          prNumber: ${{{{ outputs['open-pr'].pr.id }}}}
"""


def text(stages: int) -> str:
    parts = [HEAD]
    for number in range(stages):
        sources = f"stages: [stage-{(number - 1) // 2}]" if number else "direct: true"
        parts.append(STAGE.format(number=number, sources=sources))
    return "".join(parts)


def run(say: Say) -> Iterator[Figure]:
    plugins = PlugIns(
        {name: each.SCHEMA for name, each in steps.BY_NAME.items()},
        {name: each.SCHEMA for name, each in subscriptions.BY_NAME.items()},
        {name: each.SCHEMA for name, each in metrics.BY_NAME.items()},
    )
    content = text(STAGES)
    say(f"{len(content):,} bytes")
    began = time.perf_counter()
    loaded = load({".promotion.yaml": content}, plugins)
    first = time.perf_counter() - began  # compiles every expression; later loads find most of them compiled
    assert loaded.problems == (), loaded.problems[:3]
    parsing = best(lambda: list(yaml.load_all(content, Loader=yaml.CSafeLoader)))
    loading = best(lambda: load({".promotion.yaml": content}, plugins))
    yield Figure("the first time", first * 1000, "ms", _AGAINST, parsing * 1000, aim=5)
    yield Figure("later", loading * 1000, "ms", _AGAINST, parsing * 1000, aim=5)
