"""`towpath receivers`: the addresses that senders are given. They are secrets, so only the operator is told."""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TextIO

from bot.cli.files import CLEAN, PROBLEMS
from bot.cli.pipeline import pipeline_of
from bot.contracts import Sender
from bot.core import doors
from bot.core.config import PlugIns
from bot.core.model import Receiver
from bot.errors import UserError

_SHORTEST = 16  # characters of a secret that nobody guesses

Secrets = Callable[[str, str], str | None]
"""One value of the repository's secrets, by the secret's name and key. Raises UserError."""


def receivers(
    path: Path,
    repository: str,
    url: str,
    as_json: bool,
    plugins: PlugIns,
    senders: Mapping[str, Sender],
    secrets: Secrets,
    out: TextIO,
    err: TextIO,
) -> int:
    """Print where each receiver of a configuration is reached, below `url`.

    Returns the exit status: 0 when all have an address, 1 when a secret is missing or easily guessed, 2 when the
    configuration can't be read or has errors (which go to `err`).
    """
    pipeline = pipeline_of("receivers", path, plugins, err)
    if isinstance(pipeline, int):
        return pipeline
    found = [_described(one, repository, url, senders[one.kind], secrets) for one in pipeline.receivers]
    if as_json:
        json.dump(found, out, indent=2, ensure_ascii=False)
        out.write("\n")
    else:
        for one in found:
            print(f"{one['name']} ({one['sender']}): {one.get('url', 'no address')}", file=out)
            if "problem" in one:
                print(f"  {one['problem']}", file=out)
        if not found:
            print("towpath receivers: the configuration has none", file=err)
    return PROBLEMS if any("problem" in one for one in found) else CLEAN


def _described(receiver: Receiver, repository: str, url: str, sender: Sender, secrets: Secrets) -> dict[str, Any]:
    data: dict[str, Any] = {"name": receiver.name, "sender": receiver.kind}
    try:
        secret = secrets(receiver.secret, sender.KEY)
    except UserError as error:
        return {**data, "problem": str(error)}
    if not secret:
        return {**data, "problem": f"the secret `{receiver.secret}` has no key `{sender.KEY}`; put it there"}
    data["url"] = url.rstrip("/") + doors.path(repository, receiver.kind, receiver.name, secret)
    if len(secret) < _SHORTEST:
        data["problem"] = f"the secret has {len(secret)} characters; with fewer than {_SHORTEST} it may be guessed"
    return data
