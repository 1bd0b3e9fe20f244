"""What `argocd-update` wants of an Application's sources: which revision, and which changes of its `spec`."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.contracts.schema import Schema
from bot.contracts.steps import PromotionInfo, StepContext
from bot.core.urls import normalize_chart, normalize_git
from bot.errors import UserError
from bot.steps.argocd.application import Application
from bot.steps.artifacts import find_image
from bot.steps.earlier import output_of
from bot.steps.shapes import FLAG, MAYBE, ORIGIN, TEXT, listed, record, told

_FROM = told(ORIGIN, "Of which warehouse's freight (deprecated: `imageFrom()`, `commitFrom()`, `chartFrom()`).")
_KUSTOMIZE_IMAGE = record(
    "repoURL",
    repoURL=told(TEXT, "The image's repository, as the manifests call it."),
    newName=told(MAYBE, "What to call it instead."),
    tag=told(MAYBE, "With neither tag nor digest: as in the freight."),
    digest=MAYBE,
    useDigest=told(FLAG, "Take the freight's digest, not its tag (deprecated: `digest`)."),
    fromOrigin=_FROM,
)
_HELM_IMAGE = record(
    "key value",
    key=told(TEXT, "The parameter's name, like image.tag."),
    value=told({"type": "string"}, "What it is set to."),
    repoURL=told(TEXT, "`value` is then Tag, ImageAndTag, Digest or ImageAndDigest of the freight (deprecated)."),
    fromOrigin=_FROM,
)
SOURCES: Schema = told(
    listed(
        record(
            "repoURL",
            repoURL=told(TEXT, "Which source is meant: its repository, as the Application has it."),
            chart=told(TEXT, "Its chart, where it is one."),
            desiredRevision=told(TEXT, "What it is to be synced to; left out: what the freight has of it."),
            desiredCommitFromStep=told(TEXT, "The step whose `commit` that is (deprecated: `desiredRevision`)."),
            updateTargetRevision=told(FLAG, "Write the revision into the source, too."),
            kustomize=record(images=listed(_KUSTOMIZE_IMAGE, at_least=1), fromOrigin=_FROM),
            helm=record("images", images=listed(_HELM_IMAGE, at_least=1), fromOrigin=_FROM),
            fromOrigin=_FROM,
        ),
        at_least=1,
    ),
    "What is wanted of its sources.",
)
_KINDS = ("Tag", "ImageAndTag", "Digest", "ImageAndDigest")
# What Helm's --set takes for something else than text; Argo CD passes a parameter so unless told otherwise.
_NO_TEXT = re.compile(r"true|false|null|[+-]?[0-9][0-9_]*(?:\.[0-9]*)?(?:[eE][+-]?[0-9]+)?")

Origin = Mapping[str, Any] | None


def desired_revisions(
    context: StepContext, app: Application, updates: Sequence[Mapping[str, Any]], step: str
) -> tuple[str, ...]:
    """The revision wanted of each source, "" where any will do. Raises UserError for an update that fits no source."""
    return tuple(
        _revision(context, source, update, step) if update else ""
        for source, update in zip(app.sources, _updates(app, updates), strict=True)
    )


def changed_spec(
    promotion: PromotionInfo, app: Application, updates: Sequence[Mapping[str, Any]], revisions: Sequence[str]
) -> dict[str, Any]:
    """The parts of the Application's `spec` to be changed; empty when it is as it should be already."""
    changed = [
        _edited(promotion, source, update, revision) if update else dict(source)
        for source, update, revision in zip(app.sources, _updates(app, updates), revisions, strict=True)
    ]
    if changed == [dict(source) for source in app.sources]:
        return {}
    return {"sources": changed} if app.has_many else {"source": changed[0]}


def _updates(app: Application, updates: Sequence[Mapping[str, Any]]) -> tuple[Mapping[str, Any] | None, ...]:
    """The update of each source. Several for one repository and chart go to its sources in order, the last to the
    remaining ones, so that one is enough for all of them."""
    found: list[Mapping[str, Any] | None] = []
    taken: list[int] = []
    for source in app.sources:
        fitting = [number for number, update in enumerate(updates) if _fits(source, update)]
        fresh = [number for number in fitting if number not in taken]
        chosen = fresh[0] if fresh else fitting[-1] if fitting else None
        if chosen is not None:
            taken.append(chosen)
        found.append(None if chosen is None else updates[chosen])
    for number, update in enumerate(updates):
        if number not in taken:
            chart = f" and the chart {update['chart']}" if update.get("chart") else ""
            known = ", ".join(_said(source) for source in app.sources) or "none"
            raise UserError(
                f"{app.key} has no {'further ' if update in updates[:number] else ''}source of {update['repoURL']}"
                f"{chart}; its sources: {known}"
            )
    return tuple(found)


def _fits(source: Mapping[str, Any], update: Mapping[str, Any]) -> bool:
    url, chart = str(source.get("repoURL") or ""), str(source.get("chart") or "")
    if chart or update.get("chart"):
        return chart == update.get("chart") and url.rstrip("/") == update["repoURL"].rstrip("/")
    return normalize_git(url) == normalize_git(update["repoURL"])


def _said(source: Mapping[str, Any]) -> str:
    chart = source.get("chart")
    return f"{source.get('repoURL')}{f' with the chart {chart}' if chart else ''}"


