"""The shapes of Kargo's and Argo Rollouts' manifests, as JSON Schemas: fields as in their own documentation.

https://docs.kargo.io/user-guide/how-to-guides/ and
https://argo-rollouts.readthedocs.io/en/stable/features/analysis/. What depends on plug-ins (a step's `config`, a
metric's provider) is checked where it is built, and only described here.
"""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

# A stage's name also names its branch (promotion/<stage>), its lock and its label. GitHub gives a label 50 characters;
# `stage/` takes six.
LONGEST_STAGE_NAME = 44

DURATION: Schema = {"type": "string", "format": "go-duration", "description": "A duration such as 30s, 10m or 1h30m."}
NAME: Schema = {
    "type": "string",
    "maxLength": 253,
    "pattern": r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$",
    "description": "Lower-case letters, digits, `-` and `.`, with a letter or digit at both ends.",
}
TEXT: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}
ANYTHING: Schema = {"type": "object"}
VARIABLE_NAME = {
    "type": "string",
    "pattern": "^[a-zA-Z_][a-zA-Z0-9_]*$",
    "description": "A letter or `_`, then letters, digits and `_`.",
}


def record(required: tuple[str, ...] = (), about: str = "", /, **fields: Schema) -> Schema:
    """A mapping with exactly these fields."""
    schema: dict[str, Any] = {"type": "object", "properties": fields, "additionalProperties": False}
    if required:
        schema["required"] = list(required)
    if about:
        schema["description"] = about
    return schema


def listed(item: Schema, *, fewest: int = 0, about: str = "") -> Schema:
    schema: dict[str, Any] = {"type": "array", "items": item}
    if fewest:
        schema["minItems"] = fewest
    if about:
        schema["description"] = about
    return schema


def either(*shapes: Schema, about: str = "") -> Schema:
    return {"anyOf": list(shapes)} | ({"description": about} if about else {})


def described(schema: Schema, about: str) -> Schema:
    return {**schema, "description": about}


VALUE: Schema = {"format": "template"}  # of any type; a text may hold ${{ }}
TEMPLATE: Schema = {"type": "string", "format": "template"}

VARS = either(
    listed(record(("name",), name=VARIABLE_NAME, value=VALUE)),
    {"type": "object", "propertyNames": VARIABLE_NAME, "additionalProperties": VALUE},
    about="Variables for expressions, as `vars.<name>`: a list of name and value, or a mapping.",
)

SELECTOR = record(
    (),
    "Which stages: a name (exact, `glob:…` or `regex:…`) and labels, all of which must match.",
    name=TEXT,
    matchLabels=LABELS,
    matchExpressions=listed(
        record(
            ("key", "operator"),
            key=TEXT,
            operator={"type": "string", "enum": ["In", "NotIn", "Exists", "DoesNotExist"]},
            values=TEXTS,
        )
    ),
)

PROMOTION_POLICY = {
    **record(
        (),
        "Which stages start promotions by themselves. The first policy that matches a stage counts.",
        stage=TEXT,
        stageSelector=SELECTOR,
        autoPromotionEnabled={"type": "boolean"},
        autoRollback=record(
            onPromotion=listed({"type": "string", "enum": ["Failed", "Errored"]}),
            onVerification=listed({"type": "string", "enum": ["Failed", "Error"]}),
        ),
    ),
    "oneOf": [{"required": ["stage"]}, {"required": ["stageSelector"]}],
}

PROMOTION_WINDOW = record(
    ("name", "kind"),
    "A time in which promotions may (Allow) or may not (Deny) happen.",
    name=NAME,
    kind={"type": "string", "enum": ["Allow", "Deny"]},
    stageSelector=SELECTOR,
    rrule=described(TEXT, "A recurrence rule of RFC 5545, such as FREQ=WEEKLY;BYDAY=SA,SU."),
    dtstart=described(TEXT, "When the (first) window opens: 20260101T090000, or TZID=<zone>:20260101T090000."),
    dtend=described(TEXT, "When it closes, in the same form."),
)

PROJECT = record(
    promotionPolicies=listed(PROMOTION_POLICY),
    promotionWindows=listed(PROMOTION_WINDOW),
    webhookReceivers=listed(ANYTHING),
    freightLinks=listed(ANYTHING),
    stageLinks=listed(ANYTHING),
)

FREIGHT_REQUEST = record(
    ("origin", "sources"),
    origin=record(("name",), kind={"type": "string", "enum": ["Warehouse"]}, name=TEXT),
    sources=record(
        direct={"type": "boolean", "description": "Take freight straight from the warehouse."},
        stages=listed(TEXT, about="Take freight that is verified in these stages."),
        requiredSoakTime=described(DURATION, "How long freight must have been in an upstream stage."),
        availabilityStrategy={"type": "string", "enum": ["OneOf", "All", ""]},
        autoPromotionOptions=record(
            selectionPolicy={"type": "string", "enum": ["NewestFreight", "MatchUpstream"]},
        ),
    ),
)

RETRY = record(timeout=DURATION, errorThreshold={"type": "integer", "minimum": 0})

