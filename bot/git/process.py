"""Running `git`, alone with what it is given: an environment of its own, no configuration of the machine's.

GitPython hands its children everything in our own environment. So it only reads objects (`bot/git/objects.py`);
whatever talks to a remote or works on files from outside is run here.
"""

import base64
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from bot.contracts.git import Identity, Login, SshLogin
from bot.core.urls import SshAddress, ssh_address
from bot.git import ssh

LOCAL_SECONDS = 120.0
NETWORK_SECONDS = 600.0

# https://git-scm.com/docs/git-config
_CONFIG = (
    ("core.hooksPath", os.devnull),
    ("core.fsmonitor", "false"),
    ("core.attributesFile", os.devnull),
    ("core.excludesFile", os.devnull),
    ("core.protectNTFS", "true"),
    ("core.autocrlf", "false"),
    ("credential.helper", ""),
    ("commit.gpgSign", "false"),
    ("gc.auto", "0"),
    ("maintenance.auto", "false"),
    ("submodule.recurse", "false"),
    ("advice.detachedHead", "false"),
    ("protocol.version", "2"),
    ("http.followRedirects", "false"),  # so that nobody sends our credentials elsewhere
    ("http.lowSpeedLimit", "1000"),
    ("http.lowSpeedTime", "60"),
    ("fetch.unpackLimit", "1"),  # packs appear whole; loose objects could be half there after a kill
    ("transfer.fsckObjects", "true"),
    # Old histories carry these, and they harm nobody: https://git-scm.com/docs/git-fsck#_fsck_messages
    *((f"fetch.fsck.{name}", "ignore") for name in ("zeroPaddedFilemode", "badTimezone", "missingSpaceBeforeDate")),
)


class GitFailed(Exception):
    """A git command ended badly; the text quotes it without anything secret, and what it said."""

    def __init__(self, arguments: Sequence[str], status: int, stderr: str, stdout: str = "") -> None:
        super().__init__(f"`git {' '.join(arguments[:4])} …` ended with status {status}: {stderr.strip()[-2000:]}")
        self.status = status
        self.stderr = stderr
        self.stdout = stdout


class GitTimedOut(GitFailed):
    """A git command was ended because it took too long."""


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs git commands in one repository. `environment` is the whole of what they see, but for what a server is shown
    by SSH: that is at hand for the length of one command."""

    environment: Mapping[str, str]
    folder: Path
    by_ssh: tuple[SshLogin, SshAddress] | None = field(default=None, repr=False)

    @classmethod
    def create(cls, home: Path, *, allow_file: bool, environment: Mapping[str, str]) -> "Runner":
        """`environment` may add what the network needs (proxies, certificates)."""
        git = shutil.which("git")
        return cls(
            {
                **environment,
                "PATH": os.pathsep.join(([str(Path(git).parent)] if git else []) + [os.defpath]),
                "HOME": str(home),  # an empty one: curl would read a .netrc there
                "LC_ALL": "C",
                "GIT_CONFIG_NOSYSTEM": "1",
                "GIT_CONFIG_GLOBAL": os.devnull,
                "GIT_ATTR_NOSYSTEM": "1",
                "GIT_TERMINAL_PROMPT": "0",
                "GIT_ALLOW_PROTOCOL": "http:https:file" if allow_file else "http:https",
                "GIT_LITERAL_PATHSPECS": "1",
                "GIT_ADVICE": "0",
                **config_environment(_CONFIG),
            },
            home,
        )

    def inside(self, folder: Path, **environment: str) -> "Runner":
        """The same, for one repository."""
        ceiling = str(folder.parent)  # no repository around our own folders is ours
        return replace(
            self, folder=folder, environment={**self.environment, "GIT_CEILING_DIRECTORIES": ceiling, **environment}
        )

    def with_credential(self, url: str, credential: Login | None) -> "Runner":
        """The same, with what the server of `url` is to be shown: by environment only, for that server only.

        SSH is spoken where there is a login for it, and nothing else then.
        """
        if credential is None:
            return self
        if isinstance(credential, SshLogin):
            there = ssh_address(url)
            if there is None:
                raise ValueError(f"{url} is no SSH address")
            only = {**self.environment, "GIT_ALLOW_PROTOCOL": "ssh"}
            return replace(self, environment=only, by_ssh=(credential, there))
        parts = urlsplit(url)
        token = base64.b64encode(f"{credential.username}:{credential.password}".encode()).decode()
        header = (f"http.{parts.scheme}://{parts.netloc}/.extraHeader", f"Authorization: Basic {token}")
        return replace(self, environment={**self.environment, **config_environment((*_CONFIG, header))})

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        timeout: float = LOCAL_SECONDS,
        keep_open: Sequence[int] = (),
        accept: Sequence[int] = (),
        environment: Mapping[str, str] | None = None,
    ) -> bytes:
        """Standard output of `git ARGUMENTS`. `keep_open` are file descriptors the command holds as long as it lives.

        Raises GitFailed unless the status is 0 or one of `accept`.
        """
        with (
            self._shown_by_ssh() as shown,
            subprocess.Popen(
                ["git", *arguments],
                cwd=self.folder,
                env={**self.environment, **shown, **(environment or {})},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                start_new_session=True,
                pass_fds=keep_open,
            ) as process,
        ):
            try:
                out, error = process.communicate(stdin, timeout)
            except BaseException as reason:
                os.killpg(process.pid, signal.SIGKILL)
                if isinstance(reason, subprocess.TimeoutExpired):
                    raise GitTimedOut(arguments, -1, f"not finished after {timeout:g} s") from reason
                raise
        if process.returncode not in (0, *accept):
            said, printed = error.decode("utf-8", "replace"), out.decode("utf-8", "replace")
            raise GitFailed(arguments, process.returncode, said, printed)
        return out

    def _shown_by_ssh(self) -> AbstractContextManager[Mapping[str, str]]:
        if self.by_ssh is None:
            return nullcontext({})
        return ssh.at_hand(*self.by_ssh, Path(self.environment["HOME"]).absolute() / "keys")

    def text(self, *arguments: str, stdin: bytes = b"", environment: Mapping[str, str] | None = None) -> str:
        """Standard output as text without its last line end."""
        out = self.run(*arguments, stdin=stdin, environment=environment)
        return out.decode("utf-8", "replace").removesuffix("\n")


def signature(author: Identity, committer: Identity, when: datetime) -> dict[str, str]:
    """Who makes a commit and when, as git takes it from the environment."""
    date = f"{when:%Y-%m-%dT%H:%M:%S%z}"
    return {
        "GIT_AUTHOR_NAME": author.name,
        "GIT_AUTHOR_EMAIL": author.email,
        "GIT_AUTHOR_DATE": date,
        "GIT_COMMITTER_NAME": committer.name,
        "GIT_COMMITTER_EMAIL": committer.email,
        "GIT_COMMITTER_DATE": date,
    }


def config_environment(settings: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Settings as git takes them from the environment: https://git-scm.com/docs/git-config#ENVIRONMENT"""
    pairs = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(settings):
        pairs[f"GIT_CONFIG_KEY_{number}"] = key
        pairs[f"GIT_CONFIG_VALUE_{number}"] = value
    return pairs
