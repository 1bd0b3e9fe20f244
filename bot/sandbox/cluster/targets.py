"""What an Argo CD Application would run: the images of its source at a revision, without rendering anything."""

from __future__ import annotations

import posixpath
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import urlsplit

import yaml

from bot.sandbox.cluster.manifests import read
from bot.sandbox.git import reading
from bot.sandbox.git.process import GitRepo
from bot.sandbox.world import World

_KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")


class Repositories(Protocol):
    """Git, as far as Argo CD needs it. `url` is what a source calls its repository."""

    async def resolve(self, url: str, revision: str) -> str | None:
        """The commit of a branch, tag or commit, `HEAD` being the default branch; None when there is none."""
        ...

    async def files(self, url: str, sha: str, folder: str) -> Mapping[str, bytes]:
        """The files right in a folder at a commit, by name; none when there is no such folder."""
        ...

    async def read(self, url: str, sha: str, path: str) -> bytes | None:
        """One file at a commit."""
        ...


@dataclass(frozen=True, slots=True)
class WorldRepositories:
    """The repositories of a sandbox."""

    world: World

    async def resolve(self, url: str, revision: str) -> str | None:
        found = self._git(url)
        if found is None:
            return None
        git, default = found
        return await reading.resolve(git, default if revision in {"", "HEAD"} else revision)

    async def files(self, url: str, sha: str, folder: str) -> Mapping[str, bytes]:
        found = self._git(url)
        entry = await reading.entry(found[0], sha, folder) if found else None
        if found is None or entry is None or entry.kind != "tree":
            return {}
        entries = await reading.tree(found[0], entry.sha)
        return {one.path: await reading.blob(found[0], one.sha) for one in entries if one.kind == "blob"}

    async def read(self, url: str, sha: str, path: str) -> bytes | None:
        found = self._git(url)
        entry = await reading.entry(found[0], sha, path) if found else None
        return await reading.blob(found[0], entry.sha) if found and entry and entry.kind == "blob" else None

    def _git(self, url: str) -> tuple[GitRepo, str] | None:
        owner, _, name = urlsplit(url).path.strip("/").removesuffix(".git").rpartition("/")
        repo = self.world.repo(owner, name)
        return (self.world.git(repo), repo.default_branch) if repo else None


async def images(repositories: Repositories, source: Mapping[str, Any], sha: str) -> tuple[str, ...]:
    """The images of a source. Raises ValueError, fit for people, when Argo CD could not make manifests of it.

    Of plain manifests they are those of the workloads, of a kustomization its `images`, of a chart `image.tag` of the
    values; and what the source itself says over them.
    """
    url, folder = str(source.get("repoURL")), posixpath.normpath(str(source.get("path") or ".")).strip("/")
    folder = "" if folder == "." else folder
    files = await repositories.files(url, sha, folder)
    if not files:
        raise ValueError(f"{folder or '.'}: app path does not exist")
    if "Chart.yaml" in files:
        return await _of_chart(repositories, source, sha, folder, files)
    own = tuple(_kustomize_image(str(text)) for text in (source.get("kustomize") or {}).get("images") or ())
    kustomization = next((files[name] for name in _KUSTOMIZATIONS if name in files), None)
    if kustomization is not None:
        data = _document(kustomization)
        return own + tuple(_image(one) for one in data.get("images") or () if isinstance(one, Mapping))
    texts = [content for name, content in sorted(files.items()) if name.endswith((".yaml", ".yml"))]
    return own + tuple(image for content in texts for image in read(content).images)


async def _of_chart(
    repositories: Repositories, source: Mapping[str, Any], sha: str, folder: str, files: Mapping[str, bytes]
) -> tuple[str, ...]:
    helm = source.get("helm") or {}
    contents = [files.get("values.yaml", b"")]
    for name in helm.get("valueFiles") or ():
        path = str(name).lstrip("/") if str(name).startswith("/") else posixpath.normpath(posixpath.join(folder, name))
        content = await repositories.read(str(source.get("repoURL")), sha, path)
        if content is None:
            raise ValueError(f"values file {name} does not exist")
        contents.append(content)
    tag = ""
    for content in contents:
        image = _document(content).get("image")
        tag = str(image.get("tag", tag)) if isinstance(image, Mapping) else tag
    for parameter in helm.get("parameters") or ():
        tag = str(parameter.get("value")) if parameter.get("name") == "image.tag" else tag
    return (f"chart:{tag}",) if tag else ()


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        data = yaml.load(content, Loader=yaml.CSafeLoader)
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError) as error:
        raise ValueError(f"the file is not YAML: {error}") from error
    return data if isinstance(data, Mapping) else {}


def _image(entry: Mapping[str, Any]) -> str:
    name = entry.get("newName") or entry.get("name")
    return f"{name}@{entry['digest']}" if entry.get("digest") else f"{name}:{entry.get('newTag', 'latest')}"


def _kustomize_image(text: str) -> str:
    """`name=other:tag`, as `kustomize edit set image` takes it."""
    old, equals, new = text.partition("=")
    return new if equals else old


def selected(labels: Mapping[str, str], selector: str) -> bool:
    """Whether labels fit a selector: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/

    Raises ValueError for what is none.
    """
    return all(_fits(labels, requirement) for requirement in _requirements(selector))


def _requirements(selector: str) -> Iterator[str]:
    """The parts between commas; those in brackets separate values."""
    part, depth = "", 0
    for letter in selector:
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "," and not depth:
            yield part.strip()
            part = ""
        else:
            part += letter
    if part.strip():
        yield part.strip()


def _fits(labels: Mapping[str, str], requirement: str) -> bool:
    words = requirement.split(None, 2)
    if len(words) == 3 and words[1] in {"in", "notin"} and words[2].startswith("(") and words[2].endswith(")"):
        values = {value.strip() for value in words[2][1:-1].split(",")}
        return (labels.get(words[0]) in values) == (words[1] == "in")
    if len(words) != 1:
        raise ValueError(f"unable to parse requirement: {requirement}")
    for operator in ("!=", "==", "="):
        key, found, value = requirement.partition(operator)
        if found:
            return (labels.get(key) == value) == (operator != "!=")
    return requirement[1:] not in labels if requirement.startswith("!") else requirement in labels
