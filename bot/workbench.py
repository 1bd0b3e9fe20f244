"""Wires `towpath render` together: a person's checkout, the programs, and a registry that is asked only if need be."""

import asyncio
import tempfile
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TextIO

from bot.app import PLUG_INS
from bot.cli.files import PROBLEMS
from bot.cli.pipeline import pipeline_of
from bot.cli.render import Asked, Bench, render
from bot.contracts import Identity, Login
from bot.errors import Retry, UserError
from bot.git.own_checkout import CheckoutGit, OwnCheckout, copy_of
from bot.github.client import make_session
from bot.registry import OperatorCredentials, RegistryClient
from bot.rendering import find_programs

_IDENTITY = Identity("towpath", "towpath@localhost")


class _Now:
    def now(self) -> datetime:
        return datetime.now(UTC)


async def render_checkout(path: Path, asked: Asked, docker_config: Path | None, out: TextIO, err: TextIO) -> int:
    """Render a stage of the configuration at `path`, whose repository is taken as it is; the exit status.

    Registries are asked with the logins of the Docker `config.json` in `docker_config`. Raises UserError.
    """
    pipeline = pipeline_of("render", path, PLUG_INS.schemas(), err, broken=PROBLEMS)
    if isinstance(pipeline, int):
        return pipeline
    with tempfile.TemporaryDirectory(prefix="towpath-render-") as folder:
        scratch = Path(folder)
        own = await asyncio.to_thread(_copy, path, scratch)
        git = CheckoutGit(own, scratch / "git", _IDENTITY, _Now())
        try:
            workdir = scratch / "work"
            workdir.mkdir()
            bench = Bench(
                git=git,
                url=own.url,
                default_branch=own.default_branch,
                written=git.written,
                workdir=workdir,
                programs=find_programs(),
                identity=_IDENTITY,
                clock=_Now(),
                digest=partial(_digest, docker_config),
                login=partial(_login, docker_config),
            )
            return await render(pipeline, PLUG_INS.steps, bench, asked, out, err)
        finally:
            await git.close()


async def _digest(docker_config: Path | None, repo_url: str, tag: str) -> str | None:
    async with make_session() as session:
        registry = RegistryClient(session, _Now(), OperatorCredentials(docker_config, _Now()))
        try:
            return await registry.digest(repo_url, tag)
        except Retry as error:
            raise UserError(f"{error.because}; give the digest: {tag}@sha256:…") from error


async def _login(docker_config: Path | None, url: str) -> Login:
    async with make_session() as session:
        registry = RegistryClient(session, _Now(), OperatorCredentials(docker_config, _Now()))
        return await registry.artifacts.login(url)


def _copy(path: Path, scratch: Path) -> OwnCheckout:
    return copy_of(path if path.is_dir() else path.parent, scratch)
