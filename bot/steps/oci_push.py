"""oci-push: copy an artifact from one OCI repository to another, or give it one more tag."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.contracts.registry import Annotations
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.steps.shapes import ARTIFACT, FLAG, TEXT, record, told

NAME = "oci-push"
HELP = "Copy an image or chart to another OCI repository, or give it one more tag."
SCHEMA: Schema = record(
    "srcRef destRef",
    srcRef=told(ARTIFACT, "What is copied, by tag or digest, like registry.example.com/service@sha256:…."),
    destRef=told(
        {**TEXT, "pattern": r"^(oci://)?[^\s@]+:[^\s/@]+$"},
        "Where to, with a tag, like registry.example.com/prod/service:1.0.0; oci:// may precede both.",
    ),
    annotations=told(
        {"type": "object", "additionalProperties": {"type": "string"}},
        "Added to the copy: to the index with `index:` before the name, else to each image (`manifest:`).",
    ),
    insecureSkipTLSVerify=told(FLAG, "Of both registries."),
)
TIMEOUT = timedelta(minutes=30)
_MOST_BYTES = 1 << 30  # between repositories, as in Kargo
_INDEX, _MANIFEST = "index:", "manifest:"


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `image`, `digest`, `tag`. Done again, it finds its work done."""
    pushed = await context.artifacts.copy(
        config["srcRef"],
        config["destRef"],
        annotations=_annotations(config.get("annotations", {})),
        scratch=context.workdir,
        size_limit=_MOST_BYTES,
        verify_tls=not config.get("insecureSkipTLSVerify", False),
    )
    return StepResult(StepStatus.SUCCEEDED, {"image": pushed.image, "digest": pushed.digest, "tag": pushed.tag})


def _annotations(wanted: Mapping[str, str]) -> Annotations:
    index = {key.removeprefix(_INDEX): value for key, value in wanted.items() if key.startswith(_INDEX)}
    manifest = {key.removeprefix(_MANIFEST): value for key, value in wanted.items() if not key.startswith(_INDEX)}
    return Annotations(index, manifest)
