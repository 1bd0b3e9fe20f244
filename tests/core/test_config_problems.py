"""Every mistake is told at its place, all at once, with what to do: reading, shapes, warehouses and stages."""

import pytest

from bot.core.model import Severity
from tests.core.configurations import WATCH, loading
from tests.core.mistakes import HERE, place, problems, step, told, uat

MISTAKES: dict[str, tuple[str, str, str]] = {
    # reading
    "not YAML": (WATCH + "stages: {uat: [§}", "not-yaml", "this is not YAML"),
    "a tab": ("stages:\n§\tuat: {}\n", "not-yaml", "cannot start any token"),
    "a key given twice": (
        WATCH + "stages:\n  uat: {from: service}\n  §uat: {from: service}\n",
        "duplicate-key",
        "`uat` is given twice, first on line 3; keep one of them",
    ),
    "an alias to nothing": (uat("from: §*w"), "unknown-alias", "no `&w` comes before it"),
    "an alias to itself": ("stages: &a {uat: §*a}\n", "endless-alias", "contains itself"),
    "an anchor twice": ("stages: {a: &x 1, b: §&x 2}\n", "duplicate-anchor", "rename one"),
    "a list as a key": ("§[a]: b\n", "key-not-text", "a key must be text"),
    "a tag of another language": (uat("from: §!!python/name:x y"), "unknown-tag", "is not understood"),
    "a control character": ("stages: §\x07\n", "bad-character", "U+0007"),
    "a merge of text": (uat("§<<: x, from: service").replace("§<<: x", "<<: §x"), "bad-merge", "wants a mapping"),
    "a document that is a list": ("§- stages\n", "wrong-type", "must be a mapping"),
    # shapes
    "an unknown section": (uat("from: service") + "§stagess: {}\n", "unknown-key", "did you mean `stages`?"),
    "an unknown field": (uat("§frm: service, from: service"), "unknown-key", "did you mean `from`?"),
    "a field that is nothing like any other": (uat("from: service, §zzz: 1"), "unknown-key", "known here: `shard`"),
    "a field missing": (uat("from: service, render: {§helm: {values: []}}"), "missing", "`chart` is missing here"),
    "a mapping for text": (uat("from: service, soak: §{a: b}"), "wrong-type", "`soak` wants text, not a mapping"),
    "text for truth": (uat("from: service, auto: §maybe"), "wrong-type", "wants true or false, not `maybe`"),
    "a misspelt choice": (uat("from: service, merge: §atuo"), "bad-value", "did you mean `auto`?"),
    "an expression where none is read": (uat("from: service, auto: §'${{ true }}'"), "wrong-type", "`auto` wants"),
    "both helm and kustomize": (
        uat("from: service, §render: {helm: {chart: c}, kustomize: {path: k}}"),
        "one-of",
        "wants only one of `helm` or `kustomize`",
    ),
    "nobody who could be allowed": (uat('from: service, allow: {promote: §"a b"}'), "bad-value", "or a login"),
    "an unknown command": (uat("from: service, allow: {§promot: [a]}"), "unknown-key", "did you mean `promote`?"),
    # durations, patterns, ranges, expressions
    "a day": (uat("from: service, soak: §1d"), "bad-value", "write 24h"),
    "weeks": (uat("from: service, soak: §2w"), "bad-value", "write 336h"),
    "a number without a unit": (uat("from: service, soak: §60"), "bad-value", "60s or 60m"),
    "a negative duration": (uat("from: service, soak: §-5m"), "bad-value", "negative"),
    "a duration too long": (uat("from: service, soak: §" + "9" * 5000 + "h"), "bad-value", "too long"),
    "a bad range": (
        "warehouses: {service: {image: {repoURL: x/y, constraint: §^1.x.y.z}}}\nstages: {uat: {from: service}}\n",
        "bad-range",
        "is not a version range",
    ),
    "a bad pattern": (
        'warehouses: {w: {image: {repoURL: x/y, allowTagsRegexes: ["v", §"(?=a)"]}}}\nstages: {uat: {from: w}}\n',
        "bad-regex",
        "is not a regular expression (RE2)",
    ),
    "a bad pattern of paths": (
        'warehouses: {w: {git: {repoURL: x, includePaths: [§"regex:("]}}}\nstages: {uat: {from: w}}\n',
        "bad-regex",
        "RE2",
    ),
    "a bad filter": (
        'warehouses: {w: {git: {repoURL: x, expressionFilter: §"1 +"}}}\nstages: {uat: {from: w}}\n',
        "bad-expression",
        "`1 +` is not an expression",
    ),
    "bad criteria": (
        "warehouses: {w: {freightCreationCriteria: §a b, image: x/y}}\nstages: {uat: {from: w}}\n",
        "bad-expression",
        "`a b` is not an expression",
    ),
    "criteria with a name that means nothing": (
        "warehouses: {w: {freightCreationCriteria: §imagesFrom('y').Tag, image: x/y}}\nstages: {uat: {from: w}}\n",
        "unknown-name",
        "`imagesFrom` means nothing here; did you mean `imageFrom`?",
    ),
    "a filter of commits that asks for their tags": (
        "warehouses: {w: {git: {repoURL: x, expressionFilter: §tag != ''}}}\nstages: {uat: {from: w}}\n",
        "unknown-name",
        "`tag` means nothing here",
    ),
    "a bad expression in a step": (
        step('uses: git-clear, config: {path: §"./${{ ctx. }}"}'),
        "bad-expression",
        "the expression in `./${{ ctx. }}` can't be read",
    ),
    "an expression never closed": (
        step('uses: git-clear, config: {path: §"${{ ctx.stage"}'),
        "bad-expression",
        "not closed: }} is missing",
    ),
    "a condition that is none": (
        step("uses: git-clear, if: §failure(), config: {path: x}"),
        "bad-expression",
        "write ${{",
    ),
    "a bad expression in a variable": (
        uat('from: service, vars: {a: §"${{ ) }}"}'),
        "bad-expression",
        "unexpected ')'",
    ),
    "a bad condition of a metric": (
        uat("from: service")
        + "verifications: {v: {metrics: [{name: m, successCondition: §result ===, provider: {web: {url: x}}}]}}\n",
        "bad-value",
        "`result ===` is not an expression",
    ),
    # warehouses
    "a warehouse that watches nothing": (
        "warehouses:\n  §w: {interval: 5m}\nstages: {uat: {from: w}}\n",
        "no-subscription",
        "give it image or git or chart",
    ),
    "a repository watched twice": (
        "warehouses: {w: {image: [x/y, §x/y]}}\nstages: {uat: {from: w}}\n",
        "duplicate-subscription",
        "`x/y` is watched already",
    ),
    "a digest without a tag to follow": (
        "warehouses: {w: {§image: {repoURL: x/y, imageSelectionStrategy: Digest}}}\nstages: {uat: {from: w}}\n",
        "missing",
        "name it in `constraint`",
    ),
    "an unknown field of a plug-in": (
        "warehouses: {w: {image: {repoURL: x/y, §discoverylimit: 5}}}\nstages: {uat: {from: w}}\n",
        "unknown-key",
        "did you mean `discoveryLimit`?",
    ),
    "a number out of range": (
        "warehouses: {w: {image: {repoURL: x/y, discoveryLimit: §101}}}\nstages: {uat: {from: w}}\n",
        "out-of-range",
        "at most 100, not 101",
    ),
    # stages and what they take
    "no stage": (HERE + WATCH, "no-stage", "there is no stage yet"),
    "no source": (WATCH + "stages:\n  §uat: {auto: true}\n", "missing", "add `from`"),
    "an unknown source": (uat("from: §servcie"), "unknown-source", "did you mean `service`?"),
    "an unknown source among several": (uat("from: [service, §tset]"), "unknown-source", "no stage `tset`"),
    "a name that is both": (
        "warehouses: {uat: {image: x/y}}\nstages: {uat: {from: §uat}}\n",
        "ambiguous-name",
        "both a warehouse and a stage",
    ),
    "soaking nowhere": (uat("from: service, §soak: 1h"), "soak-without-upstream", "remove it"),
    "soaking nowhere, in Kargo's words": (
        uat("requestedFreight: [{origin: {name: service}, sources: {direct: true, §requiredSoakTime: 1h}}]"),
        "soak-without-upstream",
        "remove it",
    ),
    "freight from nowhere": (
        uat("requestedFreight: [{origin: {name: service}, §sources: {}}]"),
        "no-source",
        "write direct: true",
    ),
    "a request made twice": (
        uat(
            "requestedFreight: [{origin: {name: service}, sources: {direct: true}}, "
            "{origin: §{name: service}, sources: {direct: true}}]"
        ),
        "duplicate-origin",
        "join the two",
    ),
    "matching no upstream": (
        uat("from: service, §selection: MatchUpstream"),
        "match-upstream",
        "exactly one upstream stage",
    ),
    "from and requestedFreight": (
        uat("§from: service, requestedFreight: [{origin: {name: service}, sources: {direct: true}}]"),
        "not-allowed",
        "keep one of them",
    ),
    "an unknown warehouse": (
        uat("requestedFreight: [{origin: {name: §servic}, sources: {direct: true}}]"),
        "unknown-warehouse",
        "did you mean `service`?",
    ),
    "an unknown stage": (
        uat("requestedFreight: [{origin: {name: service}, sources: {stages: [§uta]}}]"),
        "unknown-stage",
        "did you mean `uat`?",
    ),
    "a cycle": (
        WATCH + "stages: {a: {from: [service, §c]}, b: {from: a}, c: {from: b}, d: {from: c}}\n",
        "cycle",
        "`a` ← `c` ← `b` ← `a`",
    ),
    "a stage after itself": (WATCH + "stages: {a: {from: §a}}\n", "cycle", "`a` ← `a`"),
    "a stage that freight never reaches": (
        WATCH
        + "stages: {a: {from: service}, b: {requestedFreight: [{origin: {name: other}, sources: {stages: [§a]}}]},"
        + " c: {from: other}}\n---\nwarehouses: {other: {image: x/y}}\n",
        "unreachable",
        "freight of `other` never comes to `a`: it has that of `service`",
    ),
    "a stage twice": (uat("from: service") + "---\nstages:\n  §uat: {from: service}\n", "duplicate-name", "at line 3"),
    "a name with capitals": (WATCH + "stages:\n  §Uat: {from: service}\n", "bad-name", "lower-case letters"),
    "a name too long for a label": (
        WATCH + f"stages:\n  §{'a' * 45}: {{from: service}}\n",
        "bad-name",
        "45 characters",
    ),
    "a name Git does not take": (WATCH + "stages:\n  §a.lock: {from: service}\n", "bad-name", ".lock"),
    "a name that is taken": (WATCH + "stages:\n  §config: {from: service}\n", "bad-name", "promotion/config"),
}


