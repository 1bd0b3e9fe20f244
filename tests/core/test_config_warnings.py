"""What is odd, but does not stop a pipeline."""

import pytest

from tests.core.configurations import loading
from tests.core.mistakes import HERE, RUN, SMOKE, kargo, place, problems, step, told, uat

WARNINGS: dict[str, tuple[str, str, str]] = {
    "a tag in an image": (
        "warehouses: {service: {image: {repoURL: §x/y:1.0}}}\nstages: {uat: {from: service}}\n",
        "tag-in-repo-url",
        "`:1.0` in repoURL is left out",
    ),
    "a warehouse nobody uses": (
        uat("from: service") + "---\nwarehouses:\n  §other: {image: x/y}\n",
        "unused",
        "no stage takes freight",
    ),
    "a junction that would merge": (uat("from: service, §merge: auto"), "control-flow", "`uat` has no steps"),
    "a provider nobody uses yet": (
        uat("from: service") + "verifications: {v: {metrics: [{name: m, provider: {§job: {}}}]}}\n",
        "provider-not-here",
        "this version has no provider `job`",
    ),
    "an argument for nobody": (
        uat(f"{RUN}, verify: [{{name: smoke, §args: {{hots: x}}}}]", SMOKE),
        "unknown-argument",
        "no verification here has an argument `hots`",
    ),
    "an auto that a policy contradicts": (
        uat(f"{RUN}, §auto: false") + "promotionPolicies: [{stageSelector: {name: uat}, autoPromotionEnabled: true}]\n",
        "conflicting-policy",
        "says the opposite of `auto`",
    ),
    "a policy for a stage that is not there": (
        uat("from: service") + "promotionPolicies: [{stageSelector: {name: §uta}}]\n",
        "unknown-stage",
        "did you mean `uat`?",
    ),
    "a policy in old words": (
        uat("from: service") + "promotionPolicies: [{§stage: uat, autoPromotionEnabled: true}]\n",
        "deprecated",
        "stageSelector",
    ),
    "policies of a Project": (
        kargo("Project", "{§promotionPolicies: [{stageSelector: {name: uat}}]}"),
        "deprecated",
        "ProjectConfig",
    ),
    "a manifest of somebody else": (
        kargo("x", "{}").replace("kargo.akuity.io/v1alpha1\nkind: x", "apps/v1\nkind: §Deployment"),
        "ignored",
        "nothing Towpath reads",
    ),
    "spaces pasted from a web page": (
        uat("from: service")
        + "---\nverifications:\n§\u00a0 v:\n\u00a0   metrics: [{name: m, provider: {web: {url: x}}}]\n",
        "odd-space",
        "no-break spaces",
    ),
    "targets, which nobody acts on": (
        kargo(
            "Stage",
            "{requestedFreight: [{origin: {name: service}, sources: {direct: true}}], §targets: {selectors: []}}",
        ),
        "not-acted-on",
        "promoted as one",
    ),
    "Argo CD's own kinds": (
        kargo("x", "{}").replace("kargo.akuity.io/v1alpha1\nkind: x", "argoproj.io/v1alpha1\nkind: §ApplicationSet"),
        "ignored",
        "nothing Towpath reads",
    ),
    "a path without braces": (
        uat("from: service")
        + "verifications: {v: {metrics: [{name: m, provider: {web: {url: x, jsonPath: §$.a}}}]}}\n",
        "literal-json-path",
        "write {$.a}",
    ),
    "a variable nobody defines": (
        uat('from: service, vars: {folder: x}, steps: [{uses: git-clear, config: {path: §"${{ vars.fodler }}"}}]'),
        "unknown-variable",
        "did you mean `folder`?",
    ),
    "a variable nobody defines, in a variable": (
        uat('from: service, vars: {a: §"x${{ vars.b }}"}'),
        "unknown-variable",
        "there is no variable `b`",
    ),
    "a variable nobody defines, in an argument": (
        uat(
            f'{RUN}, verify: [{{name: smoke, args: {{stage: §"${{{{ vars.b }}}}"}}}}]',
            SMOKE.replace("https://x", "'{{args.stage}}'"),
        ),
        "unknown-variable",
        "there is no variable `b`",
    ),
    "a variable a task lacks": (
        uat(
            "from: service, steps: [{§task: {name: t}}]",
            'tasks: {t: {steps: [{uses: git-clear, config: {path: "${{ vars.folder }}"}}]}}\n',
        ),
        "unknown-variable",
        "in `t`: there is no variable `folder`",
    ),
    "a variable that may be missing, but is nearly there": (
        uat(
            "from: service, vars: {openpr: x}, "
            'steps: [{uses: git-clear, if: §"${{ vars.opnpr != 1 }}", config: {path: x}}]'
        ),
        "unknown-variable",
        "did you mean `openpr`?",
    ),
    "an include that finds nothing": (
        uat("from: service") + "include: [§.promotion/x.yaml]\n",
        "nothing-included",
        "no file",
    ),
    "the old number of a pull request": (
        step('uses: git-open-pr, as: pr, config: {}}, {uses: git-open-pr, config: {x: §"${{ outputs.pr.prNumber }}"}'),
        "deprecated",
        ".pr.id",
    ),
}


@pytest.mark.parametrize(("text", "code", "message"), WARNINGS.values(), ids=WARNINGS)
def test_what_is_only_odd_is_a_warning(text: str, code: str, message: str) -> None:
    found = problems(text)

    assert told(found) == [(*place(text), code)]
    assert message in found[0].message
    assert loading(text.replace(HERE, "")).pipeline is not None
