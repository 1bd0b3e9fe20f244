"""Git by SSH: a real server, OpenSSH's own client, and everything that must not happen on the way."""

import os
import re
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from bot.contracts.git import SshLogin
from bot.core.egress import EgressRules, parse_rules
from bot.core.model import RepositoryName
from bot.engine.egress import Egress
from bot.errors import Retry, UserError
from bot.git.client import MirroredGit
from bot.git.reach import Judge, Reach
from tests.environment import required
from tests.git.conftest import BOT, NOW, Remote, StandingClock, nobody
from tests.git.ssh_server import Key, SshServer, new_key, ssh_server
from tests.git.test_process_list import command_lines

GITHUB = "https://github.example.com"


@dataclass(frozen=True)
class KeptSecrets:
    """The secret `git` of one repository."""

    values: Mapping[str, str] = field(default_factory=dict)

    def get(self, name: str, key: str) -> str | None:
        return self.values.get(key) if name == "git" else None


@dataclass(frozen=True)
class Found:
    """Every server is at these addresses, and may be asked."""

    at: tuple[str, ...] = ("127.0.0.1",)
    judged: list[str] = field(default_factory=list)

    async def check(self, url: str) -> None:
        self.judged.append(url)

    async def addresses(self, url: str) -> Sequence[str]:
        self.judged.append(url)
        return self.at


ANYWHERE = Found()


def reach(
    judge: Judge = ANYWHERE, repository: str = "acme/config", operators: Path | None = None, **values: str
) -> Reach:
    """With the secret `git`; `_` in its keys stands for `-`, but in `known_hosts`."""
    secrets = {key if key == "known_hosts" else key.replace("_", "-"): value for key, value in values.items()}
    return Reach(
        RepositoryName(repository),
        KeptSecrets(secrets),
        judge,
        StandingClock(),
        server_url=GITHUB,
        known_hosts=operators,
    )


@pytest.fixture
async def ssh(remote: Remote) -> AsyncIterator[SshServer]:
    required(shutil.which("ssh"), "needs OpenSSH's client")
    async with ssh_server(remote.path.parent) as server:
        yield server


@pytest.fixture
def key(ssh: SshServer) -> Key:
    return ssh.let_in(new_key())


@pytest.fixture
async def owner(tmp_path: Path) -> AsyncIterator[MirroredGit]:
    """What all repositories of one owner share."""
    made = MirroredGit(tmp_path / "data", nobody, BOT, StandingClock(), allow_file=True)
    yield made
    await made.close()


@pytest.fixture
def git(owner: MirroredGit, ssh: SshServer, key: Key) -> MirroredGit:
    """As a repository has it that has been given a key and the server's host key."""
    return owner.of_repository(reach(ssh_privatekey=key.private, known_hosts=ssh.known_hosts))


# --- what people do ---------------------------------------------------------------------------------------


async def test_it_is_watched_cloned_committed_to_and_pushed(
    git: MirroredGit, ssh: SshServer, remote: Remote, tmp_path: Path
) -> None:
    first = remote.write({"a.txt": "1"})
    names = git.configured(contents=False)
    assert (await names.refs(ssh.url)).heads == {"main": first}
    assert [one.sha for one in await names.log(ssh.url, "main", paths=["a.txt"])] == [first]
    assert await git.read(ssh.url, "main", "a.txt") == b"1"
    asked = len(ssh.asked)
    assert await names.log(ssh.url, "main", paths=["a.txt"])
    assert (names._mirrors.of(ssh.url), len(ssh.asked)) == (git._mirrors.of(ssh.url), asked), "the whole serves both"

    assert await git.checkout(ssh.url, tmp_path / "src", branch="main") == first
    (tmp_path / "src" / "a.txt").write_text("2")
    commit = await git.commit(tmp_path / "src", "Change it", author=BOT)
    pushed = await git.push(tmp_path / "src", "promotion/uat", force=True)

    assert pushed.commit == commit == remote.at("promotion/uat")
    assert (await git.refs(ssh.url)).heads == {"main": first, "promotion/uat": commit}
    assert await git.read(ssh.url, "promotion/uat", "a.txt") == b"2"
    assert set(ssh.users) == {"git"}


async def test_two_who_push_at_once_both_come_through(
    git: MirroredGit, ssh: SshServer, remote: Remote, tmp_path: Path
) -> None:
    await git.checkout(ssh.url, tmp_path / "src", branch="main")
    (tmp_path / "src" / "ours.txt").write_text("1")
    await git.commit(tmp_path / "src", "Ours", author=BOT)
    remote.write({"theirs.txt": "1"})

    await git.push(tmp_path / "src", "main")

    assert {"ours.txt", "theirs.txt"} <= set(remote.files("main"))


