"""One Towpath serves several who don't know each other. Whoever configures one repository comes by nothing else: not by
what another owner keeps private, not by secrets, keys and files of the machine. Each stage here is an attack."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from bot.rendering import find_programs
from bot.sandbox.observers import Exchange
from tests.environment import required
from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, REPO, REPOSITORY, Scene, scene

SECRET = "s3cret-of-the-other"
THEIRS = "/repos/writer/vault"
HEAD = """\
warehouses:
  own: {interval: 1h, git: {repoURL: "http://ADDRESS/acme/shop.git"}}
stages:
"""
STAGE = """\
  %s:
    from: own
    auto: true
    promotionTemplate:
      spec:
        steps:
        - {uses: git-clone, config: {checkout: [{branch: main, path: ./src}]}}
%s"""
# What is tried, and what is said of it.
ATTACKS = {
    "clone": (
        "- {uses: git-clone, config: {repoURL: 'http://ADDRESS/writer/vault.git', checkout: [{path: ./theirs}]}}",
        "access was refused|no such repository",
    ),
    "clone-around": (
        "- {uses: git-clone, config: {repoURL: 'http://ADDRESS/acme/../writer/vault.git', checkout: [{path: ./t}]}}",
        "access was refused|no such repository|not a repository address",
    ),
    "propose": (
        "- {uses: git-open-pr, config: {repoURL: 'http://ADDRESS/writer/vault', sourceBranch: main, targetBranch: x}}",
        "another owner's",
    ),
    "secret": (
        "- {uses: fail, config: {message: \"${{ secret('../../writer/vault/cd').token }}\"}}",
        "can't be the name",
    ),
    "secret-case": ("- {uses: fail, config: {message: \"it is ${{ secret('cd').token ?? 'mine' }}\"}}", "it is mine"),
    "link-read": (
        "- {uses: yaml-parse, config: {path: ./src/links/token, outputs: [{name: a, fromExpression: token}]}}",
        "out of the promotion's folder",
    ),
    "link-send": (
        "- {uses: http, config: {url: 'http://ADDRESS/x', method: POST, bodyFromFile: ./src/links/key}}",
        "out of the promotion's folder",
    ),
    "link-copy": (
        "- {uses: copy, config: {inPath: ./src/links/data, outPath: ./src/out}}",
        "out of the promotion's folder",
    ),
    "link-archive": (
        "- {uses: tar, config: {inPath: ./src/links/key, outPath: ./src/out.tar}}",
        "out of the promotion's folder",
    ),
    "chart-link": (
        "- {uses: helm-template, config: {path: ./src/linked, outPath: ./src/o.yaml, releaseName: r}}",
        "symbolic link out of the promotion's folder",
    ),
    "chart-values": (
        "- {uses: helm-template, config: {path: ./src/chart, outPath: ./o, releaseName: r, valuesFiles: [MACHINE/x]}}",
        "no values file",
    ),
    "chart-dependency": (
        "- {uses: helm-update-chart, config: {path: ./src/depends}}",
        "leads out of the promotion's folder",
    ),
    "base": (
        "- {uses: kustomize-build, config: {path: ./src/base, outPath: ./src/o.yaml}}",
        "outside the promotion's folder",
    ),
    # Kustomize calls its file of values like the chart: it would lie in the folder of secrets.
    "fetched-base": (
        "- {uses: kustomize-build, config: {path: ./src/fetching, outPath: ./src/o.yaml}}",
        "permission denied|has no charts on this machine",
    ),
    "fetched-option": (
        "- {uses: kustomize-build, config: {path: ./src/optional, outPath: ./src/o.yaml}}",
        "rendering ./src/optional",
    ),
}


class Written:
    """All that goes to GitHub's API and its Git."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    def exchange(self, exchange: Exchange) -> None:
        self.texts.append(str(exchange.request))

    def webhook(self, _: object) -> None:
        pass


def files(machine: Path) -> dict[str, str]:
    up = "../" * 30
    evil = f"{up}{str(machine / 'secrets/writer').lstrip('/')}"  # the folder has to be there
    return {
        **CHART,
        "linked/Chart.yaml": "apiVersion: v2\nname: linked\nversion: 0.1.0\n",
        "linked/templates/x.yaml": '{{ .Files.Get "extra" }}\n',
        "depends/Chart.yaml": "apiVersion: v2\nname: depends\nversion: 0.1.0\ndependencies:\n"
        f"- {{name: c, version: 0.1.0, repository: 'file://{machine}/secrets'}}\n",
        "base/kustomization.yaml": f"resources: [{up}{str(machine).lstrip('/')}/kustomization]\n",
        "fetching/kustomization.yaml": "resources: ['http://ADDRESS/acme/shop.git//evil?ref=main']\n",
        "evil/kustomization.yaml": (
            f"helmCharts: [{{name: '{evil}', releaseName: r, valuesFile: v.yaml, valuesInline: {{a: 1}}}}]\n"
        ),
        "evil/v.yaml": "b: 2\n",
        "optional/kustomization.yaml": (
            "resources: ['http://ADDRESS/acme/shop.git//evil?ref=--upload-pack=touch+planted', "
            "'ext::sh -c touch% planted', 'file:///acme/vault.git//x', 'git::file:///acme/vault.git//x']\n"
        ),
    }