def _revision(context: StepContext, source: Mapping[str, Any], update: Mapping[str, Any], step: str) -> str:
    named, alias = update.get("desiredRevision", ""), update.get("desiredCommitFromStep", "")
    if named and alias:
        raise UserError(f"{step} is given `desiredRevision` and `desiredCommitFromStep` of a source; leave one out")
    if alias:
        output = output_of(context, alias, step)
        if output and not output.get("commit"):
            raise UserError(
                f"the step {alias!r} put out no commit; name a git-commit, git-push or git-wait-for-pr step in "
                "`desiredCommitFromStep`"
            )
        named = str(output.get("commit", ""))  # a step that was skipped put out nothing: any revision will do
    revision = named or _of_freight(context.promotion, source, update.get("fromOrigin"))
    if update.get("updateTargetRevision") and not revision:
        raise UserError(
            f"{step} is to write a revision into the source {_said(source)}, and none is known; give `desiredRevision`"
        )
    return str(revision)


def _of_freight(promotion: PromotionInfo, source: Mapping[str, Any], origin: Origin) -> str:
    """What the freight has of a source's repository or chart; "" for nothing, and for several warehouses' different."""
    url, chart = str(source.get("repoURL") or ""), str(source.get("chart") or "")
    freight = [f for f in promotion.collection if origin is None or f.origin == origin["name"]]
    if not chart:
        found = {str(c.id) for f in freight for c in f.commits if normalize_git(c.repo_url) == normalize_git(url)}
    else:
        address = normalize_chart(url).rstrip("/")
        names = {(address, chart), (f"{address}/{chart}", "")}  # the chart's name is part of an OCI address
        charts = (c for f in freight for c in f.charts)
        found = {c.version for c in charts if (normalize_chart(c.repo_url).rstrip("/"), c.name) in names}
    return found.pop() if len(found) == 1 else ""


def _edited(
    promotion: PromotionInfo, source: Mapping[str, Any], update: Mapping[str, Any], revision: str
) -> dict[str, Any]:
    edited = dict(source)
    if update.get("updateTargetRevision"):
        edited["targetRevision"] = revision
    if source.get("ref") and not source.get("path") and not source.get("chart"):
        return edited  # it lends files to the others, and renders nothing
    if kustomize := update.get("kustomize", {}).get("images"):
        origins = (update["kustomize"].get("fromOrigin"), update.get("fromOrigin"))
        images = [_kustomize_image(promotion, image, origins) for image in kustomize]
        edited["kustomize"] = {**(source.get("kustomize") or {}), "images": images}
    if helm := update.get("helm", {}).get("images"):
        origins = (update["helm"].get("fromOrigin"), update.get("fromOrigin"))
        present = source.get("helm") or {}
        values = {image["key"]: _helm_value(promotion, image, origins) for image in helm}
        edited["helm"] = {**present, "parameters": _parameters(present.get("parameters") or [], values)}
    return edited


def _kustomize_image(promotion: PromotionInfo, image: Mapping[str, Any], origins: Iterable[Origin]) -> str:
    """As `kustomize edit set image` takes it: https://argo-cd.readthedocs.io/en/stable/user-guide/kustomize/"""
    tag, digest = image.get("tag", ""), image.get("digest", "")
    if tag and digest:
        raise UserError(f"argocd-update is given a tag and a digest for {image['repoURL']}; leave one out")
    if not (tag or digest):
        found = find_image(promotion, image["repoURL"], _origin(image, origins))
        tag, digest = ("", found.digest) if image.get("useDigest") else (found.tag, "")
    name = f"{image['repoURL']}={image['newName']}" if image.get("newName") else image["repoURL"]
    return f"{name}@{digest}" if digest else f"{name}:{tag}"


def _helm_value(promotion: PromotionInfo, image: Mapping[str, Any], origins: Iterable[Origin]) -> str:
    repository, value = image.get("repoURL"), str(image["value"])
    if not repository:
        return value
    if value not in _KINDS:
        raise UserError(
            f"`value` of {image['key']} is {value!r}; with a `repoURL` beside it, it is one of {', '.join(_KINDS)}"
        )
    found = find_image(promotion, repository, _origin(image, origins))
    text = found.tag if value.endswith("Tag") else found.digest
    if not text:
        raise UserError(f"the image {repository} of the freight has no {'tag' if value.endswith('Tag') else 'digest'}")
    return text if value in {"Tag", "Digest"} else f"{repository}{':' if value == 'ImageAndTag' else '@'}{text}"


def _origin(image: Mapping[str, Any], outer: Iterable[Origin]) -> Origin:
    return next((origin for origin in (image.get("fromOrigin"), *outer) if origin), None)


def _parameters(present: Sequence[Mapping[str, Any]], values: Mapping[str, str]) -> list[dict[str, Any]]:
    """Those that are there with their new values, and the new ones after them. A new one that looks like a number
    (tag 1.20) is said to be text: otherwise Helm would read 1.2."""
    changed = [{**one, "value": values[one["name"]]} if one.get("name") in values else dict(one) for one in present]
    known = {one.get("name") for one in present}
    for name, value in values.items():
        if name not in known:
            forced = {"forceString": True} if _NO_TEXT.fullmatch(value) else {}
            changed.append({"name": name, "value": value, **forced})
    return changed