async def test_submodules_come_by_ssh_where_there_is_a_key(
    git: MirroredGit, ssh: SshServer, remote: Remote, tmp_path: Path
) -> None:
    commit = remote.write({"chart.yaml": "a: 1\n"})
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{commit},charts")
    remote.git("update-index", "--add", "--cacheinfo", f"160000,{commit},other")
    public = "[submodule 'o']\n\tpath = other\n\turl = git@gitlab.example.com:acme/charts.git\n".replace("'", '"')
    (remote.clone / ".gitmodules").write_text(f'[submodule "c"]\n\tpath = charts\n\turl = ../config.git\n{public}')
    remote.git("add", ".gitmodules")
    remote.git("commit", "-q", "-m", "submodules")
    remote.git("push", "-q", "origin", "HEAD:main")
    await git.checkout(ssh.url, tmp_path / "src", branch="main")

    only_here = git.of_repository(
        reach(ssh_keys=f"ssh://127.0.0.1:{ssh.port} here", here=git._reach._secrets.get("git", "ssh-privatekey"))
    )
    assert {one.path: one.url for one in await only_here.submodules(tmp_path / "src")} == {
        "charts": ssh.url,
        "other": "https://gitlab.example.com/acme/charts.git",
    }
    by_ssh = {one.path: one.url for one in await git.submodules(tmp_path / "src")}
    assert by_ssh["other"] == "git@gitlab.example.com:acme/charts.git"
    await git.checkout(by_ssh["charts"], tmp_path / "charts", commit=commit)
    assert (tmp_path / "charts/chart.yaml").exists()


# --- who may ----------------------------------------------------------------------------------------------


async def test_what_one_repository_fetches_with_its_key_no_other_reads(
    owner: MirroredGit, git: MirroredGit, ssh: SshServer, remote: Remote
) -> None:
    old = remote.at("main")
    new = remote.write({"secret.txt": "for acme/config alone"})
    assert await git.read(ssh.url, "main", "secret.txt") is not None
    assert await git.changed_paths(ssh.url, old, new) == ("secret.txt",)
    assert await git.configured(contents=False).list_files(ssh.url, new, "secret.txt")

    neighbour = owner.of_repository(reach(repository="acme/shop", known_hosts=ssh.known_hosts))
    stranger = owner.of_repository(
        reach(repository="acme/web", ssh_privatekey=new_key().private, known_hosts=ssh.known_hosts)
    )
    for other, why in ((neighbour, "no SSH key for it"), (stranger, "refused the SSH key"), (owner, "no SSH key")):
        for variant in (other, other.configured(contents=False)):
            for ask in (
                variant.read(ssh.url, new, "secret.txt"),
                variant.changed_paths(ssh.url, old, new),
                variant.list_files(ssh.url, new, ""),
                variant.refs(ssh.url),
            ):
                with pytest.raises(UserError, match=why):
                    await ask


async def test_a_key_that_may_only_read_does_not_push(
    git: MirroredGit, ssh: SshServer, remote: Remote, tmp_path: Path
) -> None:
    ssh.writers.clear()
    before = remote.at("main")
    await git.checkout(ssh.url, tmp_path / "src", branch="main")
    (tmp_path / "src" / "a.txt").write_text("2")
    await git.commit(tmp_path / "src", "Change it", author=BOT)
    with pytest.raises(UserError, match=r"refused the SSH key.*write access where something is pushed"):
        await git.push(tmp_path / "src", "main")
    assert remote.at("main") == before


async def test_a_repository_that_is_not_there_is_said_so(git: MirroredGit, ssh: SshServer) -> None:
    with pytest.raises(UserError, match="no such repository, or the SSH key may not see it"):
        await git.refs(ssh.url.replace("config", "nothing"))


# --- who the server is ------------------------------------------------------------------------------------


@pytest.mark.parametrize("verify_tls", [True, False])
@pytest.mark.parametrize(("line", "why"), [("other", "another host key"), ("none", "no host key of .* is known")])
async def test_a_server_that_is_not_known_is_not_spoken_to(
    owner: MirroredGit, ssh: SshServer, key: Key, line: str, why: str, verify_tls: bool
) -> None:
    """Not verifying certificates (`insecureSkipTLSVerify`) changes nothing of it: they are something else."""
    known = f"[127.0.0.1]:{ssh.port} {new_key().public}" if line == "other" else ""
    git = owner.of_repository(reach(ssh_privatekey=key.private, known_hosts=known))
    with pytest.raises(UserError, match=why):
        await git.configured(verify_tls=verify_tls).refs(ssh.url)
    assert not ssh.offered
    assert not ssh.users


