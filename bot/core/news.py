"""What senders tell: one artifact that may be new, as plain data. News is a hint where to look, never what to do.

Whoever lies costs a poll: what there really is, is asked of the place itself.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.urls import image_repository, normalize_chart, normalize_git, normalize_image

HELM_CONFIG = "application/vnd.cncf.helm.config.v1+json"  # https://helm.sh/docs/topics/registries/
_HEADS, _TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True)
class News:
    """One artifact that came, went or moved.

    `kind` is the subscriptions' that may want it. `addresses` are all the ways to write where it is, normalised.
    `version` is its tag or version, `branch` its branch; both "" where that isn't known. `default_branch` is what the
    sender says it is. `paths` are those that changed, None where not all are known. `chart` is the chart's name in a
    repository of many.
    """

    kind: str
    addresses: tuple[str, ...]
    version: str = ""
    branch: str = ""
    default_branch: str = ""
    paths: tuple[str, ...] | None = None
    chart: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Warehouses that were chosen by name ("": any) and by what they watch, whatever came of it."""

    name: str = ""
    watching: tuple[str, ...] = ()
    not_watching: tuple[str, ...] = ()


Told = News | Refresh


def image(url: str, tag: str) -> tuple[News, ...]:
    """An image was pushed; nothing where no repository is named."""
    address = normalize_image(image_repository(url.strip()).removesuffix(":"))
    return (News("image", (address,), tag),) if address else ()


def chart(url: str, version: str, name: str = "") -> tuple[News, ...]:
    """A chart was pushed: to an OCI registry, or (`name`) to a classic repository."""
    address = normalize_chart(url.strip())
    return (News("chart", (address.removesuffix("/"),), version, chart=name),) if address else ()


def artifact(url: str, tag: str, config_type: str = "") -> tuple[News, ...]:
    """Something was pushed to an OCI registry: a chart by the media type of its config, or else (unless there is none
    to tell) an image."""
    images = () if config_type == HELM_CONFIG else image(url, tag)
    charts = chart(image_repository(url.strip()).removesuffix(":"), tag) if config_type in {"", HELM_CONFIG} else ()
    return images + charts


def push(
    urls: Iterable[str], ref: str, default_branch: str = "", paths: Iterable[str] | None = None
) -> tuple[News, ...]:
    """A branch or tag was made, moved or deleted; nothing for other refs, or where no repository is named.

    `paths` are those that changed on a branch. Of a tag they say nothing: it may lead anywhere.
    """
    addresses = tuple(dict.fromkeys(normalize_git(url) for url in urls if url))
    if not addresses:
        return ()
    if ref.startswith(_TAGS):
        return (News("git", addresses, version=ref.removeprefix(_TAGS)),)
    if not ref.startswith(_HEADS):
        return ()
    changed = None if paths is None else tuple(paths)
    return (News("git", addresses, branch=ref.removeprefix(_HEADS), default_branch=default_branch, paths=changed),)
