"""A pipeline whose repositories are reached by SSH, as Argo CD's and Kargo's are: with the keys of its own secret."""

import json
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from tests.environment import required
from tests.git.conftest import Remote, make_remote
from tests.git.ssh_server import SshServer, new_key, ssh_server
from tests.git.test_ssh import written
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import REPO, Scene, scene

# The pipeline's own repository by SSH as well, as people paste it: GitHub is asked over https by the App.
PIPELINE = """\
warehouses:
  library:
    interval: 1h
    git: {repoURL: "LIBRARY", commitSelectionStrategy: SemVer, semverConstraint: ^1.0.0}
stages:
  test:
    from: library
    auto: true
    merge: auto
    promotionTemplate:
      spec:
        vars:
          - {name: own, value: "git@127.0.0.1:acme/shop.git"}
          - {name: library, value: "LIBRARY"}
        steps:
          - {uses: git-clone, config: {repoURL: "${{ vars.own }}", checkout: [{path: ./src}]}}
          - uses: git-clone
            config:
              repoURL: ${{ vars.library }}
              checkout: [{commit: "${{ commitFrom(vars.library).ID }}", path: ./library}]
          - uses: git-clone
            config:
              repoURL: ${{ vars.library }}
              checkout: [{branch: promoted, create: true, path: ./back}]
          - {uses: copy, config: {inPath: ./library/rules.yaml, outPath: ./src/out/rules.yaml}}
          - {uses: git-commit, config: {path: ./src/out}}
          - {uses: git-push, config: {path: ./src, generateTargetBranch: true}}
          - uses: file-write
            config: {path: ./back/promoted.txt, contents: "${{ commitFrom(vars.library).Tag }}", overwrite: true}
          - {uses: git-commit, config: {path: ./back, message: Tell the library}}
          - {uses: git-push, config: {path: ./back, targetBranch: promoted}}
          - {uses: git-open-pr, config: {repoURL: "${{ vars.own }}", targetBranch: main}}
          - {uses: git-wait-for-pr, config: {repoURL: "${{ vars.own }}"}}
"""


@pytest.fixture
def library(tmp_path: Path) -> Remote:
    return make_remote(tmp_path / "library")


@pytest.fixture
async def ssh(library: Remote) -> AsyncIterator[SshServer]:
    required(shutil.which("ssh"), "needs OpenSSH's client")
    async with ssh_server(library.path.parent) as server:
        yield server


def release(library: Remote, tag: str) -> str:
    sha = library.write({"rules.yaml": f"version: {tag}\n"})
    library.git("tag", tag)
    library.git("push", "-q", "origin", tag)
    return sha


async def told(shop: Scene) -> None:
    (await shop.who("owner").post(f"{REPO}/dispatches", {"event_type": "released"})).ok(204)
    await shop.quiet()


async def said_of(shop: Scene) -> str:
    """What the check of the configuration says."""
    head = (await shop.who("owner").get(f"{REPO}/commits/main")).ok()["sha"]
    runs = (await shop.who("owner").get(f"{REPO}/commits/{head}/check-runs?filter=all")).ok()["check_runs"]
    return json.dumps([run["output"] for run in runs])


async def test_a_library_is_watched_cloned_and_told_by_ssh(
    github: GitHub, tmp_path: Path, ssh: SshServer, library: Remote
) -> None:
    key = ssh.let_in(new_key())
    secrets = tmp_path / "secrets/acme/shop/git"
    secrets.mkdir(parents=True)
    (secrets / "ssh-privatekey").write_text(key.private)
    (secrets / "known_hosts").write_text(ssh.known_hosts)
    first = release(library, "v1.0.0")
    files = {".promotion.yaml": PIPELINE.replace("LIBRARY", ssh.url)}
    async with scene(github, tmp_path / "bot", files, SECRETS_DIR=str(tmp_path / "secrets")) as shop:
        await shop.hears((await shop.landed("test"))["number"], "config v1.0.0 is verified in `test`")
        lock = yaml.safe_load(await shop.read(".promotion/test.lock"))
        (commit,) = lock["freight"][0]["commits"]
        assert (commit["repoURL"], commit["id"]) == (ssh.url, first)
        assert await shop.read("out/rules.yaml") == "version: v1.0.0\n"
        assert library.git("show", "promoted:promoted.txt", cwd=library.path) == "v1.0.0"

        (secrets / "ssh-privatekey").write_text(ssh.let_in(new_key()).private)  # rotated
        ssh.readers.discard(" ".join(key.public.split()[:2]))
        release(library, "v1.1.0")
        await told(shop)
        await shop.hears((await shop.landed("test"))["number"], "config v1.1.0 is verified in `test`")
        assert library.git("show", "promoted:promoted.txt", cwd=library.path) == "v1.1.0"
    assert not written(tmp_path / "bot", b"PRIVATE KEY")


