"""The words of the domain as plain data (glossary: DESIGN §6). No behaviour beyond what one value says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, NewType

StageName = NewType("StageName", str)
WarehouseName = NewType("WarehouseName", str)
FreightId = NewType("FreightId", str)
CommitSha = NewType("CommitSha", str)
RepositoryName = NewType("RepositoryName", str)  # "owner/name"


# --- artifacts and freight -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit of a watched Git repository; `tag` when a tag led to it, `branch` when a branch did."""

    repo_url: str
    id: CommitSha
    branch: str = ""
    tag: str = ""
    message: str = ""
    author: str = ""
    committer: str = ""
    subscription_name: str = ""


@dataclass(frozen=True, slots=True)
class Image:
    """One container image. `digest` is that of the tag's top manifest, the index for a multi-arch image."""

    repo_url: str
    tag: str
    digest: str
    annotations: Mapping[str, str] = field(default_factory=dict)
    subscription_name: str = ""


@dataclass(frozen=True, slots=True)
class Chart:
    """One Helm chart. `name` is empty for OCI charts, whose URL ends with it."""

    repo_url: str
    name: str
    version: str
    subscription_name: str = ""


Artifact = Commit | Image | Chart


@dataclass(frozen=True, slots=True)
class Freight:
    """One set of artifacts that travels together.

    `id` follows from the content (`core.freight.freight_id`), so two equal sets are the same freight.
    `discovered_at` orders freight by age; it is not part of its identity.
    """

    id: FreightId
    alias: str
    origin: WarehouseName
    commits: tuple[Commit, ...] = ()
    images: tuple[Image, ...] = ()
    charts: tuple[Chart, ...] = ()
    discovered_at: datetime | None = None

    @property
    def artifacts(self) -> tuple[Artifact, ...]:
        return (*self.images, *self.charts, *self.commits)


# --- the pipeline, as `.promotion.yaml` tells it ----------------------------------------------------


class FreightCreation(StrEnum):
    AUTOMATIC = "Automatic"
    MANUAL = "Manual"


@dataclass(frozen=True, slots=True)
class Subscription:
    """One place artifacts are discovered. `kind` names the plug-in (`image`, `git`, `chart`), which reads `config`."""

    kind: str
    config: Mapping[str, Any]
    name: str = ""


@dataclass(frozen=True, slots=True)
class Warehouse:
    """A named set of subscriptions that together yield freight, polled every `interval`."""

    name: WarehouseName
    subscriptions: tuple[Subscription, ...]
    interval: timedelta = timedelta(minutes=5)
    creation_policy: FreightCreation = FreightCreation.AUTOMATIC
    creation_criteria: str = ""  # expr-lang, without ${{ }}


class Availability(StrEnum):
    ONE_OF = "OneOf"
    ALL = "All"


class Selection(StrEnum):
    NEWEST_FREIGHT = "NewestFreight"
    MATCH_UPSTREAM = "MatchUpstream"


@dataclass(frozen=True, slots=True)
class FreightRequest:
    """From where a stage takes the freight of one warehouse."""

    origin: WarehouseName
    direct: bool = False
    stages: tuple[StageName, ...] = ()
    required_soak: timedelta = timedelta(0)
    availability: Availability = Availability.ONE_OF
    selection: Selection = Selection.NEWEST_FREIGHT


@dataclass(frozen=True, slots=True)
class Variable:
    name: str
    value: Any  # may hold ${{ }}


@dataclass(frozen=True, slots=True)
class StepSpec:
    """One step as configured; `config` and `vars` may hold ${{ }}, evaluated just before the step runs."""

    uses: str
    alias: str
    config: Mapping[str, Any] = field(default_factory=dict)
    condition: str | None = None  # `if:`
    continue_on_error: bool = False
    timeout: timedelta | None = None
    error_threshold: int | None = None
    vars: tuple[Variable, ...] = ()
    task: str = ""  # alias of the task this step was inflated from


