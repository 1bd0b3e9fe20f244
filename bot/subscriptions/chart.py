"""Helm charts, in classic repositories and in OCI registries.

https://docs.kargo.io/user-guide/how-to-guides/working-with-warehouses#chart-subscriptions
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.contracts import Discovered, DiscoveryContext, Registry, Schema
from bot.core.model import Artifact, Chart
from bot.core.news import News
from bot.core.urls import normalize_chart
from bot.subscriptions import fields
from bot.subscriptions.tags import TagRules

NAME = "chart"
HELP = "Versions of a Helm chart, in a classic repository (https://) or an OCI registry (oci://)."
SCHEMA: Schema = {
    "type": "object",
    "properties": {
        "repoURL": {**fields.TEXT, "description": "https://… of a repository, or oci://… of the chart itself."},
        "name": {**fields.TEXT, "description": "The chart's name; left out for oci://, whose address ends with it."},
        "semverConstraint": {**fields.TEXT, "description": "The versions wanted, such as ^1.0.0."},
        "insecureSkipTLSVerify": {"type": "boolean", "default": False, "description": "Accept any certificate."},
        "discoveryLimit": fields.LIMIT,
    },
    "required": ["repoURL"],
    "additionalProperties": False,
}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The configuration, read, and the registry to ask under it."""

    registry: Registry
    config: Mapping[str, Any]
    repo_url: str
    chart: str
    rules: TagRules
    limit: int
    name: str

    async def versions(self) -> list[str]:
        """All wanted versions, highest first."""
        if self.chart:
            return self.rules.by_version(await self.registry.chart_versions(self.repo_url, self.chart))
        tags = await self.registry.tags(self.repo_url.removeprefix("oci://"))
        # Helm pushes a version as the tag, with _ for the + that tags can't have; a v is no part of it.
        # https://helm.sh/docs/topics/registries/#the-push-subcommand
        return self.rules.by_version(tag.replace("_", "+") for tag in tags if not tag.startswith("v"))

    def chart_of(self, version: str) -> Chart:
        return Chart(self.repo_url, self.chart, version, self.name)


async def discover(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> Discovered:
    """The highest versions, up to `discoveryLimit`, with one request (none answered in full when nothing changed)."""
    wanted = _read(context, config, name)
    return Discovered(tuple(wanted.chart_of(version) for version in (await wanted.versions())[: wanted.limit]))


async def find(context: DiscoveryContext, config: Mapping[str, Any], name: str, version: str) -> Artifact | None:
    """The chart of exactly this version, if the rules let it pass."""
    wanted = _read(context, config, name)
    return wanted.chart_of(version) if version in await wanted.versions() else None


def address(config: Mapping[str, Any]) -> str:
    return normalize_chart(fields.required(config, "repoURL")).removesuffix("/")


def concerned(config: Mapping[str, Any], news: News) -> bool:
    """By the chart's name, where the repository holds many, and its version."""
    name = fields.text(config, "name")
    if news.chart and name and news.chart != name:
        return False
    rules = TagRules.read({**config, "strictSemvers": not name}, fields.text(config, "semverConstraint"))
    if not name and news.version.startswith("v"):
        return False
    return not news.version or bool(rules.by_version([news.version if name else news.version.replace("_", "+")]))


def _read(context: DiscoveryContext, config: Mapping[str, Any], name: str) -> _Wanted:
    url, chart = fields.required(config, "repoURL"), fields.text(config, "name")
    is_oci = url.startswith("oci://")
    if is_oci and chart:
        raise fields.mistake(config, f"with oci://, leave out name and let repoURL end with it: {url}/{chart}")
    if not is_oci and not url.startswith(("https://", "http://")):
        raise fields.mistake(config, "repoURL must begin with https://, http:// or oci://")
    if not is_oci and not chart:
        raise fields.mistake(config, "name must be given: the repository holds many charts")
    rules = TagRules.read({**config, "strictSemvers": is_oci}, fields.text(config, "semverConstraint"))
    registry = context.registry.configured(verify_tls=not fields.flag(config, "insecureSkipTLSVerify"))
    return _Wanted(registry, config, url, chart, rules, fields.limit(config), name)
