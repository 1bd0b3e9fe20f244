"""Mistakes inside stages: steps, rendering, verifications; and in manifests."""

import pytest

from bot.core.model import Severity
from tests.core.configurations import loading
from tests.core.mistakes import HERE, RUN, SMOKE, TASK, kargo, place, problems, step, told, uat

MISTAKES: dict[str, tuple[str, str, str]] = {
    # references in expressions
    "an output of a step that is not there": (
        step(
            "uses: git-clear, as: clear, config: {path: x}}, "
            '{uses: git-commit, config: {path: §"${{ outputs.claer.x }}"}'
        ),
        "unknown-alias",
        "did you mean `clear`?",
    ),
    "an output of a step that comes later": (
        step(
            'uses: git-clear, config: {path: §"${{ outputs.push.x }}"}}, {uses: git-push, as: push, config: {path: x}'
        ),
        "unknown-alias",
        "not done yet",
    ),
    "an output of its own": (
        step('uses: git-clear, as: clear, config: {path: §"${{ outputs.clear.x }}"}'),
        "unknown-alias",
        "not done yet",
    ),
    "an output in a condition": (
        step('uses: git-clear, if: §"${{ outputs.a.b == 1 }}", config: {path: x}'),
        "unknown-alias",
        "no step before this one is called `a`",
    ),
    "an output of a task's step outside of a task": (
        step(
            'uses: git-clear, as: a, config: {path: x}}, {uses: git-commit, config: {path: §"${{ task.outputs.a.b }}"}'
        ),
        "unknown-alias",
        "so write outputs",
    ),
    "an output within a task that no step has": (
        uat("from: service") + 'tasks: {t: {steps: [{uses: git-clear, config: {path: §"${{ task.outputs.a.b }}"}}]}}\n',
        "unknown-alias",
        "no step before this one is called `a`",
    ),
    "an output of the same task by the wrong name": (
        uat(
            "from: service, steps: [{§task: {name: t}}]",
            "tasks: {t: {steps: [{uses: git-clear, as: a, config: {path: x}}, "
            '{uses: git-commit, config: {path: "${{ outputs.a.b }}"}}]}}\n',
        ),
        "unknown-alias",
        "write task.outputs.a",
    ),
    "a commit of a step that is not there": (
        step("uses: argocd-update, config: {apps: [{name: a, sources: [{repoURL: x, desiredCommitFromStep: §psh}]}]}"),
        "unknown-alias",
        "no step before this one is called `psh`",
    ),
    "a path that is none": (
        uat("from: service")
        + 'verifications: {v: {metrics: [{name: m, provider: {web: {url: x, jsonPath: §"{$.a"}}}]}}\n',
        "bad-json-path",
        "is not a JSONPath",
    ),
    # steps
    "an unknown step": (step("uses: §git-psh"), "unknown-step", "did you mean `git-push`?"),
    "a step of Kargo's that is not here": (
        step("uses: §oci-push"),
        "unknown-step",
        "not available in this version of Towpath yet",
    ),
    "a step and a task": (
        uat("from: service, steps: [§{uses: git-clear, task: {name: t}}]", TASK),
        "one-of",
        "wants only one of `uses` or `task`",
    ),
    "an unknown field of a step": (
        step("uses: git-push, config: {path: ., §targetbranch: x}"),
        "unknown-key",
        "did you mean `targetBranch`?",
    ),
    "a field of a step missing": (step("uses: git-clear, §config: {}"), "missing", "`path` is missing here"),
    "a wrong type in a step": (
        step("uses: git-push, config: {path: ., maxAttempts: §many}"),
        "wrong-type",
        "wants a whole number, not `many`",
    ),
    "two steps of one name": (
        uat(
            "from: service, steps: [{uses: git-clear, as: a, config: {path: x}}, "
            "{uses: git-clear, as: §a, config: {path: x}}]"
        ),
        "duplicate-name",
        "there is a step `a` already",
    ),
    "a reserved name": (step("uses: git-clear, as: §step-1, config: {path: x}"), "reserved-name", "choose another"),
    "a name that does not do": (step('uses: git-clear, as: §"a b", config: {path: x}'), "bad-name", "no spaces"),
    "an earlier step that is not there": (
        step("uses: git-commit, as: c, config: {path: ., messageFromSteps: [§nobody]}"),
        "unknown-alias",
        "no step before this one is called `nobody`",
    ),
    "an unknown task": (step("task: {name: §tt}", TASK), "unknown-task", "did you mean"),
    "no task at all": (step("task: {name: §tt}"), "unknown-task", "there is no task at all"),
    "a variable missing": (step("§task: {name: t}", TASK), "missing-variable", "wants the variable `v`"),
    "a condition on a task": (
        step('task: {name: t}, vars: {v: 1}, §if: "${{ true }}"', TASK),
        "not-allowed",
        "inside the task",
    ),
    "a task in a task": (
        uat("from: service") + "tasks: {t: {steps: [{uses: git-clear, config: {path: x}}, §{task: {name: t}}]}}\n",
        "missing",
        "`uses` is missing here",
    ),
    # rendering
    "a chart outside": (uat("from: service, render: {helm: {chart: §../../etc}}"), "bad-path", "leads out"),
    "the whole repository as output": (
        uat('from: service, render: {helm: {chart: c}, out: §"."}'),
        "bad-path",
        "of its own",
    ),
    "several images and no keys": (
        "warehouses: {w: {image: [x/a, x/b]}}\nstages: {uat: {from: w, render: {§helm: {chart: c}}}}\n",
        "which-image",
        "say in `images`",
    ),
    "an image that is not watched": (
        uat("from: service, render: {helm: {chart: c, images: [{image: §ghcr.io/acme/servic}]}}"),
        "unknown-image",
        "did you mean `ghcr.io/acme/service`?",
    ),
    "two images under one key": (
        "warehouses: {w: {image: [x/a, x/b]}}\n"
        "stages: {uat: {from: w, render: {helm: {chart: c, images: [{image: x/a}, §{image: x/b}]}}}}\n",
        "duplicate-key",
        "give each its own `key`",
    ),
    "render and a template": (
        uat("from: service, §render: {helm: {chart: c}}, promotionTemplate: {spec: {steps: [{uses: git-clone}]}}"),
        "not-allowed",
        "keep one of them",
    ),
    # verifications
    "an unknown verification": (
        uat(f"{RUN}, verify: [§smoek]", SMOKE),
        "unknown-verification",
        "did you mean `smoke`?",
    ),
    "an unknown provider": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, provider: {§wbe: {url: x}}}]}}\n",
        "unknown-provider",
        "did you mean `web`?",
    ),
    "two providers": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, §provider: {web: {url: x}, job: {}}}]}}\n",
        "one-provider",
        "exactly one provider",
    ),
    "a provider that is not here": (
        uat(f"{RUN}, §verify: v") + "verifications: {v: {metrics: [{name: m, provider: {job: {}}}]}}\n",
        "provider-not-here",
        "this version has no `job`",
    ),
    "two metrics of one name": (
        uat("from: service")
        + "verifications: {v: {metrics: [{name: m, provider: {web: {url: x}}}, "
        + "{name: §m, provider: {web: {url: x}}}]}}\n",
        "duplicate-name",
        "rename one",
    ),
    "nothing to measure": (
        uat("from: service") + "verifications:\n  §v: {args: []}\n",
        "no-metrics",
        "give it `metrics`",
    ),
    "an argument missing": (
        uat(f"{RUN}, §verify: v")
        + 'verifications: {v: {metrics: [{name: m, provider: {web: {url: "{{args.host}}"}}}]}}\n',
        "missing-argument",
        "wants the argument `host`",
    ),
    "an argument not declared": (
        kargo(
            "AnalysisTemplate", "{args: [{name: host}], metrics: [{name: m, provider: {web: {url: §'{{args.hots}}'}}}]}"
        ),
        "unknown-argument",
        "did you mean `host`?",
    ),
    "a placeholder that means nothing": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, provider: {web: {url: §'{{ stage }}'}}}]}}\n",
        "unknown-argument",
        "write {{args.<name>}}",
    ),
    "several measurements without an interval": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, count: §3, provider: {web: {url: x}}}]}}\n",
        "missing",
        "`interval` is needed too",
    ),
    "a limit that can't be": (
        uat("from: service")
        + "verifications: {v: {metrics: [{name: m, failureLimit: §-2, provider: {web: {url: x}}}]}}\n",
        "out-of-range",
        "at least -1",
    ),
    "a limit that is no number": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, count: §few, provider: {web: {url: x}}}]}}\n",
        "wrong-type",
        "whole number or an argument",
    ),
    # manifests
    "no kind": (uat("from: service") + "---\n§apiVersion: kargo.akuity.io/v1alpha1\n", "missing", "`kind` is missing"),
    "a misspelt kind": (kargo("x", "{}").replace("kind: x", "kind: §Stagee"), "unknown-kind", "did you mean `Stage`?"),
    "a manifest without a name": (
        kargo("Stage", "{}").replace("metadata: {name: x}", "§metadata: {}"),
        "missing",
        "`name`",
    ),
    "a step of a manifest, deep inside": (
        kargo("PromotionTask", "\n  steps:\n  - uses: git-clear\n    config:\n      path: a\n      §pth: b"),
        "unknown-key",
        "did you mean `path`?",
    ),
    "policies that contradict": (
        kargo(
            "ProjectConfig",
            "{promotionPolicies: [{stageSelector: {name: uat}, autoPromotionEnabled: true}, "
            "{stageSelector: §{name: uat}}]}",
        ),
        "conflicting-policy",
        "says the opposite",
    ),
    "a policy for nobody": (
        kargo("ProjectConfig", "{promotionPolicies: [{§stageSelector: {}}]}"),
        "missing",
        "select stages",
    ),
    "a bad pattern of a policy": (
        kargo("ProjectConfig", "{promotionPolicies: [{stageSelector: {name: §'regex:('}}]}"),
        "bad-regex",
        "RE2",
    ),
}


@pytest.mark.parametrize(("text", "code", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_told_at_its_place(text: str, code: str, message: str) -> None:
    found = [problem for problem in problems(text) if problem.severity is Severity.ERROR]

    assert told(found) == [(*place(text), code)]
    assert message in found[0].message
    assert loading(text.replace(HERE, "")).pipeline is None
