"""`towpath render`: the files a promotion would write, from a checkout that stays as it is."""

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.cli.freight import Wanted
from bot.cli.render import Asked
from bot.cli.rendered import File, coloured, diff_of
from bot.cli.trial import LOCAL
from bot.core import lock
from bot.core.freight import make_freight
from bot.core.lock import Lock, Way
from bot.core.model import Image, StageName, WarehouseName
from bot.errors import UserError
from bot.git.own_checkout import copy_of
from bot.steps import BY_NAME
from bot.workbench import render_checkout

ROOT = Path(__file__).parent.parent.parent
SERVICE = "ghcr.io/acme/service"
DIGEST = "sha256:" + "a" * 64
CHART = {
    "chart/Chart.yaml": "apiVersion: v2\nname: service\nversion: 0.1.0\n",
    "chart/values.yaml": "image: {tag: none}\nreplicas: 1\n",
    "chart/values-test.yaml": "image:\n  tag: none\n",
    "chart/templates/a.yaml": (
        "kind: ConfigMap\napiVersion: v1\nmetadata: {name: x}\n"
        "data: {v: {{ .Values.image.tag }}, r: {{ .Values.replicas }}}\n"
    ),
}
PIPELINE = f"""\
warehouses:
  service: {{image: {{repoURL: {SERVICE}, constraint: ^1.0.0}}}}
stages:
  test: {{from: service, render: {{helm: {{chart: chart, values: values-test.yaml}}}}}}
  uat: {{from: test, render: {{helm: {{chart: chart}}, branch: "stage/${{{{ ctx.stage }}}}"}}}}
"""
PLAIN = f"warehouses: {{service: {{image: {SERVICE}}}}}\nstages:\n  test:\n    from: service"
MANIFEST = "out/stages/test/manifests.yaml"


