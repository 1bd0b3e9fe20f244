"""A promotion as a script would do it: the Git, Helm and HTTP operations in a straight line, and nothing else.

The floor of what the same promotion can take. It decides nothing, checks nothing, survives nothing; its mirror, its
connections and its token are warm. Run as a program, it does what it is told by lines of JSON on its standard input,
the first of which says where (see `Place`), and answers each with a line.
"""

import asyncio
import base64
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from benchmarks.promotion.pipelines import IMAGE
from bot.steps.rendering.programs import helm_environment

_MANIFESTS = "application/vnd.oci.image.index.v1+json, application/vnd.oci.image.manifest.v1+json"


@dataclass(frozen=True, slots=True)
class Place:
    """Where it works and with what."""

    url: str
    """The sandbox's."""
    api: str
    token: str
    repository: str
    stage: str
    values: str
    folder: str
    helm: list[str]


class StraightLine:
    def __init__(self, place: Place, session: aiohttp.ClientSession) -> None:
        self._place = place
        self._session = session
        self._folder = Path(place.folder)
        self._mirror = self._folder / "mirror.git"
        self._remote = f"{place.url}/{place.repository}.git"
        basic = base64.b64encode(f"x-access-token:{place.token}".encode()).decode()
        self._git_environment = {
            "PATH": f"{Path(shutil.which('git') or 'git').parent}:/usr/bin:/bin",
            "HOME": place.folder,
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "http.extraHeader",
            "GIT_CONFIG_VALUE_0": f"Authorization: Basic {basic}",
            **{f"GIT_{who}_{what}": "script" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")},
        }

    def warm(self) -> None:
        """Bring the mirror up to date."""
        if not self._mirror.exists():
            self._git(self._folder, "clone", "--quiet", "--bare", "--", self._remote, str(self._mirror))
        self._fetch()

    async def promote(self, version: str) -> None:
        """From the registry to a pull request with labels and check run."""
        place = self._place
        tags = (await self._ask("GET", f"{place.url}/v2/{IMAGE}/tags/list"))["tags"]
        assert version in tags
        await self._ask("HEAD", f"{place.url}/v2/{IMAGE}/manifests/{version}", Accept=_MANIFESTS)
        sha = self._render(version)
        repo, branch = f"{place.api}/repos/{place.repository}", f"promotion/{place.stage}"
        body = {"head": branch, "base": "main", "title": f"{place.stage}: {version}", "body": version}
        number = (await self._ask("POST", f"{repo}/pulls", body))["number"]
        labels = ["promotion", f"stage/{place.stage}", "promotion/awaiting-merge"]
        await self._ask("POST", f"{repo}/issues/{number}/labels", {"labels": labels})
        check = {"name": branch, "head_sha": sha, "status": "completed", "conclusion": "success"}
        await self._ask("POST", f"{repo}/check-runs", check)

    def _render(self, version: str) -> str:
        """Fetch, check out, clear, edit, render, commit with a lock, push; the commit."""
        self._fetch()
        tree, out = self._folder / "tree", f"out/stages/{self._place.stage}"
        shutil.rmtree(tree, ignore_errors=True)
        self._git(self._mirror, "worktree", "add", "--quiet", "--force", "--detach", str(tree), "main")
        self._git(tree, "rm", "-r", "--quiet", "--ignore-unmatch", "--", out)
        values = tree / self._place.values
        values.write_text(re.sub(r"(?m)^  tag: .*$", f"  tag: {version}", values.read_text()))
        rendered = subprocess.run(
            [*self._place.helm, "template", f"--values={values}", "--", "service", str(tree / "chart")],
            check=True, capture_output=True, env={"PATH": "/usr/bin:/bin", **helm_environment(self._folder)},
        ).stdout  # fmt: skip
        (tree / out).mkdir(parents=True)
        (tree / out / "manifests.yaml").write_bytes(rendered)
        lock = f".promotion/{self._place.stage}.lock"
        (tree / lock).parent.mkdir(exist_ok=True)
        (tree / lock).write_text(f"stage: {self._place.stage}\nversion: {version}\n")
        self._git(tree, "add", "--all", "--", out, lock)
        self._git(tree, "commit", "--quiet", f"--message=Promote {version}")
        branch = f"refs/heads/promotion/{self._place.stage}"
        self._git(tree, "push", "--quiet", "--force", "--", self._remote, f"HEAD:{branch}")
        # HEAD, read without a process: https://git-scm.com/docs/gitrepository-layout
        return (Path((tree / ".git").read_text().removeprefix("gitdir: ").strip()) / "HEAD").read_text().strip()

    def _fetch(self) -> None:
        self._git(self._mirror, "fetch", "--quiet", "--prune", "--", self._remote, "+refs/heads/*:refs/heads/*")

    def _git(self, folder: Path, *arguments: str) -> None:
        subprocess.run(["git", *arguments], cwd=folder, check=True, env=self._git_environment)

    async def _ask(self, method: str, url: str, body: Any = None, **headers: str) -> Any:
        if url.startswith(self._place.api):
            headers["Authorization"] = f"Bearer {self._place.token}"
        async with self._session.request(method, url, json=body, headers=headers) as answer:
            answer.raise_for_status()
            return None if method == "HEAD" else await answer.json()


async def main() -> None:
    place = Place(**json.loads(sys.stdin.readline()))
    async with aiohttp.ClientSession() as session:
        script = StraightLine(place, session)
        while line := await asyncio.to_thread(sys.stdin.readline):
            told = json.loads(line)
            if version := told.get("promote"):
                await script.promote(version)
            else:
                script.warm()
            print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main())