@pytest.mark.parametrize(("text", "code", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, code: str, message: str) -> None:
    found = [problem for problem in problems(text) if problem.severity is Severity.ERROR]

    assert told(found) == [(*place(text), code)]
    assert message in found[0].message
    assert loading(text.replace(HERE, "")).pipeline is None


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file() -> None:
    text = """\
warehouses:
  service: {image: {repoURL: ghcr.io/acme/service, constraint: ^^1}}
stages:
  test: {from: servce, soak: 1d}
  uat: {from: test, merge: never, steps: [{uses: git-psh}, {uses: git-clear, config: {pth: x}}]}
  prod: {from: uat, steps: [{uses: git-psh}, {uses: git-clear, config: {pth: x}}]}
verifications:
  smoke: {metrics: [{name: a, provider: {wbe: {}}}]}
"""
    found = problems(text)

    assert [(problem.line, problem.code) for problem in found] == [
        (2, "bad-range"),
        (4, "bad-value"),
        (5, "bad-value"),
        (6, "unknown-step"),
        (6, "missing"),
        (6, "unknown-key"),
        (8, "unknown-provider"),
    ]


def test_a_stage_that_is_wrong_is_known_all_the_same() -> None:
    text = WATCH + "stages: {uat: {from: service, merge: never}, prod: {from: uat}}\n"

    assert [problem.code for problem in problems(text)] == ["bad-value"]