@dataclass(frozen=True, slots=True)
class Checkout:
    """A person's checkout of `acme/shop`."""

    folder: Path

    def git(self, *arguments: str) -> str:
        environment = {"PATH": os.defpath, "HOME": str(self.folder.parent), "GIT_CONFIG_GLOBAL": os.devnull}
        environment |= {f"GIT_{who}_{what}": "octocat" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
        command = ["git", "-c", "protocol.file.allow=always", *arguments]
        done = subprocess.run(command, cwd=self.folder, env=environment, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        for name, content in files.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(content)

    def commit(self, files: Mapping[str, str]) -> None:
        self.write(files)
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message=change")

    def contents(self) -> dict[str, bytes]:
        """All there is, git's own files included, but for what only says when it was looked at."""
        return {str(p.relative_to(self.folder)): p.read_bytes() for p in self.folder.rglob("*") if p.is_file()}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    made = Checkout(tmp_path / "shop")
    made.folder.mkdir()
    made.git("init", "--quiet", "--initial-branch=main")
    made.git("remote", "add", "origin", "git@github.example.com:acme/shop.git")
    made.commit({**CHART, ".promotion.yaml": PIPELINE})
    return made


@dataclass(frozen=True, slots=True)
class Ended:
    status: int
    out: str
    err: str

    @property
    def json(self) -> dict[str, Any]:
        return dict(json.loads(self.out))


async def render(checkout: Checkout, stage: str = "test", *, path: Path | None = None, freight: tuple[str, ...] = (),
                 versions: tuple[tuple[str, str], ...] = (), **how: Any) -> Ended:  # fmt: skip
    out, err = io.StringIO(), io.StringIO()
    asked = Asked(stage, Wanted(freight, versions), **how)
    status = await render_checkout(path or checkout.folder, asked, None, out, err)
    return Ended(status, out.getvalue(), err.getvalue())


V1 = (("service", "1.0.0"),)


def held(stage: str, *images: Image, origin: str = "service") -> dict[str, str]:
    """The lock of a stage, as a file."""
    freight = make_freight(WarehouseName(origin), images, None)
    text = lock.write(Lock(StageName(stage), f"{stage}.x", freight.id, (freight,), "octocat", Way.AUTOMATION))
    return {lock.path(StageName(stage)): text}


# --- what is rendered -------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["service", SERVICE, "SERVICE"])
async def test_a_version_is_rendered_for_a_stage(checkout: Checkout, tmp_path: Path, name: str) -> None:
    ended = await render(checkout, versions=((name, "1.0.0"),), out=tmp_path / "out")

    assert ended.status == 0
    assert "v: 1.0.0" in (tmp_path / "out" / MANIFEST).read_text()
    assert [p.relative_to(tmp_path / "out").as_posix() for p in (tmp_path / "out").rglob("*") if p.is_file()] == [
        MANIFEST
    ]
    assert ended.out.splitlines()[0] == "test: service 1.0.0"
    assert "  skipped  push (git-push): needs a remote" in ended.out
    assert "  skipped  open-pr (git-open-pr): belongs to the pull request" in ended.out
    assert ended.out.endswith(f"1 of 1 files would change, written to {tmp_path / 'out'}\n")


async def test_the_checkout_is_taken_as_it_is_and_stays_so(checkout: Checkout) -> None:
    checkout.commit({".gitignore": "ignored*\n", "tracked.log": "1\n"})
    checkout.write({"chart/values.yaml": "replicas: 7\nimage: {tag: none}\n"})  # not committed
    checkout.write({"chart/templates/new.yaml": "kind: Service\n"})  # not even known
    checkout.write({"chart/templates/ignored.yaml": "{{ fail `ignored` }}\n"})
    before = checkout.contents()

    ended = await render(checkout, versions=V1, diff=True)

    assert ended.status == 0
    assert "+data: {v: 1.0.0, r: 7}\n" in ended.out
    assert "+kind: Service\n" in ended.out
    assert checkout.contents() == before


async def test_a_clean_checkout_is_the_commit_it_is_at(checkout: Checkout, tmp_path: Path) -> None:
    own = copy_of(checkout.folder, tmp_path)
    assert Checkout(own.copy).git("rev-parse", "main") == checkout.git("rev-parse", "HEAD")
    assert own.url == "https://github.example.com/acme/shop.git"


async def test_what_changes_is_shown_as_a_diff(checkout: Checkout) -> None:
    await render(checkout, versions=V1, out=checkout.folder / "new")
    checkout.commit({MANIFEST: (checkout.folder / "new" / MANIFEST).read_text(), "out/stages/test/old.yaml": "a: b\n"})

    ended = await render(checkout, versions=(("service", "1.1.0"),), diff=True)

    assert ended.out.splitlines() == [
        f"--- a/{MANIFEST}",
        f"+++ b/{MANIFEST}",
        "@@ -3,4 +3,4 @@",
        " kind: ConfigMap",
        " apiVersion: v1",
        " metadata: {name: x}",
        "-data: {v: 1.0.0, r: 1}",
        "+data: {v: 1.1.0, r: 1}",
        "--- a/out/stages/test/old.yaml",
        "+++ /dev/null",
        "@@ -1 +0,0 @@",
        "-a: b",
    ]
    assert ended.err.endswith("2 of 2 files would change\n")
    same = await render(checkout, versions=V1)
    assert same.out.endswith("  deleted  out/stages/test/old.yaml\n1 of 2 files would change\n")


async def test_programs_are_told_in_json(checkout: Checkout) -> None:
    ended = await render(checkout, versions=V1, as_json=True, diff=True)

    assert (ended.status, ended.err) == (0, "")
    assert ended.json["stage"] == "test"
    assert ended.json["files"] == [{"path": MANIFEST, "change": "added"}]
    assert ended.json["freight"][0]["images"] == [{"repoURL": SERVICE, "tag": "1.0.0"}]
    assert [one["status"] for one in ended.json["steps"]] == ["Succeeded"] * 5 + ["Skipped"] * 3
    assert ended.json["diff"].startswith("--- /dev/null\n")


async def test_a_branch_of_the_stages_own_is_taken_as_it_was_fetched(checkout: Checkout, tmp_path: Path) -> None:
    fresh = await render(checkout, "uat", versions=V1, out=tmp_path / "fresh")
    assert fresh.status == 0
    assert "v: 1.0.0" in (tmp_path / "fresh/out/stages/uat/manifests.yaml").read_text()

    checkout.git("checkout", "--quiet", "--orphan", "rendered")
    checkout.git("rm", "-rfq", ".")
    checkout.commit({"out/stages/uat/gone.yaml": "a: b\n", **held("uat", Image(SERVICE, "1.0.5", DIGEST))})
    checkout.git("update-ref", "refs/remotes/origin/stage/uat", "HEAD")
    checkout.git("checkout", "--quiet", "main")
    checkout.git("branch", "--quiet", "-D", "rendered")
    ended = await render(checkout, "uat", as_json=True)
    assert ended.json["freight"][0]["images"][0]["tag"] == "1.0.5"
    assert ended.json["files"] == [
        {"path": "out/stages/uat/gone.yaml", "change": "deleted"},
        {"path": "out/stages/uat/manifests.yaml", "change": "added"},
    ]


@pytest.mark.parametrize("kind", ["shallow", "worktree", "subfolder", "detached", "feature"])
async def test_every_kind_of_checkout_will_do(checkout: Checkout, tmp_path: Path, kind: str) -> None:
    checkout.commit({"more.txt": "1\n"})
    other = Checkout(tmp_path / "other")
    path = other.folder
    if kind == "shallow":
        checkout.git("clone", "--quiet", "--depth=1", f"file://{checkout.folder}", str(other.folder))
        other.git("remote", "set-url", "origin", "ssh://git@github.example.com:22/acme/shop")
    elif kind == "worktree":
        checkout.git("worktree", "add", "--quiet", "-b", "wip", str(other.folder))
    elif kind == "subfolder":
        path = checkout.folder / "pipeline"
        checkout.commit({"pipeline/.promotion.yaml": PIPELINE})
    else:
        checkout.git("clone", "--quiet", f"file://{checkout.folder}", str(other.folder))
        other.git("checkout", "--quiet", *(["--detach"] if kind == "detached" else ["-b", "feature"]))
    if kind != "subfolder":
        other.write({"chart/values.yaml": "replicas: 9\nimage: {tag: none}\n"})

    ended = await render(checkout, versions=V1, diff=True, path=path)

    assert ended.status == 0
    assert f"+data: {{v: 1.0.0, r: {1 if kind == 'subfolder' else 9}}}\n" in ended.out


async def test_a_new_repository_without_a_commit_or_remote(tmp_path: Path) -> None:
    made = Checkout(tmp_path / "new")
    made.folder.mkdir()
    made.git("init", "--quiet", "--initial-branch=trunk")
    made.write({**CHART, ".promotion.yaml": PIPELINE})
    assert (await render(made, versions=V1)).status == 0


async def test_files_keep_being_programs_and_links(checkout: Checkout, tmp_path: Path) -> None:
    steps = """
    steps:
      - {uses: git-clone, config: {checkout: [{path: src}]}}
      - {uses: copy, config: {inPath: src/scripts, outPath: src/out}}
      - {uses: git-commit, config: {path: src}}
"""
    checkout.write({"scripts/run.sh": "#!/bin/sh\n"})
    (checkout.folder / "scripts/run.sh").chmod(0o755)
    (checkout.folder / "scripts/link").symlink_to("run.sh")
    checkout.commit({".promotion.yaml": PLAIN + steps})
    out = tmp_path / "o"
    assert (await render(checkout, versions=V1, out=out)).status == 0
    assert stat.S_IMODE((out / "out/run.sh").stat().st_mode) == 0o755
    assert (out / "out/link").readlink() == Path("run.sh")


# --- freight ----------------------------------------------------------------------------------------


@pytest.fixture
def locked(checkout: Checkout) -> Checkout:
    checkout.commit({**held("test", Image(SERVICE, "1.2.0", DIGEST)), **held("prod", Image(SERVICE, "1.1.0", DIGEST))})
    return checkout


@pytest.mark.parametrize(
    ("how", "tag", "digest"),
    [
        ({}, "1.2.0", DIGEST),
        ({"freight": ("1.1.0",)}, "1.1.0", DIGEST),
        ({"versions": (("service", "1.1.0"),)}, "1.1.0", DIGEST),
        ({"versions": (("service", "1.9.0"),)}, "1.9.0", None),
        ({"versions": (("service", f"1.9.0@{DIGEST}"),)}, "1.9.0", DIGEST),
    ],
)
async def test_freight_is_what_was_asked_for_else_what_the_stage_holds(
    locked: Checkout, how: dict[str, Any], tag: str, digest: str | None
) -> None:
    image = (await render(locked, as_json=True, **how)).json["freight"][0]["images"][0]
    assert (image["tag"], image.get("digest")) == (tag, digest)


async def test_a_stage_that_holds_nothing_is_rendered_with_what_comes_before_it(locked: Checkout) -> None:
    assert (await render(locked, "uat", as_json=True)).json["freight"][0]["images"][0]["tag"] == "1.2.0"


async def test_freight_by_alias_and_id(locked: Checkout) -> None:
    freight = (await render(locked, as_json=True)).json["freight"][0]
    for name in (freight["alias"], freight["id"], freight["id"][:8]):
        assert (await render(locked, freight=(name,), as_json=True)).json["freight"] == [freight]


async def test_a_commit_of_the_repository_itself_is_found_by_its_tag(checkout: Checkout) -> None:
    checkout.git("tag", "v1.0.0")
    sha = checkout.git("rev-parse", "HEAD")
    pipeline = """\
warehouses: {source: {git: {repoURL: 'https://github.example.com/acme/shop.git'}}}
stages:
  test:
    from: source
    steps:
      - uses: git-clone
        as: clone
        vars: [{name: url, value: 'https://github.example.com/acme/shop.git'}]
        config: {checkout: [{path: src}, {path: old, commit: "${{ commitFrom(vars.url).ID }}"}]}
      - {uses: file-write, config: {path: src/out/sha, contents: "${{ outputs.clone.commits.old }}"}}
      - {uses: git-commit, config: {path: src/out}}
"""
    checkout.commit({".promotion.yaml": pipeline})
    for version in ("v1.0.0", sha, sha[:9]):
        ended = await render(checkout, versions=(("shop", version),), diff=True)
        assert f"+{sha}\n" in ended.out, ended.err


# --- what does not work -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stage", "how", "says"),
    [
        ("tset", {"versions": V1}, "no stage 'tset'; did you mean test"),
        ("test", {}, "--set service=VERSION"),
        ("test", {"freight": ("1.0.0",)}, "No freight by that name"),
        ("test", {"versions": (("other", "1"),)}, "takes nothing called 'other'; it takes service"),
        ("test", {"versions": V1 + V1}, "'service' is given twice"),
    ],
)
async def test_mistakes_are_said(checkout: Checkout, stage: str, how: dict[str, Any], says: str) -> None:
    with pytest.raises(UserError, match=says):
        await render(checkout, stage, **how)


async def test_control_flow_stages_have_nothing_to_render(checkout: Checkout) -> None:
    checkout.write({".promotion.yaml": PIPELINE + "  gate: {from: test}\n"})
    with pytest.raises(UserError, match="control-flow"):
        await render(checkout, "gate", versions=V1)


async def test_a_lock_that_is_none_is_said_to_be_so(checkout: Checkout) -> None:
    checkout.write({".promotion/test.lock": "nonsense\n"})
    with pytest.raises(UserError, match=r"\.promotion/test\.lock on main is no lock"):
        await render(checkout, versions=V1)


async def test_a_folder_that_is_no_checkout(tmp_path: Path) -> None:
    (tmp_path / ".promotion.yaml").write_text(PIPELINE)
    with pytest.raises(UserError, match="no checkout of a Git repository"):
        await render(Checkout(tmp_path), versions=V1)


async def test_a_broken_or_missing_configuration(checkout: Checkout) -> None:
    checkout.write({".promotion.yaml": "stages: {test: {frm: x}}\n"})
    ended = await render(checkout, versions=V1)
    assert (ended.status, ended.out) == (1, "")
    assert "unknown key `frm`" in ended.err
    ended = await render(checkout, path=checkout.folder / "nowhere")
    assert ended.status == 2
    assert "can't read" in ended.err


async def test_a_step_that_fails_ends_with_status_1_and_writes_nothing(checkout: Checkout, tmp_path: Path) -> None:
    checkout.write({"chart/templates/b.yaml": "{{ fail `no` }}\n"})
    ended = await render(checkout, versions=V1, out=tmp_path / "out")
    assert ended.status == 1
    assert "  failed   build (helm-template): rendering ./src/chart: " in ended.out
    assert "  skipped  commit (git-commit)\n" in ended.out
    assert not (tmp_path / "out").exists()


async def test_only_an_empty_folder_is_written_to(checkout: Checkout) -> None:
    ended = await render(checkout, versions=V1, out=checkout.folder)
    assert ended.status == 2
    assert "not empty" in ended.err


@pytest.mark.parametrize(
    ("step", "says"),
    [
        ("{uses: http, as: x, config: {url: 'https://example.com'}}", "  skipped  x (http): needs a remote"),
        ("{uses: git-clone, as: x, config: {repoURL: 'https://example.com/x', checkout: [{path: x}]}}",
         "  failed   x (git-clone): https://example.com/x is another repository"),
        ("{uses: file-write, as: x, config: {path: src/a, contents: \"${{ secret('s').k }}\"}}",
         "secrets such as 's' are not at hand here"),
        ("{uses: file-write, as: x, if: \"${{ failure() }}\", config: {path: src/a, contents: a}}",
         "  skipped  x (file-write)"),
        ("{uses: file-write, as: x, config: {path: src/a, contents: a, permissions: \"${{ 'no' }}\"}}",
         "  failed   x (file-write)"),
        ("{uses: compose-output, as: x, vars: [{name: a, value: b}], config: {y: \"${{ vars.a }}\"}}",
         "  ok       x (compose-output)"),
    ],
)  # fmt: skip
async def test_what_becomes_of_other_steps(checkout: Checkout, step: str, says: str) -> None:
    steps = f"    steps:\n      - {{uses: git-clone, config: {{checkout: [{{path: src}}]}}}}\n      - {step}\n"
    checkout.write({".promotion.yaml": f"{PLAIN}\n{steps}"})
    ended = await render(checkout, versions=V1)
    assert says in ended.out, ended.err
    assert ended.status == ("failed" in ended.out)
    if not ended.status:
        assert "no step commits anything" in ended.out


def test_a_diff_says_what_is_not_text_or_has_no_line_end() -> None:
    assert diff_of(File("a", b"\xff", b"\xfe")) == ["Binary file a changed\n"]
    assert diff_of(File("a", b"x", b"y\n"))[-2:] == ["-x\n\\ No newline at end of file\n", "+y\n"]


def test_additions_are_green_and_removals_red() -> None:
    assert [coloured(line)[:5] for line in ("+a\n", "-a\n", "@@ -1 +1 @@\n")] == ["\x1b[32m", "\x1b[31m", "\x1b[36m"]
    assert coloured(" a\n") == " a\n"


def test_a_step_is_local_or_needs_a_remote() -> None:
    """Every step is one or the other on purpose: a new one that needs nothing else belongs into LOCAL."""
    remote = {name for name in BY_NAME if name not in LOCAL}
    assert {"git-push", "git-open-pr", "git-wait-for-pr", "http"} <= remote
    assert not {name for name in remote if name.startswith(("helm", "kustomize", "yaml", "json", "toml"))}


def towpath(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "bot", "render", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)


def test_the_command_ends_with_what_became_of_it(checkout: Checkout) -> None:
    folder = str(checkout.folder)
    good = towpath("test", folder, "--set", "service=1.0.0", "--diff")
    assert (good.returncode, good.stdout.splitlines()[0]) == (0, "--- /dev/null")
    assert "\x1b" not in good.stdout
    bad = towpath("nowhere", folder, "--set", "service=1.0.0")
    assert (bad.returncode, bad.stderr.splitlines()[0][:30]) == (1, "towpath: there is no stage 'no")
    assert towpath("test", folder, "--set", "service").returncode == 2


NOTING = f"""\
warehouses: {{service: {{image: {SERVICE}}}}}
stages:
  test:
    from: service
    steps:
    - uses: set-metadata
      config:
        updates:
        - {{kind: Freight, name: "${{{{ ctx.targetFreight.name }}}}", values: {{seen: again}}}}
    - uses: set-freight-alias
      config: {{name: "${{{{ ctx.targetFreight.name }}}}", alias: v1}}
    - uses: git-clone
      config: {{checkout: [{{branch: main, path: src}}]}}
    - uses: file-write
      config:
        path: src/out/said
        contents: >-
          ${{{{ freightMetadata(ctx.targetFreight.name).seen }}}}
          ${{{{ freightMetadata(ctx.targetFreight.name).ticket }}}}
          ${{{{ ctx.targetFreight.alias }}}} ${{{{ stageMetadata("test").runs }}}}
    - uses: git-commit
      config: {{path: src}}
"""


async def test_what_steps_keep_and_locks_say_is_at_hand(checkout: Checkout, tmp_path: Path) -> None:
    path, text = next(iter(held("test", Image(SERVICE, "1.0.0", DIGEST)).items()))
    before = lock.read(text)
    noted = replace(before, metadata={"runs": 7}, freight_metadata={before.promoted: {"ticket": "A-1", "seen": "once"}})
    checkout.commit({path: lock.write(noted), ".promotion.yaml": NOTING})

    ended = await render(checkout, out=tmp_path / "out")

    assert ended.status == 0, ended.out
    assert (tmp_path / "out" / "out" / "said").read_text() == "again A-1 v1 7"
