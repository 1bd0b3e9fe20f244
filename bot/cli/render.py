"""`towpath render`: what a promotion's pull request would hold, made from the checkout one is working in."""

import asyncio
import difflib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NoReturn, TextIO, cast

from bot.cli.files import CLEAN, PROBLEMS, UNREADABLE
from bot.cli.freight import Chosen, FindDigest, Finder, Wanted, choose, needs_digest
from bot.cli.rendered import File, Written, coloured, diff_of, write_files, written_files
from bot.cli.trial import Ended, Trial
from bot.contracts import Clock, Forges, Git, GitHub, Http, Identity, Programs, PromotionInfo, RepositoryInfo, Step
from bot.contracts.metrics import Secrets
from bot.contracts.registry import Artifacts, Login
from bot.contracts.steps import StepContext, StepStatus
from bot.core import freight, lock, messages
from bot.core.known import known_by
from bot.core.landing_branch import landing_branch
from bot.core.lock import Lock
from bot.core.model import Pipeline, RepositoryName, Stage, StageName
from bot.core.notes import Known
from bot.core.promotion import Scene, environment, promotion_name, variables
from bot.core.snapshot import promotion_branch
from bot.errors import UserError

_ACTOR = "towpath-render"
_MOST_BRANCHES = 200  # that are looked at for locks


@dataclass(frozen=True, slots=True)
class Bench:
    """What the steps run on: a checkout as `git`, and a folder of their own. `written` grows with each commit.

    `login` is `contracts.Artifacts.login`, for the charts that helm fetches.
    """

    git: Git
    url: str
    default_branch: str
    written: Sequence[Written]
    workdir: Path
    programs: Programs
    identity: Identity
    clock: Clock
    digest: FindDigest
    login: Callable[[str], Awaitable[Login]]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line says."""

    stage: str
    wanted: Wanted
    out: Path | None = None
    diff: bool = False
    as_json: bool = False


async def render(
    pipeline: Pipeline, steps: Mapping[str, Step], bench: Bench, asked: Asked, out: TextIO, err: TextIO
) -> int:
    """Run a stage's steps and show, or write to a folder, the files that its pull request would hold.

    The stage's lock is left out: it says which promotion this was, when, and by whom. Returns the exit status: 0 when
    rendered, 1 when a step failed, 2 when the folder can't be written. Raises UserError for a stage or freight that
    is not there.
    """
    if asked.out is not None and _is_taken(asked.out):
        print(f"towpath render: {asked.out} is there already and not empty; name another folder", file=err)
        return UNREADABLE
    stage = _stage(pipeline, asked.stage)
    locks = await _locks(bench, stage)
    chosen = await _freight(pipeline, stage, bench, locks, asked.wanted)
    trial, context = _trial(stage, chosen, steps, bench, known_by(locks))
    told = err if asked.diff or asked.as_json else out
    if not asked.as_json:
        print(f"{stage.name}: {', '.join(freight.describe(one) for one in chosen.collection)}", file=told)
    assert stage.template is not None  # noqa: S101 -- `_stage` has seen to it

    def say(ended: Ended) -> None:
        if not asked.as_json:
            print(_line(ended), file=told)

    well = await trial.run(stage.template.steps, context, say)
    files = await written_files(bench.git, bench.url, bench.written, lock.path(stage.name)) if well else []
    if asked.as_json:
        json.dump(_as_json(stage, chosen, trial, files, asked), out, indent=2, ensure_ascii=False)
        out.write("\n")
    elif well:
        _show(files, asked, out, told)
    if well and asked.out is not None:
        try:
            await asyncio.to_thread(write_files, asked.out, files)
        except OSError as error:
            print(f"towpath render: can't write {error.filename}: {error.strerror or error}", file=err)
            return UNREADABLE
    return CLEAN if well else PROBLEMS


def _stage(pipeline: Pipeline, name: str) -> Stage:
    stage = pipeline.stages.get(StageName(name))
    if stage is None:
        near = difflib.get_close_matches(name, list(pipeline.stages), n=1)
        hint = f"did you mean {near[0]}? " if near else ""
        raise UserError(f"there is no stage {name!r}; {hint}Stages here: {', '.join(pipeline.stages)}")
    if stage.template is None:
        raise UserError(f"{name} is a control-flow stage: freight passes it, and nothing is rendered for it")
    return stage


async def _freight(pipeline: Pipeline, stage: Stage, bench: Bench, locks: Sequence[Lock], wanted: Wanted) -> Chosen:
    async def commit(url: str, version: str) -> str | None:
        if len(version) == 40 and all(letter in "0123456789abcdef" for letter in version):
            return version
        try:
            (found,) = await bench.git.log(url, version, limit=1)
        except UserError:
            return None
        return found.sha

    known = tuple(artifact for one in locks for held in one.collection for artifact in held.artifacts)
    finder = Finder(known, needs_digest(stage), bench.digest, commit)
    return await choose(pipeline, stage, locks, wanted, finder)


async def _locks(bench: Bench, stage: Stage) -> list[Lock]:
    """Every lock on any branch but those of promotions; on the stage's own branch first."""
    refs = await bench.git.refs(bench.url)
    own = landing_branch(stage, _name(bench.url), bench.url) or bench.default_branch
    names = [name for name in refs.heads if not name.startswith(promotion_branch(StageName("")))]
    found = []
    in_order = sorted(names, key=lambda each: (each != own, each != bench.default_branch, each))
    for name in in_order[:_MOST_BRANCHES]:
        for path in await bench.git.list_files(bench.url, refs.heads[name], lock.FOLDER):
            if path.endswith(".lock") and (text := await bench.git.read(bench.url, refs.heads[name], path)):
                try:
                    found.append(lock.read(text))
                except ValueError as error:
                    if name in {own, bench.default_branch}:
                        raise UserError(f"{path} on {name} is no lock of Towpath's: {error}") from error
    return found


