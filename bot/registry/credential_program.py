"""Docker's credential helpers: programs that keep the logins of registries.

https://github.com/docker/docker-credential-helpers#development
"""

import asyncio
import json
import os
import shutil
import signal
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

from bot.errors import UserError
from bot.registry.docker_config import Credentials

_SECONDS = 30.0
_OUTPUT_LIMIT = 1 << 16
_NOT_FOUND = b"credentials not found"  # what every helper prints, and ends with status 1
_IS_TOKEN = "<token>"  # noqa: S105  # the user name that says: the secret is an identity token


async def ask_program(
    name: str, server: str, environment: Mapping[str, str], *, seconds: float = _SECONDS
) -> Credentials | None:
    """What `docker-credential-NAME get` says of a registry; None when it keeps nothing for it.

    It sees `environment`, a PATH, and nothing else of ours. Raises UserError, in which nothing is quoted that it said.
    """
    program = f"docker-credential-{name}"
    path = await asyncio.to_thread(shutil.which, program, path=environment.get("PATH"))
    if path is None:
        raise UserError(f"the credential helper {program} is not installed where Towpath runs")
    status, output = await _run(path, server, environment, seconds)
    if status != 0:
        if _NOT_FOUND in output:
            return None
        raise UserError(f"the credential helper {program} failed for {server} (status {status})")
    try:
        said: Any = json.loads(output)
        username, secret = said["Username"], said["Secret"]
        if not isinstance(username, str) or not isinstance(secret, str) or not secret:
            raise TypeError
    except (ValueError, TypeError, KeyError, RecursionError):
        # Without the cause, which quotes what may be secret.
        raise UserError(f"the credential helper {program} gave no credentials for {server}") from None
    return Credentials("", "", secret) if username == _IS_TOKEN else Credentials(username, secret)


async def _run(path: str, server: str, environment: Mapping[str, str], seconds: float) -> tuple[int, bytes]:
    name = Path(path).name
    try:
        process = await asyncio.create_subprocess_exec(
            path,
            "get",
            env={"PATH": os.defpath, "LC_ALL": "C", **environment},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise UserError(f"the credential helper {name} can't be started: {error.strerror}") from error
    assert process.stdin is not None  # noqa: S101  # both were asked for
    assert process.stdout is not None  # noqa: S101
    output, has_ended = b"", False
    try:
        async with asyncio.timeout(seconds):
            process.stdin.write(f"{server}\n".encode())
            with suppress(ConnectionError):  # it need not read to the end
                await process.stdin.drain()
            process.stdin.close()
            while chunk := await process.stdout.read(_OUTPUT_LIMIT):
                output += chunk
                if len(output) > _OUTPUT_LIMIT:
                    raise UserError(f"the credential helper {name} says more than credentials take")
            status = await process.wait()
            has_ended = True
            return status, output
    except TimeoutError as error:
        raise UserError(f"the credential helper {name} had not answered after {seconds:g} s") from error
    finally:
        if not has_ended:
            await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    """End it and whatever it started; nothing of it stays."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    if process.stdout is not None:
        with suppress(ConnectionError):
            await process.stdout.read()
    await process.wait()