@dataclass(frozen=True, slots=True)
class PromotionTemplate:
    steps: tuple[StepSpec, ...]
    vars: tuple[Variable, ...] = ()


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of an analysis. `value` None means: must be given by the caller."""

    name: str
    value: str | None = None
    secret: tuple[str, str] | None = None  # (secret name, key)


@dataclass(frozen=True, slots=True)
class Verification:
    templates: tuple[str, ...]
    args: tuple[Argument, ...] = ()


class MergePolicy(StrEnum):
    """Who merges the promotion's pull request: people (the default), or Towpath once every gate and check holds."""

    PEOPLE = "people"
    AUTO = "auto"


class WindowKind(StrEnum):
    ALLOW = "Allow"
    DENY = "Deny"


@dataclass(frozen=True, slots=True)
class PromotionWindow:
    """A time in which promotions may or may not happen: RFC 5545 texts, `start` and `end` that of the first occurrence.

    Without `rule` it is one interval. The times may start with `TZID=<zone>:`.
    """

    name: str
    kind: WindowKind
    rule: str = ""
    start: str = ""
    end: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """A place freight can be in. Without a template it is a control-flow stage: a junction that verifies at once."""

    name: StageName
    requests: tuple[FreightRequest, ...]
    template: PromotionTemplate | None = None
    verification: Verification | None = None
    vars: tuple[Variable, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    auto: bool = False
    merge: MergePolicy = MergePolicy.PEOPLE
    merge_method: str = "merge"  # merge, squash or rebase
    allow: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # command -> "@org/team" or login
    target_branch: str = ""  # as the steps say it (`landing_branch`); "" = the default; may hold ${{ }}
    windows: tuple[PromotionWindow, ...] = ()

    @property
    def is_control_flow(self) -> bool:
        return self.template is None

    @property
    def upstreams(self) -> frozenset[StageName]:
        return frozenset(name for request in self.requests for name in request.stages)


# --- analysis (Argo Rollouts' AnalysisTemplate) -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric as written. Fields are raw: strings may hold {{args.x}}, resolved when the analysis starts."""

    name: str
    provider: str  # the plug-in: web, prometheus, …
    config: Mapping[str, Any]
    interval: str = ""
    initial_delay: str = ""
    count: str | int | None = None
    success_condition: str = ""
    failure_condition: str = ""
    failure_limit: str | int | None = None
    inconclusive_limit: str | int | None = None
    consecutive_error_limit: str | int | None = None
    consecutive_success_limit: str | int | None = None


@dataclass(frozen=True, slots=True)
class MeasurementRetention:
    metric_name: str
    limit: int


@dataclass(frozen=True, slots=True)
class AnalysisTemplate:
    name: str
    metrics: tuple[Metric, ...]
    args: tuple[Argument, ...] = ()
    dry_run: tuple[str, ...] = ()
    retention: tuple[MeasurementRetention, ...] = ()
    templates: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Receiver:
    """A door for one sender that tells of new artifacts. `secret` is the name of the repository's secret that proves
    it; `kind` names the plug-in, which reads `config`."""

    name: str
    kind: str
    secret: str
    config: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Everything a valid `.promotion.yaml` says, desugared. Order is that of the file."""

    warehouses: Mapping[WarehouseName, Warehouse]
    stages: Mapping[StageName, Stage]
    verifications: Mapping[str, AnalysisTemplate] = field(default_factory=dict)
    receivers: tuple[Receiver, ...] = ()

    def stages_in_order(self) -> tuple[Stage, ...]:
        """Upstream before downstream; within one rank, the order of the file."""
        done: dict[StageName, Stage] = {}
        waiting = dict(self.stages)
        while waiting:
            ready = [s for s in waiting.values() if s.upstreams.isdisjoint(waiting.keys() - {s.name})]
            for stage in ready or list(waiting.values()):  # a cycle is a problem found elsewhere; never loop here
                done[stage.name] = waiting.pop(stage.name)
        return tuple(done.values())


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake in the configuration. `line` and `column` count from 1; `message` says what to do about it."""

    file: str
    line: int
    column: int
    severity: Severity
    code: str
    message: str
