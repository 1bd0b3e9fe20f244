"""Whatever the text, loading returns: a pipeline, or problems at places that exist."""

import random
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.config import Loaded, explain
from bot.core.model import Severity
from tests.core.configurations import EXAMPLE, loading
from tests.core.test_config_manifests import KARGO
from tests.effort import within

PASTED = (
    KARGO
    + """\
---
apiVersion: argoproj.io/v1alpha1
kind: AnalysisTemplate
metadata: {name: smoke}
spec:
  args: [{name: host, value: x}]
  metrics:
  - {name: m, count: 3, interval: 10s, failureLimit: 1, provider: {web: {url: "https://{{args.host}}"}}}
---
stages:
  prod:
    from: uat
    soak: 1h
    render: {kustomize: {path: env}}
    steps: [{uses: argocd-update, config: {}}]
    verify: [{name: smoke, args: {host: "${{ ctx.stage }}"}}]
promotionWindows:
- {name: n, kind: Deny, stageSelector: {name: prod}, dtstart: 20260101T000000, dtend: 20260101T060000}
"""
)
VALID = (EXAMPLE, PASTED)

# Words of the language and of YAML: put together at random they come closer to the core than random text.
WORDS = sorted(
    {word for text in VALID for word in text.replace("{", " ").replace("}", " ").replace(",", " ").split()}
    | {"<<:", "&a", "*a", "!!str", "---", "|", ">-", "null", "-1", "1.5", "${{", "}}", "[", "]", "{", "}", "\n", "  "}
)
SCALARS = (
    st.none() | st.booleans() | st.integers(-5, 500) | st.floats(allow_nan=False) | st.sampled_from(WORDS) | st.text()
)
TREES: st.SearchStrategy[Any] = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS) | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def holds_together(text: str | bytes) -> Loaded:
    loaded = loading(text)
    errors = [problem for problem in loaded.problems if problem.severity is Severity.ERROR]
    assert (loaded.pipeline is None) == bool(errors)
    lines = (text if isinstance(text, str) else text.decode(errors="replace")).replace("\r", "\n").count("\n") + 2
    for problem in loaded.problems:
        assert 1 <= problem.line <= lines + 5  # YAML counts a few characters as line ends that nobody else does
        assert problem.column >= 1
        assert problem.message
        assert problem.code
    return loaded


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    holds_together(text)


@given(st.binary())
def test_no_bytes_break_it(content: bytes) -> None:
    holds_together(content)


@given(st.lists(st.sampled_from(WORDS) | st.text(max_size=3), max_size=40).map(" ".join))
def test_no_words_break_it(text: str) -> None:
    holds_together(text)


@settings(max_examples=300)
@given(
    st.fixed_dictionaries(
        {"stages": st.dictionaries(st.sampled_from(["a", "b", "uat"]), TREES, max_size=3)},
        optional=dict.fromkeys(("warehouses", "tasks", "verifications", "promotionPolicies", "include"), TREES),
    )
)
def test_no_data_breaks_it(data: Any) -> None:
    holds_together(yaml.safe_dump(data))


@given(
    st.sampled_from(["Stage", "Warehouse", "PromotionTask", "ProjectConfig", "AnalysisTemplate", "List"]), TREES, TREES
)
def test_no_manifest_breaks_it(kind: str, metadata: Any, spec: Any) -> None:
    holds_together(yaml.safe_dump({"kind": kind, "metadata": metadata, "spec": spec, "items": [spec]}))


def mutated(text: str, chance: random.Random) -> str:
    """The text with a few small mistakes, of the kind that hands and merges make."""
    for _ in range(chance.choice((1, 1, 2, 3))):
        lines = text.split("\n")
        at = chance.randrange(len(lines))
        kind = chance.randrange(8)
        if kind == 0:
            del lines[at]
        elif kind == 1:
            lines.insert(at, lines[chance.randrange(len(lines))])
        elif kind == 2:
            lines[at] = "  " + lines[at]
        elif kind == 3:
            lines[at] = lines[at].strip()
        elif kind == 4:
            where = chance.randrange(len(lines[at]) + 1)
            lines[at] = lines[at][:where] + chance.choice("{}[]:,-'\"#&*!|>%@`\t x1") + lines[at][where:]
        elif kind == 5 and lines[at]:
            where = chance.randrange(len(lines[at]))
            lines[at] = lines[at][:where] + lines[at][where + 1 :]
        elif kind == 6:
            words = lines[at].split(" ")
            words[chance.randrange(len(words))] = chance.choice(WORDS)
            lines[at] = " ".join(words)
        else:
            other = chance.randrange(len(lines))
            lines[at], lines[other] = lines[other], lines[at]
        text = "\n".join(lines)
    return text


def test_a_thousand_mutations_of_valid_files_give_located_problems_or_valid_pipelines() -> None:
    chance = random.Random(20260101)  # noqa: S311, not about secrets
    valid = broken = 0
    for number in range(1000):
        text = mutated(VALID[number % len(VALID)], chance)
        loaded = within(150_000, lambda text=text: holds_together(text))
        if loaded.pipeline is None:
            broken += 1
            continue
        valid += 1
        again = loading(explain(loaded.pipeline))
        assert again.pipeline == loaded.pipeline, (text, again.problems)
    assert valid > 50
    assert broken > 500


def test_the_long_form_means_the_same_and_is_its_own_long_form() -> None:
    for text in VALID:
        loaded = loading(text)
        assert loaded.pipeline is not None, loaded.problems
        long = explain(loaded.pipeline)
        again = loading(long).pipeline
        assert again == loaded.pipeline
        assert again is not None
        assert explain(again) == long
