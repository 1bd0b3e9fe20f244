"""Repositories behind a real SSH server on this machine, which OpenSSH's client asks as it would ask any other."""

import asyncio
import os
import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh


@dataclass(frozen=True)
class Key:
    """A key pair, as `ssh-keygen` writes it."""

    private: str
    public: str


def new_key() -> Key:
    made = asyncssh.generate_private_key("ssh-ed25519")
    return Key(made.export_private_key().decode(), made.export_public_key().decode())


@dataclass
class SshServer:
    """Who may read and who may write is told by public keys; what was asked is remembered."""

    root: Path
    port: int = 0
    host_key: asyncssh.SSHKey = field(default_factory=lambda: asyncssh.generate_private_key("ssh-ed25519"))
    readers: set[str] = field(default_factory=set)
    writers: set[str] = field(default_factory=set)
    offered: list[str] = field(default_factory=list)  # public keys, and other ways to be let in
    asked: list[str] = field(default_factory=list)  # commands
    users: list[str] = field(default_factory=list)
    whenever_asked: Callable[[], None] = lambda: None

    @property
    def url(self) -> str:
        return f"ssh://git@127.0.0.1:{self.port}/config.git"

    @property
    def known_hosts(self) -> str:
        return f"[127.0.0.1]:{self.port} {self.host_key.export_public_key().decode()}"

    def let_in(self, key: Key, *, write: bool = True) -> Key:
        self.readers.add(_bare(key.public))
        if write:
            self.writers.add(_bare(key.public))
        return key

    async def answer(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        command = process.command or ""
        self.asked.append(command)
        self.whenever_asked()
        name, _, path = command.partition(" ")
        if name == "git-receive-pack" and process.get_extra_info("key") not in self.writers:
            process.stderr.write(b"ERROR: The key you are authenticating with has been marked as read only.\n")
            process.exit(1)
            return
        repository = self.root / shlex.split(path)[0].strip("/")
        if name not in {"git-upload-pack", "git-receive-pack"} or not repository.is_dir():
            process.stderr.write(b"ERROR: Repository not found.\n")
            process.exit(1)
            return
        environment = {"PATH": os.defpath, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        served = await asyncio.create_subprocess_exec(
            "git", name.removeprefix("git-"), str(repository),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
            env={**environment, **{key: value for key, value in process.env.items() if key == "GIT_PROTOCOL"}},
        )  # fmt: skip
        assert served.stdin
        assert served.stdout
        assert served.stderr
        await asyncio.gather(
            _copy(process.stdin, served.stdin),
            _copy(served.stdout, process.stdout),
            _copy(served.stderr, process.stderr),
        )
        process.exit(await served.wait())


class _Door(asyncssh.SSHServer):
    def __init__(self, server: SshServer) -> None:
        self._server = server
        self._connection: asyncssh.SSHServerConnection | None = None

    def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
        self._connection = conn

    def begin_auth(self, username: str) -> bool:
        self._server.users.append(username)
        return True

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        public = _bare(key.export_public_key().decode())
        if public not in self._server.offered:
            self._server.offered.append(public)
        if self._connection is not None:
            self._connection.set_extra_info(key=public)
        return public in self._server.readers

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        self._server.offered.append("a password")
        return False


@asynccontextmanager
async def ssh_server(root: Path) -> AsyncIterator[SshServer]:
    """Serves the repositories in a folder at a free port of this machine, as long as this lasts."""
    server = SshServer(root)
    acceptor = await asyncssh.create_server(
        lambda: _Door(server),
        "127.0.0.1",
        0,
        server_host_keys=[server.host_key],
        process_factory=server.answer,
        encoding=None,
        allow_scp=False,
    )
    server.port = acceptor.get_port()
    try:
        yield server
    finally:
        acceptor.close()
        await acceptor.wait_closed()


async def _copy(reader: Any, writer: Any) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # git hangs up when it has what it wants
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        writer.write_eof()


def _bare(public: str) -> str:
    """Without the comment."""
    return " ".join(public.split()[:2])