def _name(url: str) -> RepositoryName:
    parts = PurePosixPath(url.removesuffix(".git")).parts
    return RepositoryName("/".join(parts[-2:]))


def _trial(
    stage: Stage, chosen: Chosen, steps: Mapping[str, Step], bench: Bench, known: Known
) -> tuple[Trial, StepContext]:
    """Raises ExpressionError for variables that can't be evaluated."""
    assert stage.template is not None  # noqa: S101 -- `_stage` has seen to it
    scene = Scene(
        repository=_name(bench.url),
        repository_url=bench.url,
        stage=stage,
        promotion=promotion_name(stage.name, chosen.promoted.id, bench.clock.now()),
        promoted=chosen.promoted,
        collection=chosen.collection,
        actor=_ACTOR,
        rollback=False,
        secrets=_no_secrets,
        known=known,
    )
    values = variables([stage.vars, stage.template.vars], environment(scene, {}, {}, ()))
    outputs: dict[str, Mapping[str, Any]] = {}
    info = PromotionInfo(
        id=scene.promotion,
        stage=stage.name,
        freight=chosen.promoted,
        collection=chosen.collection,
        actor=_ACTOR,
        rollback=False,
        branch=promotion_branch(stage.name),
        branch_head=None,
        trailers=messages.commit_trailers(stage, chosen.collection, scene.promotion, _ACTOR),
        lock_path=lock.path(stage.name),
        lock_text=_no_lock,
    )
    context = StepContext(
        workdir=bench.workdir,
        repository=RepositoryInfo(scene.repository, bench.url, bench.default_branch),
        promotion=info,
        git=bench.git,
        github=cast(GitHub, _NotHere("GitHub")),
        identity=bench.identity,
        programs=bench.programs,
        clock=bench.clock,
        http=cast(Http, _NotHere("the network")),
        artifacts=cast(Artifacts, _LoginsOnly(bench.login)),
        secrets=cast(Secrets, _NoSecrets("a secret")),
        describe_pull=_no_pull,
        forges=cast(Forges, _NotHere("another repository's pull requests")),
        outputs=outputs,
        previous={},
    )
    return Trial(scene, steps, values, outputs), context


class _NotHere:
    """What steps that run here have no need of."""

    def __init__(self, what: str) -> None:
        self._what = what

    def __getattr__(self, name: str) -> NoReturn:
        raise UserError(f"this step asks for {self._what}, which `towpath render` does without")


class _NoSecrets(_NotHere):
    def mask(self, data: Any) -> Any:
        """None was read that could be in it."""
        return data


class _LoginsOnly(_NotHere):
    def __init__(self, login: Callable[[str], Awaitable[Login]]) -> None:
        super().__init__("a registry")
        self.login = login


def _no_secrets(name: str) -> Mapping[str, str]:
    raise UserError(f"secrets such as {name!r} are not at hand here")


def _no_lock(paths: Sequence[str]) -> str:
    return "".join(f"{path}\n" for path in paths)


async def _no_pull(*, title: str, description: str, head: str, target: str, url: str = "") -> tuple[str, str]:
    raise UserError("no pull request is opened from here")


def _is_taken(folder: Path) -> bool:
    return folder.exists() and (not folder.is_dir() or any(folder.iterdir()))


def _line(ended: Ended) -> str:
    mark = {StepStatus.SUCCEEDED: "ok", StepStatus.SKIPPED: "skipped"}.get(ended.status, "failed")
    name = ended.uses if ended.alias == ended.uses else f"{ended.alias} ({ended.uses})"
    return f"  {mark:8} {name}" + (f": {ended.message}" if ended.message else "")


def _show(files: Sequence[File], asked: Asked, out: TextIO, told: TextIO) -> None:
    changed = [file for file in files if file.change != "unchanged"]
    if asked.diff:
        colours = out.isatty()
        out.writelines(coloured(line) if colours else line for file in changed for line in diff_of(file))
    else:
        out.writelines(f"  {file.change:8} {file.path}\n" for file in changed)
    same = len(files) - len(changed)
    where = f", written to {asked.out}" if asked.out else ""
    print(f"{len(changed)} of {len(files)} files would change{where}" if changed or same else _NOTHING, file=told)


_NOTHING = "no step commits anything, so there is nothing to show"


def _as_json(stage: Stage, chosen: Chosen, trial: Trial, files: Sequence[File], asked: Asked) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "stage": stage.name,
        "freight": [freight.to_json(one) for one in chosen.collection],
        "steps": [
            {"step": one.alias, "uses": one.uses, "status": one.status.value, "message": one.message}
            for one in trial.ended
        ],
        "files": [{"path": file.path, "change": file.change} for file in files],
    }
    if asked.diff:
        shown["diff"] = "".join(line for file in files if file.change != "unchanged" for line in diff_of(file))
    return shown