async def test_the_operator_may_know_the_server(
    owner: MirroredGit, ssh: SshServer, key: Key, remote: Remote, tmp_path: Path
) -> None:
    (tmp_path / "known_hosts").write_text(f"# ours\n{ssh.known_hosts}")
    git = owner.of_repository(reach(operators=tmp_path / "known_hosts", ssh_privatekey=key.private))
    assert (await git.configured(verify_tls=False).refs(ssh.url)).heads == {"main": remote.at("main")}
    (tmp_path / "known_hosts").unlink()
    with pytest.raises(UserError, match="SSH_KNOWN_HOSTS"):
        await git.refs(ssh.url)


async def test_a_host_key_can_be_revoked(owner: MirroredGit, ssh: SshServer, key: Key) -> None:
    revoked = f"{ssh.known_hosts}\n@revoked {ssh.known_hosts}"
    git = owner.of_repository(reach(ssh_privatekey=key.private, known_hosts=revoked))
    with pytest.raises(UserError, match="host key"):
        await git.refs(ssh.url)
    assert not ssh.users


async def test_the_address_that_was_judged_is_connected_to_whatever_the_name_means(
    owner: MirroredGit, ssh: SshServer, key: Key, remote: Remote
) -> None:
    judge = Found()
    known = f"[git.invalid]:{ssh.port} {ssh.host_key.export_public_key().decode()}"
    git = owner.of_repository(reach(judge, ssh_privatekey=key.private, known_hosts=known))
    url = f"ssh://git@Git.invalid:{ssh.port}/config.git"
    assert (await git.refs(url)).heads == {"main": remote.at("main")}
    assert judge.judged == [f"ssh://git.invalid:{ssh.port}"]


@pytest.mark.parametrize("rules", ["*", "example.com", "10.0.0.0/8"])
async def test_a_private_address_is_only_for_those_it_is_listed_for(
    owner: MirroredGit, ssh: SshServer, key: Key, rules: str
) -> None:
    def allowed(rules: EgressRules) -> MirroredGit:
        return owner.of_repository(reach(Egress(rules), ssh_privatekey=key.private, known_hosts=ssh.known_hosts))

    for host in ("127.0.0.1", "localhost"):
        with pytest.raises(UserError, match="not a public address, and EGRESS_ALLOW doesn't list it"):
            await allowed(parse_rules(rules)).refs(ssh.url.replace("127.0.0.1", host))
    with pytest.raises(UserError, match="link-local or metadata address"):
        await allowed(parse_rules("*")).refs("git@169.254.169.254:acme/x.git")
    assert not ssh.users
    await allowed(parse_rules("127.0.0.1")).refs(ssh.url)


async def test_a_server_nobody_knows_the_address_of_is_asked_again_later(owner: MirroredGit) -> None:
    git = owner.of_repository(reach(Found(at=()), ssh_privatekey=new_key().private))
    with pytest.raises(Retry, match=r"no address is known for git\.invalid") as caught:
        await git.refs("git@git.invalid:acme/x.git")
    assert caught.value.at > NOW


async def test_a_server_that_does_not_answer_is_asked_again_later(
    owner: MirroredGit, ssh: SshServer, key: Key, remote: Remote
) -> None:
    async with ssh_server(remote.path.parent) as gone:
        pass
    git = owner.of_repository(reach(ssh_privatekey=key.private, known_hosts=gone.known_hosts))
    with pytest.raises(Retry, match="refused"):
        await git.refs(gone.url)


# --- keys -------------------------------------------------------------------------------------------------


def written(folder: Path, text: bytes) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]


async def test_a_key_is_ours_alone_while_it_is_used_and_gone_afterwards(
    git: MirroredGit, ssh: SshServer, key: Key, tmp_path: Path
) -> None:
    seen: dict[str, str] = {}
    lines: list[str] = []

    def look() -> None:
        for path in (tmp_path / "data/home/keys").rglob("*"):
            if path.suffix != ".lock":
                seen["folder" if path.is_dir() else path.name] = oct(stat.S_IMODE(path.stat().st_mode))
        lines.extend(command_lines())

    ssh.whenever_asked = look
    await git.refs(ssh.url)

    private = oct(0o600)
    assert seen == {"folder": oct(0o700), "key": private, "known_hosts": private, "config": private}
    assert [line for line in lines if f"-p {ssh.port}" in line], "ssh was running"
    assert not [line for line in lines if key.private.splitlines()[1] in line]
    assert not list((tmp_path / "data/home/keys").iterdir())
    assert not written(tmp_path, b"PRIVATE KEY")