STEP = {
    **record(
        (),
        "One step of a promotion: a step by name, or a task.",
        uses=described(TEXT, "The step to run."),
        task=record(("name",), name=TEXT, kind={"type": "string", "enum": ["PromotionTask", "ClusterPromotionTask"]}),
        **{
            "as": described(TEXT, "The name under which later steps find its output."),
            "if": {"type": "string", "format": "if", "description": "Run only when this ${{ }} is true."},
        },
        continueOnError={"type": "boolean"},
        retry=RETRY,
        vars=VARS,
        config=described(ANYTHING, "What the step is to do."),
    ),
    "oneOf": [{"required": ["uses"]}, {"required": ["task"]}],
}
TASK_STEP = record(("uses",), **STEP["properties"])

STEPS = listed(STEP)

PROMOTION_TEMPLATE = record(("spec",), metadata=ANYTHING, spec=record(vars=VARS, steps=STEPS))

ARGUMENT = record(
    ("name",),
    name=TEXT,
    value=TEMPLATE,
    valueFrom=record(
        secretKeyRef=record(("name", "key"), name=TEXT, key=TEXT),
        fieldRef=record(("fieldPath",), fieldPath=TEXT),
    ),
)
ARGUMENTS = either(
    listed(ARGUMENT),
    {"type": "object", "additionalProperties": {"type": ["string", "null"], "format": "template"}},
    about="Arguments: a list of name and value, or a mapping.",
)

VERIFICATION = record(
    ("analysisTemplates",),
    analysisTemplates=listed(
        record(("name",), name=TEXT, kind={"type": "string", "enum": ["AnalysisTemplate", "ClusterAnalysisTemplate"]}),
        fewest=1,
    ),
    analysisRunMetadata=record(labels=LABELS, annotations=LABELS),
    args=ARGUMENTS,
)

STAGE_FIELDS: Mapping[str, Schema] = {
    "shard": TEXT,
    "vars": VARS,
    "requestedFreight": listed(FREIGHT_REQUEST, fewest=1, about="Where the stage takes freight from."),
    "promotionTemplate": PROMOTION_TEMPLATE,
    "verification": VERIFICATION,
}
STAGE = record(("requestedFreight",), **STAGE_FIELDS, targets=ANYTHING)

TASK = record(("steps",), vars=VARS, steps=listed(TASK_STEP, fewest=1))

INT_OR_TEXT: Schema = {"type": ["integer", "string"]}
METRIC_DURATION: Schema = {"type": "string", "format": "metric-duration", "description": DURATION["description"]}
CONDITION: Schema = {"type": "string", "format": "metric-condition"}

METRIC = record(
    ("name", "provider"),
    name=TEXT,
    interval=METRIC_DURATION,
    initialDelay=METRIC_DURATION,
    count=INT_OR_TEXT,
    successCondition=described(CONDITION, "An expression over `result`; true means success."),
    failureCondition=described(CONDITION, "An expression over `result`; true means failure."),
    failureLimit=INT_OR_TEXT,
    inconclusiveLimit=INT_OR_TEXT,
    consecutiveErrorLimit=INT_OR_TEXT,
    consecutiveSuccessLimit=INT_OR_TEXT,
    provider=described(ANYTHING, "How to measure: exactly one provider."),
)

ANALYSIS = record(
    args=ARGUMENTS,
    metrics=listed(METRIC),
    dryRun=listed(record(("metricName",), metricName={"type": "string", "format": "regex"})),
    measurementRetention=listed(
        record(("metricName", "limit"), metricName={"type": "string", "format": "regex"}, limit={"type": "integer"})
    ),
    templates=listed(record(("templateName",), templateName=TEXT, clusterScope={"type": "boolean"})),
)

METADATA = {
    "type": "object",
    "properties": {"name": TEXT, "namespace": TEXT, "labels": LABELS, "annotations": LABELS},
}


def manifest(spec: Schema) -> Schema:
    """A Kubernetes manifest around a spec."""
    return record(("metadata", "spec"), apiVersion=TEXT, kind=TEXT, metadata=METADATA, spec=spec, status=ANYTHING)


WAREHOUSE_FIELDS: Mapping[str, Schema] = {
    "shard": TEXT,
    "interval": described(DURATION, "How often to look for new artifacts; 5m by default."),
    "freightCreationPolicy": {"type": "string", "enum": ["Automatic", "Manual"]},
    "freightCreationCriteria": either(
        {"type": "string", "format": "expression"},
        record(("expression",), expression={"type": "string", "format": "expression"}),
        about="An expression, without ${{ }}, that must be true for new freight.",
    ),
}


def subscription(kinds: Mapping[str, Schema]) -> Schema:
    """One entry of `subscriptions`: exactly one kind, and a name if it needs one."""
    return {
        **record(name=NAME, **kinds),
        "oneOf": [{"required": [kind]} for kind in kinds],
    }


def receiver(senders: Mapping[str, Schema]) -> Schema:
    """One entry of `webhookReceivers`: a name, and exactly one sender."""
    return {**record(("name",), name=NAME, **senders), "oneOf": [{"required": [sender]} for sender in senders]}


def warehouse(kinds: Mapping[str, Schema]) -> Schema:
    return record(
        ("subscriptions",),
        **WAREHOUSE_FIELDS,
        subscriptions=listed(subscription(kinds), fewest=1, about="What to watch."),
    )
