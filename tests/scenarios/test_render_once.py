"""What was rendered before is not rendered again; what is different each time always is."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import scene

SERVICES = ("cart", "shop", "mail")
FILES = {
    f"charts/{name}/{path}": text
    for name in (*SERVICES, "vault")
    for path, text in {
        "Chart.yaml": f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n",
        "templates/a.yaml": (
            "kind: ConfigMap\napiVersion: v1\nmetadata: {name: {{ .Release.Name }}}\n"
            + ("data: {a: {{ randAlphaNum 20 }}}\n" if name == "vault" else "data: {v: {{ .Values.tag | quote }}}\n")
        ),
        "values.yaml": "tag: none\n",
    }.items()
}
TAG = "${{ imageFrom('ADDRESS/acme/service').Tag }}"
RENDERED = "".join(
    f"      - uses: helm-template\n        config: {{path: ./src/charts/{name}, releaseName: {name},"
    f' outPath: ./src/out/{name}.yaml, setValues: [{{key: tag, value: "{TAG}"}}]}}\n'
    for name in (*SERVICES, "vault")
)
PIPELINE = f"""\
warehouses:
  service: {{interval: 1h, image: {{repoURL: ADDRESS/acme/service, constraint: ^1.0.0}}}}
stages:
  test:
    from: service
    auto: true
    merge: auto
    steps:
      - {{uses: git-clone, config: {{checkout: [{{path: ./src}}]}}}}
      - {{uses: git-clear, config: {{path: ./src/out}}}}
{RENDERED}\
      - {{uses: git-commit, config: {{path: ./src/out}}}}
      - {{uses: git-push, config: {{path: ./src, generateTargetBranch: true}}}}
      - {{uses: git-open-pr, as: open, config: {{}}}}
      - {{uses: git-wait-for-pr, config: {{prNumber: "${{{{ outputs.open.pr.id }}}}"}}}}
"""


def kept(folder: Path) -> set[str]:
    return {entry.name for entry in (folder / "renders").glob("*/*")}


async def test_each_chart_is_rendered_once_for_each_input(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", {**FILES, ".promotion.yaml": PIPELINE}) as shop:
        await shop.publish("1.0.0")
        first = await shop.landed("test")
        await shop.hears(first["number"], "service 1.0.0 is verified in `test`")
        once = kept(tmp_path / "bot")
        assert len(once) == len(SERVICES)
        secret = await shop.read("out/vault.yaml")

        await shop.write({"charts/mail/values.yaml": "tag: changed\n"})
        await shop.publish("1.1.0")
        second = await shop.landed("test")
        await shop.hears(second["number"], "service 1.1.0 is verified in `test`")
        assert len(kept(tmp_path / "bot")) == 2 * len(SERVICES)
        assert once < kept(tmp_path / "bot")
        assert [f'v: "{tag}"' in await shop.read(f"out/{name}.yaml") for name in SERVICES for tag in ("1.1.0",)] == [
            True
        ] * 3
        assert await shop.read("out/vault.yaml") != secret
