"""Finding in a promotion's freight what a step's configuration names by its repository."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from bot.contracts.steps import PromotionInfo
from bot.core.model import Artifact, Chart, Commit, Freight, Image
from bot.core.urls import image_repository, normalize_chart, normalize_git, normalize_image
from bot.errors import UserError

A = TypeVar("A", bound=Artifact)


def find_image(promotion: PromotionInfo, repository: str, origin: Mapping[str, Any] | None) -> Image:
    """Raises UserError when the freight has no such image, or several."""

    def spelled(url: str) -> str:
        return normalize_image(image_repository(url))

    return _find(promotion, "image", repository, origin, spelled, lambda freight: freight.images)


def find_commit(promotion: PromotionInfo, repository: str, origin: Mapping[str, Any] | None) -> Commit:
    """Raises UserError when the freight has no commit of that repository, or several."""
    return _find(promotion, "commit of", repository, origin, normalize_git, lambda freight: freight.commits)


def find_chart(promotion: PromotionInfo, repository: str, name: str, origin: Mapping[str, Any] | None) -> Chart:
    """Raises UserError when the freight has no such chart, or several. An OCI chart's repository ends with its name."""

    def spelled(url: str) -> str:
        return normalize_chart(url).rstrip("/")

    def named(freight: Freight) -> Iterable[Chart]:
        whole = f"{repository.rstrip('/')}/{name}"
        for chart in freight.charts:
            if chart.name == name or (not chart.name and spelled(chart.repo_url) == spelled(whole)):
                yield chart

    address = f"{repository.rstrip('/')}/{name}" if repository.startswith("oci://") else repository
    return _find(promotion, f"chart {name} of", address, origin, spelled, named)


def all_images(promotion: PromotionInfo) -> tuple[Image, ...]:
    """Every image the stage will hold."""
    return tuple(image for freight in promotion.collection for image in freight.images)


def _find(
    promotion: PromotionInfo,
    kind: str,
    repository: str,
    origin: Mapping[str, Any] | None,
    spelled: Callable[[str], str],
    artifacts: Callable[[Freight], Iterable[A]],
) -> A:
    freight = [f for f in promotion.collection if origin is None or f.origin == origin["name"]]
    found = [(f, a) for f in freight for a in artifacts(f) if spelled(a.repo_url) == spelled(repository)]
    if found and all(a == found[0][1] for _, a in found):
        return found[0][1]
    if not found:
        known = ", ".join(sorted({a.repo_url for f in freight for a in artifacts(f)})) or "none"
        raise UserError(f"the freight has no {kind} {repository}; it has {known}")
    warehouses = ", ".join(sorted({f.origin for f, _ in found}))
    raise UserError(f"several warehouses ({warehouses}) have {repository}; say in `fromOrigin` which one is meant")
