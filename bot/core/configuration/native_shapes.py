"""The shape of Towpath's own spelling: the manifests' fields, and short forms for what is common."""

from collections.abc import Mapping

from bot.core.configuration.shapes import (
    ANALYSIS,
    ANYTHING,
    ARGUMENTS,
    DURATION,
    LABELS,
    PROMOTION_POLICY,
    PROMOTION_WINDOW,
    STAGE_FIELDS,
    STEPS,
    TASK,
    TEMPLATE,
    TEXT,
    WAREHOUSE_FIELDS,
    Schema,
    described,
    either,
    listed,
    record,
    subscription,
)
from bot.core.model import Availability, MergePolicy, Selection

COMMANDS = ("promote", "rollback")
MERGE_METHODS = ("merge", "squash", "rebase")
IMAGE_VALUES = ("Tag", "Digest", "ImageAndTag", "ImageAndDigest")

_TRUTH: Schema = {"type": "boolean"}
_TEXT_OR_TEXTS = either(TEXT, listed(TEXT))

_WHO = {
    "type": "string",
    "pattern": r"^@?[A-Za-z0-9][-A-Za-z0-9_]*(\[bot\])?$|^@[A-Za-z0-9][-A-Za-z0-9]*/[A-Za-z0-9][-A-Za-z0-9_.]*$",
    "description": 'Write "@organisation/team" or a login.',
}

_RENDER_COMMON: Mapping[str, Schema] = {
    "path": described(TEMPLATE, "Folder for the rendered manifests; out/stages/<stage> by default."),
    "branch": described(TEMPLATE, "Branch of its own for them, begun empty; the default branch by default."),
    "out": described(TEMPLATE, "Another word for `path`."),
    "targetBranch": described(TEMPLATE, "Another word for `branch`."),
    "message": described(TEMPLATE, "Message of the commit."),
    "allowPlaintextSecrets": described(_TRUTH, "Commit `Secret`s that anybody could read, which is refused otherwise."),
}

HELM = record(
    ("chart",),
    "Render a Helm chart of this repository.",
    chart=described(TEMPLATE, "Folder of the chart, from the root of the repository."),
    values=either(TEMPLATE, listed(TEMPLATE), about="Values files, from the chart's folder (or with / from the root)."),
    releaseName=described(TEMPLATE, "Name of the release; that of the warehouse by default."),
    namespace=TEMPLATE,
    images=listed(
        record(
            image=described(TEXT, "Image repository, as the warehouse has it."),
            key=described(TEMPLATE, "Key in the last values file; image.tag by default."),
            value={"type": "string", "enum": list(IMAGE_VALUES), "description": "What to write there; Tag by default."},
        ),
        about="Where the values file names the images. Left out: the one image of the warehouse, at image.tag.",
    ),
    setValues=listed(ANYTHING),
    includeCRDs=_TRUTH,
    buildDependencies=_TRUTH,
    disableHooks=_TRUTH,
    skipTests=_TRUTH,
    useReleaseName=_TRUTH,
    ignoreMissingValueFiles=_TRUTH,
    kubeVersion=TEXT,
    apiVersions=listed(TEXT),
)
HELM_PASSED_ON = [
    "namespace",
    "setValues",
    "includeCRDs",
    "buildDependencies",
    "disableHooks",
    "skipTests",
    "useReleaseName",
    "ignoreMissingValueFiles",
    "kubeVersion",
    "apiVersions",
]

KUSTOMIZE = record(
    ("path",),
    "Build a kustomization of this repository.",
    path=described(TEMPLATE, "Folder of the kustomization, from the root of the repository."),
    images=listed(
        record(
            ("image",),
            image=described(TEXT, "Image repository, as the warehouse has it."),
            name=described(TEXT, "The image's name in the manifests, when it is another."),
            value={"type": "string", "enum": ["Tag", "Digest"]},
        ),
        about="Left out: every image of the warehouses, by its tag.",
    ),
    plugin=record(
        (),
        "What charts are told that the kustomization inflates.",
        helm=record((), "Helm's part.", apiVersions=listed(TEXT), kubeVersion=TEXT),
    ),
)

RENDER = {
    **record((), "Render and propose the manifests.", helm=HELM, kustomize=KUSTOMIZE, **_RENDER_COMMON),
    "oneOf": [{"required": ["helm"]}, {"required": ["kustomize"]}],
}

VERIFY = either(
    TEXT,
    listed(either(TEXT, record(("name",), name=TEXT, args=ARGUMENTS))),
    about="Verifications to run once freight has landed: names, or names with arguments.",
)

STAGE = record(
    (),
    "A stage: where freight comes from, what is done with it, and how it is verified.",
    **STAGE_FIELDS,
    **{"from": described(_TEXT_OR_TEXTS, "Where freight comes from: a warehouse or a stage, or several.")},
    soak=described(DURATION, "How long freight must have been in the stage before."),
    availability={"type": "string", "enum": [each.value for each in Availability]},
    selection={"type": "string", "enum": [each.value for each in Selection]},
    labels=LABELS,
    auto={"type": "boolean", "description": "Start promotions without being asked."},
    merge={
        "type": "string",
        "enum": [each.value for each in MergePolicy],
        "description": "Who merges: people (default), or auto: Towpath, once every gate and required check holds.",
    },
    mergeMethod={"type": "string", "enum": list(MERGE_METHODS)},
    allow=record(
        (),
        "Who may use a command on this stage, besides what GitHub's permissions ask.",
        **{command: either(_WHO, listed(_WHO, fewest=1)) for command in COMMANDS},
    ),
    render=RENDER,
    steps=described(STEPS, "Promotion steps; beside `render`, those after the merge."),
    verify=VERIFY,
)

DOCUMENT = record(
    (),
    "Towpath's pipeline: what to watch, and the stages that freight goes through.",
    include=described(_TEXT_OR_TEXTS, "Further files, by glob; they are below .promotion/."),
    warehouses={"type": "object"},
    stages={"type": "object"},
    tasks={"type": "object"},
    verifications={"type": "object"},
    promotionPolicies=listed(PROMOTION_POLICY),
    promotionWindows=listed(PROMOTION_WINDOW),
    webhookReceivers=listed(ANYTHING, about="Doors for senders that tell of new artifacts, as in a ProjectConfig."),
    receivers={"type": "object", "description": "The same by name, as in hub: {dockerhub: <secret>}."},
)

VERIFICATION = ANALYSIS
TASKS = TASK


def warehouse(kinds: Mapping[str, Schema]) -> Schema:
    """A warehouse: `subscriptions`, or a kind of subscription directly, once or several times."""
    short = {
        kind: either(TEXT, schema, listed(either(TEXT, schema)), about=f"The {kind} to watch, or a list of them.")
        for kind, schema in kinds.items()
    }
    return record(**WAREHOUSE_FIELDS, **short, subscriptions=listed(subscription(kinds), fewest=1))
