"""Spellings Kargo has left behind: read as the new ones, with a warning that names them.

https://docs.kargo.io/release-notes/
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.core.configuration.loading import Loading
from bot.core.configuration.places import Path, Place

# An image's tag comes after the last `/`: before it, a colon leads to a port.
_TAG = re.compile(r"^(?P<repository>.*?)(?P<tag>:[^/:@]+)?(?P<digest>@.+)?$", re.DOTALL)

_COMMIT = 'use ${{ outputs["<alias>"].commit }}'
_ORIGIN = 'name the warehouse in the expression, as in imageFrom("<image>", warehouse("<name>"))'
# The step, the path inside its config (`*`: every entry of a list), and what to write instead.
_STEP_FIELDS: Mapping[str, tuple[tuple[Path, str], ...]] = {
    "helm-update-image": (((), "use the step yaml-update with imageFrom()"),),
    "git-commit": (
        (("messageFromSteps",), 'use message: ${{ outputs["<alias>"].commitMessage }}'),
        (("author",), "set author in git-clone"),
    ),
    "git-open-pr": (
        (("sourceBranchFromStep",), 'use sourceBranch: ${{ outputs["<alias>"].branch }}, or leave it out'),
        (("createTargetBranch",), "leave it out; it does nothing"),
    ),
    "git-wait-for-pr": ((("prNumberFromStep",), 'use prNumber: ${{ outputs["<alias>"].pr.id }}, or leave it out'),),
    "git-clone": (
        (("checkout", "*", "fromFreight"), 'use commit: ${{ commitFrom("<repository>").ID }}'),
        (("checkout", "*", "fromOrigin"), 'use commit: ${{ commitFrom("<repository>", warehouse("<name>")).ID }}'),
    ),
    "kustomize-set-image": (
        (("images", "*", "useDigest"), 'use digest: ${{ imageFrom("<image>").Digest }}'),
        (("images", "*", "fromOrigin"), _ORIGIN),
    ),
    "helm-update-chart": ((("charts", "*", "fromOrigin"), _ORIGIN),),
    "argocd-update": (
        (("apps", "*", "fromOrigin"), _ORIGIN),
        (("apps", "*", "sources", "*", "fromOrigin"), _ORIGIN),
        (("apps", "*", "sources", "*", "desiredCommitFromStep"), f"{_COMMIT} as desiredRevision"),
        (("apps", "*", "sources", "*", "kustomize", "images", "*", "useDigest"), "use digest"),
    ),
}
_OLD_NUMBER = re.compile(r"\boutputs(?:\.\w+|\[[^\]]*\])\.prNumber\b")
_OLD_SECRETS = re.compile(r"(?<![\w.])secrets\.\w")


def modernise_warehouse(raw: Any, place: Place, loading: Loading) -> Any:
    """A warehouse, its shape not yet checked, with the subscriptions' old spellings replaced."""
    if not isinstance(raw, dict):
        return raw
    modern = dict(raw)
    if isinstance(raw.get("subscriptions"), list):
        at = place / "subscriptions"
        modern["subscriptions"] = [_subscription(each, at / i, loading) for i, each in enumerate(raw["subscriptions"])]
    for kind in loading.plugins.subscriptions:
        if isinstance(raw.get(kind), list):
            at = place / kind
            modern[kind] = [_config(kind, each, at / i, loading) for i, each in enumerate(raw[kind])]
        elif kind in raw:
            modern[kind] = _config(kind, raw[kind], place / kind, loading)
    return modern


def _subscription(raw: Any, place: Place, loading: Loading) -> Any:
    if not isinstance(raw, dict):
        return raw
    return {kind: _config(kind, config, place / kind, loading) for kind, config in raw.items()}


def _config(kind: str, raw: Any, place: Place, loading: Loading) -> Any:
    if kind == "image" and isinstance(raw, str):
        return _without_tag(raw, place, loading)
    if not isinstance(raw, dict) or kind not in {"image", "git"}:
        return raw
    modern: dict[str, Any] = {}
    for name, value in raw.items():
        new = _renamed(kind, name, value)
        if new is None:
            modern[name] = value
            continue
        renamed, converted = new
        advice = f"write `{renamed}` instead" if renamed else "leave it out"
        loading.problems.warn(place / name, "deprecated", f"`{name}` is deprecated; {advice}", key=True)
        if renamed:
            modern[renamed] = converted
    if kind == "image" and isinstance(modern.get("repoURL"), str):
        modern["repoURL"] = _without_tag(modern["repoURL"], place / "repoURL", loading)
    return modern


def _renamed(kind: str, name: str, value: Any) -> tuple[str, Any] | None:
    """New name and value of an old field; an empty name when it means nothing any more."""
    if name == "allowTags":
        return "allowTagsRegexes", [value]
    if name == "ignoreTags":
        tags = value if isinstance(value, list) else [value]
        return "ignoreTagsRegexes", [f"^{re.escape(str(tag))}$" for tag in tags]
    if kind == "image" and name == "semverConstraint":
        return "constraint", value
    if kind == "image" and name == "gitRepoURL":
        return "", None
    return None


def _without_tag(url: str, place: Place, loading: Loading) -> str:
    found = _TAG.match(url)
    if found is None or (not found["tag"] and not found["digest"]):
        return url
    extra = (found["tag"] or "") + (found["digest"] or "")
    if "/" not in found["repository"] and found["tag"] and found["tag"][1:].isdigit() and not found["digest"]:
        return url  # `localhost:5000` alone: a host, not an image
    message = (
        f"`{extra[:60]}` in repoURL is left out: a warehouse watches all tags of `{found['repository'][:60]}`; "
        "remove it, and use `constraint` to choose among them"
    )
    loading.problems.warn(place, "tag-in-repo-url", message)
    return found["repository"]


def warn_of_old_step(uses: str, config: Any, place: Place, loading: Loading) -> None:
    """Warn of each deprecated field in a step's config. Their meaning is the step's own affair."""
    for path, advice in _STEP_FIELDS.get(uses, ()):
        if not path:
            loading.problems.warn(place / "uses", "deprecated", f"the step `{uses}` is deprecated; {advice}")
            continue

        def warn(found: Path, _: Any, name: str = str(path[-1]), advice: str = advice) -> None:
            message = f"`{name}` is deprecated; {advice}"
            loading.problems.warn((place / "config").at(found), "deprecated", message, key=True)

        visit(config, path, (), warn)


def warn_of_old_expressions(text: str, place: Place, loading: Loading) -> None:
    """Warn of what expressions no longer offer."""
    if _OLD_NUMBER.search(text):
        message = "`prNumber` of git-open-pr is deprecated; write .pr.id instead"
        loading.problems.warn(place, "deprecated", message)
    if _OLD_SECRETS.search(text):
        message = '`secrets` is deprecated; write secret("<name>").<key> instead'
        loading.problems.warn(place, "deprecated", message)


def visit(value: Any, path: Path, done: Path, found: Callable[[Path, Any], None]) -> None:
    """Call `found` with every place in the value that a path with `*` leads to, and what is there."""
    if not path:
        found(done, value)
    elif path[0] == "*":
        for index, item in enumerate(value if isinstance(value, list) else ()):
            visit(item, path[1:], (*done, index), found)
    elif isinstance(value, dict) and path[0] in value:
        visit(value[path[0]], path[1:], (*done, path[0]), found)
