"""What rendered manifests would run: the images of their workloads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

# Where each kind of workload keeps its pod.
# https://kubernetes.io/docs/concepts/workloads/controllers/
_PODS: Mapping[str, tuple[str, ...]] = {
    "Deployment": ("spec", "template", "spec"),
    "StatefulSet": ("spec", "template", "spec"),
    "DaemonSet": ("spec", "template", "spec"),
    "ReplicaSet": ("spec", "template", "spec"),
    "Rollout": ("spec", "template", "spec"),
    "Job": ("spec", "template", "spec"),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
    "Pod": ("spec",),
}


@dataclass(frozen=True, slots=True)
class Running:
    """The images that run, in the order of the manifests; the first is the one that answers."""

    images: tuple[str, ...]

    @property
    def versions(self) -> tuple[str, ...]:
        return tuple(version_of(image) for image in self.images)

    @property
    def version(self) -> str:
        """The version of the image that answers; "" when none runs."""
        return self.versions[0] if self.images else ""


def read(content: bytes) -> Running:
    """Raises ValueError, fit for people, when the content is not a list of manifests."""
    try:
        documents = list(yaml.load_all(content, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the manifests are not YAML: {error}") from error
    if not all(isinstance(document, Mapping | None) for document in documents):
        raise ValueError("the manifests are not Kubernetes objects")
    return Running(tuple(image for document in documents for image in _images(document)))


def version_of(image: str) -> str:
    """The tag of an image reference, else its digest, else `latest`."""
    name, _, digest = image.partition("@")
    tag = name.rpartition("/")[2].partition(":")[2]
    return tag or digest or "latest"


def _images(document: object) -> Iterator[str]:
    if not isinstance(document, Mapping):
        return
    if document.get("kind") == "List":
        items = document.get("items")
        for item in items if isinstance(items, list) else ():
            yield from _images(item)
        return
    pod: Any = document
    for key in _PODS.get(str(document.get("kind")), ("",)):
        pod = pod.get(key) if isinstance(pod, Mapping) else None
    containers = pod.get("containers") if isinstance(pod, Mapping) else None
    for container in containers if isinstance(containers, list) else ():
        image = container.get("image") if isinstance(container, Mapping) else None
        if isinstance(image, str) and image:
            yield image