async def link(shop: Scene, links: dict[str, Path]) -> None:
    """Commit symbolic links, as Git has them: files whose content is where they lead."""
    owner = shop.who("owner")
    parent = (await owner.get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    base = (await owner.get(f"{REPO}/git/commits/{parent}")).ok()["tree"]["sha"]
    tree = [{"path": path, "mode": "120000", "type": "blob", "content": str(to)} for path, to in links.items()]
    made = (await owner.post(f"{REPO}/git/trees", {"base_tree": base, "tree": tree})).ok(201)["sha"]
    commit = {"message": "links", "tree": made, "parents": [parent]}
    sha = (await owner.post(f"{REPO}/git/commits", commit)).ok(201)["sha"]
    (await owner.patch(f"{REPO}/git/refs/heads/main", {"sha": sha})).ok()
    await shop.quiet()


async def another_tenant(github: GitHub) -> None:
    """A person with a private repository, on which the App is installed as well."""
    world, writer = github.sandbox.world, github.user("writer")
    (installed,) = world.installations
    (person,) = [one for one in world.accounts if one.login == "writer"]
    world.installations.put(replace(installed, id=world.new_id(), account_id=person.id))
    (await writer.post("/user/repos", {"name": "vault", "private": True, "auto_init": True})).ok(201)
    body = {"message": "keep", "content": "czNjcmV0LW9mLXRoZS1vdGhlcg==", "branch": "main"}
    (await writer.put(f"{THEIRS}/contents/password.txt", body)).ok(201)


def state(machine: Path) -> dict[str, bytes]:
    folders = [machine / name for name in ("secrets", "kustomization")]
    return {str(path): path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}


async def outcome(shop: Scene, stage: str) -> str:
    head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
    found = (await shop.who("owner").get(f"{REPO}/commits/{head}/check-runs?filter=all&per_page=100")).ok()[
        "check_runs"
    ]
    (run,) = [run for run in found if run["name"] == f"promotion/{stage}"]
    assert run["conclusion"] == "failure", (stage, run["output"])
    return " ".join(f"{run['output']['title']} {run['output']['summary']} {run['output']['text']}".split())


async def test_nobody_comes_by_what_is_anothers(github: GitHub, tmp_path: Path) -> None:
    required(find_programs().helm, "helm is not installed")
    required(find_programs().kustomize, "neither kustomize nor kubectl is installed")
    machine, written = tmp_path / "machine", Written()
    for name, text in {
        "secrets/writer/vault/cd/token": f"token: {SECRET}",
        f"secrets/{REPOSITORY}/own/token": "my-own-token",
        "kustomization/kustomization.yaml": f"configMapGenerator: [{{name: x, literals: [a={SECRET}]}}]\n",
    }.items():
        (machine / name).parent.mkdir(parents=True, exist_ok=True)
        (machine / name).write_text(text)
    before = state(machine)
    github.sandbox.record.observers.append(written)
    await another_tenant(github)
    indented = {name: "\n".join(f"        {line}" for line in how.split("\n")) for name, (how, _) in ATTACKS.items()}
    pipeline = HEAD + "".join(
        STAGE % (name, f"{how}\n".replace("MACHINE", str(machine))) for name, how in indented.items()
    )
    async with scene(github, tmp_path / "bot", files(machine), SECRETS_DIR=str(machine / "secrets")) as shop:
        await link(
            shop,
            {
                "links/token": machine / "secrets/writer/vault/cd/token",
                "links/key": github.keys.private_key_path,
                "links/data": tmp_path / "bot",
                "linked/extra": machine / "secrets/writer/vault/cd/token",
            },
        )
        await shop.write({".promotion.yaml": pipeline})
        await shop.quiet()
        told = {name: await outcome(shop, name) for name in ATTACKS}
        theirs = await pulls_and_branches(shop)

    unlike = {name: text for name, text in told.items() if not matches(ATTACKS[name][1], text)}
    assert not unlike, "\n".join(unlike.values())
    key = github.keys.private_key_path.read_text().splitlines()[1]
    for text in (*written.texts, *told.values()):
        assert SECRET not in text
        assert key not in text
    assert state(machine) == before, "nothing was changed, and nothing planted"
    assert theirs == ([], ["main"])
    assert not list(await asyncio.to_thread(Path.cwd().glob, "planted*"))


def matches(pattern: str, text: str) -> bool:
    return any(part in text for part in pattern.split("|"))


async def pulls_and_branches(shop: Scene) -> tuple[list[Any], list[str]]:
    writer = shop.who("writer")
    branches = (await writer.get(f"{THEIRS}/branches")).ok()
    return (await writer.get(f"{THEIRS}/pulls?state=all")).ok(), [branch["name"] for branch in branches]