async def test_a_neighbours_key_is_not_used(github: GitHub, tmp_path: Path, ssh: SshServer, library: Remote) -> None:
    """Both are of one owner; the key is the other repository's, and so is what was fetched with it."""
    key = ssh.let_in(new_key())
    release(library, "v1.0.0")
    market = {"ssh-privatekey": key.private, "known_hosts": ssh.known_hosts}
    secrets = {"acme/market": {"git": market}, "acme/shop": {"git": {"known_hosts": ssh.known_hosts}}}
    watch = PIPELINE.partition("stages:")[0].replace("LIBRARY", ssh.url) + "stages:\n  seen: {from: library}\n"
    async with scene(github, tmp_path / "bot", {"README.md": "shop\n"}, SECRETS=json.dumps(secrets)) as shop:
        await github.repo("market")
        await github.file("/repos/acme/market", ".promotion.yaml", watch)
        await shop.quiet()
        asked = len(ssh.asked)
        assert asked, "the neighbour's warehouse watches"

        await shop.write({".promotion.yaml": PIPELINE.replace("LIBRARY", ssh.url)})
        await shop.quiet()

        assert len(ssh.asked) == asked
        assert not await shop.pulls("test")
        assert "there is no SSH key for it; put a private key into the secret `git` of acme/shop" in await said_of(shop)


async def test_a_private_address_is_asked_only_where_the_operator_lists_it(
    github: GitHub, tmp_path: Path, ssh: SshServer, library: Remote
) -> None:
    key = ssh.let_in(new_key())
    release(library, "v1.0.0")
    secrets = {"acme/shop": {"git": {"ssh-privatekey": key.private, "known_hosts": ssh.known_hosts}}}
    files = {".promotion.yaml": PIPELINE.replace("LIBRARY", ssh.url)}
    changes = {"SECRETS": json.dumps(secrets), "EGRESS_ALLOW": "*"}
    async with scene(github, tmp_path / "bot", files, **changes) as shop:
        assert "it is not a public address, and EGRESS" in await said_of(shop)
        assert not ssh.users


ATTACKS = (
    "ssh://-oProxyCommand=touch${IFS}PWNED/x/y",
    "ssh://git@-oProxyCommand=touch${IFS}PWNED/x",
    "-oProxyCommand=touch${IFS}PWNED:x",
    "git@127.0.0.1:-oProxyCommand=touch${IFS}PWNED",
    "git@127.0.0.1:x/../../../etc",
    "ssh://git@127.0.0.1/x%0aProxyCommand%20touch%20PWNED",
    "ext::sh -c touch% PWNED",
    "git://127.0.0.1/acme/x.git",
    "git+ssh://git@127.0.0.1/x",
    "file:///etc",
)


async def test_addresses_that_are_attacks_are_refused(github: GitHub, tmp_path: Path, ssh: SshServer) -> None:
    secrets = {"acme/shop": {"git": {"ssh-privatekey": new_key().private, "known_hosts": ssh.known_hosts}}}
    pwned = tmp_path / "pwned"
    urls = {f"w{number}": url.replace("PWNED", str(pwned)) for number, url in enumerate(ATTACKS)}
    warehouses = {name: {"git": url} for name, url in urls.items()}
    pipeline = {"warehouses": warehouses, "stages": {f"after-{name}": {"from": name} for name in urls}}
    files = {".promotion.yaml": json.dumps(pipeline)}
    async with scene(github, tmp_path / "bot", files, SECRETS=json.dumps(secrets)) as shop:
        said = await said_of(shop)
        assert said.count("is not a repository address Towpath takes") == len(ATTACKS), said
    assert not pwned.exists()
