"""git-commit: commit what was rendered, together with the lock that says what it is."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bot.contracts.git import Checkout
from bot.contracts.schema import Schema
from bot.contracts.steps import StepContext, StepResult, StepStatus
from bot.core.changes import plaintext_secrets
from bot.core.messages import trailer_lines
from bot.errors import UserError
from bot.steps.authors import AUTHOR, author_of
from bot.steps.earlier import output_of
from bot.steps.shapes import FLAG, TEXT, TEXTS, record, told
from bot.steps.workspace import Spot, inside, is_own_repository, replace, spot

NAME = "git-commit"
HELP = "Commit a folder, or everything that changed, together with the stage's lock."
SCHEMA: Schema = record(
    "path",
    path=told(TEXT, "A checkout, a folder in one, or a folder that stands for one."),
    message=told(TEXT, "The commit's message; left out: what is promoted where."),
    messageFromSteps=told(TEXTS, "Earlier steps whose `commitMessage` makes the message (deprecated: `message`)."),
    author=told(AUTHOR, "Who the commit is by (deprecated: git-clone's `author`)."),
    allowPlaintextSecrets=told(FLAG, "Commit `Secret`s that anybody could read, which is refused otherwise."),
)


async def run(context: StepContext, config: Mapping[str, Any]) -> StepResult:
    """Output: `commit`, HEAD when nothing differs (Skipped). Raises UserError for a `Secret` in plain text."""
    where = await spot(context, config["path"])
    checkout = where.checkout
    target = inside(checkout.path, where.path)
    if where.beside is not None and await asyncio.to_thread(where.beside.exists):
        await asyncio.to_thread(replace, where.beside, target)
    paths: tuple[str, ...] = (where.path,) if where.path else ()
    changed = await context.git.changes(checkout.path, paths)
    if not config.get("allowPlaintextSecrets", False):
        await asyncio.to_thread(_refuse_plaintext_secrets, checkout.path, changed)
    if is_own_repository(context, checkout.url):
        await _write_lock(context, where, changed)
        paths = (*paths, context.promotion.lock_path) if paths else ()
    author = author_of(NAME, config) or checkout.author or context.identity
    message = _message(context, config)
    commit = await context.git.commit(checkout.path, message, author=author, paths=paths)
    if commit is None:
        head = await context.git.head(checkout.path)
        return StepResult(StepStatus.SKIPPED, {"commit": head}, "nothing differs from what is committed")
    return StepResult(StepStatus.SUCCEEDED, {"commit": commit})


def _refuse_plaintext_secrets(folder: Path, changed: Sequence[str]) -> None:
    """Only what this promotion writes counts: what was committed before, somebody has answered for."""
    for path in changed:
        file = folder / path
        if not path.endswith((".yaml", ".yml", ".json")) or file.is_symlink() or not file.is_file():
            continue
        if names := plaintext_secrets(file.read_bytes(), path):
            raise UserError(
                f"{path} has the Secret {names[0]!r} in plain text, which everybody who may read the repository could "
                "read; keep it in a SealedSecret or an ExternalSecret, encrypt it with SOPS, or set "
                "`allowPlaintextSecrets` if that is what you want"
            )


async def _write_lock(context: StepContext, where: Spot, changed: Sequence[str]) -> None:
    """The lock names what this promotion writes: this folder or, for a whole checkout, every file that changed; and
    what earlier commits of the same checkout have changed."""
    lock_path = context.promotion.lock_path
    now = [where.path] if where.path else changed
    before = await _committed_before(context, where.checkout)
    paths = {path for path in (*now, *before) if path != lock_path}
    if where.path:
        paths = {path for path in paths if path == where.path or not path.startswith(f"{where.path}/")}
    text = context.promotion.lock_text(sorted(paths))
    await asyncio.to_thread(_write, inside(where.checkout.path, lock_path), text)


async def _committed_before(context: StepContext, checkout: Checkout) -> tuple[str, ...]:
    head = await context.git.head(checkout.path)
    if head == checkout.base:
        return ()
    return await context.git.changed_paths(checkout.url, checkout.base, head)


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")


def _message(context: StepContext, config: Mapping[str, Any]) -> str:
    promotion = context.promotion
    title = f"Promote {promotion.freight.alias} to {promotion.stage}"
    message = config.get("message", "")
    if not message:
        outputs = [output_of(context, alias, NAME) for alias in config.get("messageFromSteps", ())]
        parts = [str(output["commitMessage"]) for output in outputs if output.get("commitMessage")]
        message = parts[0] if len(parts) == 1 else title
        if len(parts) > 1:
            message += "\n\nIncluding:\n" + "".join(f"\n  * {part}" for part in parts)
    return f"{message.rstrip()}\n\n{trailer_lines(promotion.trailers)}\n"