async def test_a_key_that_a_killed_towpath_left_is_taken_away(git: MirroredGit, ssh: SshServer, tmp_path: Path) -> None:
    left = tmp_path / "data/home/keys/session-of-before"
    left.mkdir(parents=True)
    (left / "key").write_text("precious")
    left.with_suffix(".lock").touch()
    await git.refs(ssh.url)
    assert not left.exists()


@pytest.fixture
def agent(tmp_path: Path) -> Iterator[Callable[[Key], Path]]:
    """Starts an agent that holds a key, and says where it listens."""
    required(shutil.which("ssh-agent"), "needs OpenSSH's agent")
    socket = tmp_path / "agent"
    made = subprocess.run(["ssh-agent", "-a", str(socket)], check=True, capture_output=True, text=True)
    process = int(re.findall(r"SSH_AGENT_PID=(\d+)", made.stdout)[0])

    def hold(key: Key) -> Path:
        environment = {"SSH_AUTH_SOCK": str(socket), "PATH": os.defpath}
        subprocess.run(["ssh-add", "-q", "-"], input=key.private.encode(), env=environment, check=True)
        return socket

    yield hold
    os.kill(process, signal.SIGTERM)


async def test_no_key_of_the_machines_user_is_offered(
    ssh: SshServer, agent: Callable[[Key], Path], tmp_path: Path
) -> None:
    """Not one that an agent holds, and would be let in; nor a password."""
    ours, socket = new_key(), agent(ssh.let_in(new_key()))
    environment = {"SSH_AUTH_SOCK": str(socket)}
    git = MirroredGit(tmp_path / "agents", nobody, BOT, StandingClock(), environment=environment)
    with pytest.raises(UserError, match="refused the SSH key"):
        await git.of_repository(reach(ssh_privatekey=ours.private, known_hosts=ssh.known_hosts)).refs(ssh.url)
    await git.close()
    assert ssh.offered == [" ".join(ours.public.split()[:2])]


def encrypted(file: Path, *options: str) -> str:
    required(shutil.which("ssh-keygen"), "needs OpenSSH's ssh-keygen")
    subprocess.run(["ssh-keygen", "-q", "-N", "passphrase", *options, "-f", str(file)], check=True)
    return file.read_text()


@pytest.mark.parametrize(
    ("private", "why"),
    [
        ("encrypted", "is encrypted"),
        ("encrypted PEM", "is encrypted"),
        ("public", "without `.pub`"),
        ("precious", "no private key"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\nprecious\n-----END OPENSSH PRIVATE KEY-----", "no private key"),
        ("", "no private key"),
    ],
)
async def test_what_is_no_key_to_use_is_said_so_without_quoting_it(
    owner: MirroredGit, ssh: SshServer, private: str, why: str, tmp_path: Path
) -> None:
    if private == "public":
        private = new_key().public
    elif private.startswith("encrypted"):
        private = encrypted(tmp_path / "key", *(("-m", "PEM", "-t", "ecdsa") if "PEM" in private else ()))
    with pytest.raises(UserError, match=why) as caught:
        await owner.of_repository(reach(ssh_privatekey=private)).refs(ssh.url)
    assert "precious" not in str(caught.value)
    assert caught.value.__cause__ is None, "nor what the library says of it"


def test_without_an_ssh_program_it_is_said_what_to_install(tmp_path: Path) -> None:
    code = (
        "from pathlib import Path; import sys\n"
        "from bot.contracts.git import SshLogin\n"
        "from bot.core.urls import ssh_address\n"
        "from bot.git.ssh import at_hand\n"
        "try:\n  with at_hand(SshLogin('key', 'hosts', '127.0.0.1'), ssh_address('git@h:x'), Path(sys.argv[1])): pass\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    environment = {"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", code, str(tmp_path)]
    done = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
    assert done.stdout.startswith("UserError ssh://h:22 is asked by SSH, and there is no program `ssh`")
    assert not list(tmp_path.iterdir())


async def test_nothing_else_than_ssh_is_spoken_with_a_key(owner: MirroredGit, remote: Remote, tmp_path: Path) -> None:
    """Whatever git would make of an address."""
    runner = owner._mirrors._runner.with_credential("git@h:x", SshLogin("key", "", "127.0.0.1"))
    assert runner.environment["GIT_ALLOW_PROTOCOL"] == "ssh"
    assert "ssh" not in owner._mirrors._runner.environment["GIT_ALLOW_PROTOCOL"]
    assert "key" not in repr(runner).replace("keys", "")
