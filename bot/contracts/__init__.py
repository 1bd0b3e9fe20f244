"""The shapes that parts of Towpath meet at: what a plug-in must offer, and what the outside world is asked.

A plug-in is one module with the names of its Protocol, listed once in its folder's `__init__`.
A port is a small Protocol; only `app.py` chooses who stands behind it, and tests put a working fake there.
"""

from bot.contracts.clock import Clock
from bot.contracts.forges import Forge, ForgePull, Forges, NewPull
from bot.contracts.git import Git, Identity, PushRejected, PushResult
from bot.contracts.github import GitHub, NotMergeable
from bot.contracts.metrics import Http, HttpAnswer, MeasurementPhase, MetricContext, MetricProvider, Reading, Secrets
from bot.contracts.receivers import Message, Sender
from bot.contracts.registry import Annotations, Artifacts, Login, Pushed
from bot.contracts.schema import Schema
from bot.contracts.steps import (
    DescribePull,
    LockText,
    Programs,
    PromotionInfo,
    RepositoryInfo,
    Step,
    StepContext,
    StepResult,
    StepStatus,
)
from bot.contracts.subscriptions import Discovered, DiscoveryContext, ImageDetails, Registry, Subscription

__all__ = [
    "Annotations",
    "Artifacts",
    "Clock",
    "DescribePull",
    "Discovered",
    "DiscoveryContext",
    "Forge",
    "ForgePull",
    "Forges",
    "Git",
    "GitHub",
    "Http",
    "HttpAnswer",
    "Identity",
    "ImageDetails",
    "LockText",
    "Login",
    "MeasurementPhase",
    "Message",
    "MetricContext",
    "MetricProvider",
    "NewPull",
    "NotMergeable",
    "Programs",
    "PromotionInfo",
    "PushRejected",
    "PushResult",
    "Pushed",
    "Reading",
    "Registry",
    "RepositoryInfo",
    "Schema",
    "Secrets",
    "Sender",
    "Step",
    "StepContext",
    "StepResult",
    "StepStatus",
    "Subscription",
]
