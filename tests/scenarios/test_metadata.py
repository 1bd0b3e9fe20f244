"""What steps keep with a stage and with freight travels in the locks, and freight goes by the alias it was given."""

from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, Scene, scene
from tests.scenarios.test_steps_state import WAIT, Gate, restarted

HEAD, _, REST = PIPELINE.partition("stages:\n")
VERIFICATIONS = REST[REST.index("verifications:") :]
SECRETS = '{"acme/shop": {"tracker": {"token": "hunter2-and-more"}}}'

TEST = """\
          - uses: set-metadata
            config:
              updates:
              - kind: Stage
                name: ${{ ctx.stage }}
                values:
                  cluster: ${{ ctx.stage }}
                  promotions: ${{ (stageMetadata(ctx.stage)?.promotions ?? 0) + 1 }}
                  last: {freight: '${{ ctx.targetFreight.alias }}', by: '${{ ctx.meta.promotion.actor }}'}
              - kind: Freight
                name: ${{ ctx.targetFreight.name }}
                values: {ticket: "1.20", risky: false, seen: [test], token: '${{ secret("tracker").token }}'}
          - uses: set-freight-alias
            config:
              name: ${{ ctx.targetFreight.name }}
              alias: ${{ "release-" + imageFrom("ADDRESS/acme/service").Tag }}
"""
UAT = """\
          - uses: set-metadata
            config:
              updates:
              - kind: Freight
                name: ${{ ctx.targetFreight.name }}
                values:
                  seen: [test, uat]
                  since: ${{ freightStatus(ctx.targetFreight.name).currentlyIn.test.since }}
"""
PROD = ""


GREETED = "verify: [greeting]"
GREETED_AS_KEPT = "verify: [{name: greeting, args: {stage: '${{ stageMetadata(ctx.stage).cluster }}'}}]"


def stage(name: str, source: str, steps: str, *, message: str = "", auto: bool = False, verify: str = GREETED) -> str:
    return f"""\
  {name}:
    from: {source}
    {"auto: true" if auto else "auto: false"}
    {verify}
    promotionTemplate:
      spec:
        steps:
          - uses: git-clone
            config: {{checkout: [{{branch: main, path: ./src}}]}}
          - uses: git-clear
            config: {{path: ./src/out/stages/{name}}}
          - uses: helm-template
            config: {{path: ./src/chart, releaseName: service, outPath: ./src/out/stages/{name}/manifests.yaml,
                     setValues: [{{key: image.tag, value: '${{{{ imageFrom("ADDRESS/acme/service").Tag }}}}'}}]}}
{steps}\
          - uses: git-commit
            config: {{path: ./src/out/stages/{name}{message}}}
          - uses: git-push
            config: {{path: ./src, generateTargetBranch: true}}
          - uses: git-open-pr
            as: open
          - uses: git-wait-for-pr
"""


TOLD = (
    ", message: '${{ freightMetadata(ctx.targetFreight.name).ticket }} "
    '${{ freightMetadata(ctx.targetFreight.name, "seen") }} ${{ stageMetadata("test").promotions }}\''
)
FILES = {
    **CHART,
    ".promotion.yaml": HEAD
    + "stages:\n"
    + stage("test", "service", TEST, auto=True, verify=GREETED_AS_KEPT)
    + stage("uat", "test", UAT)
    + stage("prod", "uat", PROD, message=TOLD)
    + VERIFICATIONS,
}


async def lock(shop: Scene, stage: str, ref: str = "main") -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(await shop.read(f".promotion/{stage}.lock", ref))
    return found


async def land(shop: Scene, stage: str) -> dict[str, Any]:
    pull = await shop.proposal(stage)
    await shop.merge(pull["number"])
    await shop.hears(pull["number"], f"is verified in `{stage}`")
    return pull


async def promote(shop: Scene, stage: str, what: str) -> None:
    issue = await shop.issue()
    await shop.say("maintainer", issue, f"/promote {stage} {what}")
    await shop.hears(issue)


async def test_what_was_kept_in_one_stage_is_read_in_those_that_come_after(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", FILES, SECRETS=SECRETS) as shop:
        await shop.publish("1.0.0")
        pull = await shop.proposal("test")
        assert "`release-1.0.0`" in pull["body"]
        assert "hunter2" not in await shop.read(".promotion/test.lock", pull["head"]["sha"])
        await land(shop, "test")

        kept = await lock(shop, "test")
        (freight,) = kept["freight"]
        generated = kept["metadata"]["last"]["freight"]
        last = {"freight": generated, "by": "automation"}
        assert kept["metadata"] == {"cluster": "test", "promotions": 1, "last": last}
        assert freight["metadata"] == {"ticket": "1.20", "risky": False, "seen": ["test"], "token": "***"}
        assert (freight["alias"], freight["renamed"]) == ("release-1.0.0", True)
        assert generated != freight["alias"]

        await promote(shop, "uat", "release-1.0.0")  # as people see it
        await land(shop, "uat")
        (freight,) = (await lock(shop, "uat"))["freight"]
        since = freight["metadata"].pop("since")
        assert since.endswith("Z")
        assert freight["metadata"] == {"seen": ["test", "uat"]}
        assert freight["inherited"] == {"ticket": "1.20", "risky": False, "token": "***"}
        assert freight["alias"] == "release-1.0.0"
        assert "renamed" not in freight

        await promote(shop, "prod", "Release-1.0.0")
        pull = await land(shop, "prod")
        head = (await shop.who("owner").get(f"/repos/acme/shop/commits/{pull['head']['sha']}")).ok()
        assert head["commit"]["message"].splitlines()[0] == '1.20 ["test","uat"] 1'


async def test_what_is_rendered_anew_is_kept_once(github: GitHub, tmp_path: Path) -> None:
    async with scene(github, tmp_path / "bot", FILES, SECRETS=SECRETS) as shop:
        await shop.publish("1.0.0")
        first = await shop.proposal("test")

        await shop.write({"chart/values.yaml": "image: {tag: none}\nreplicas: 7\n"})
        await shop.quiet()

        pull = await shop.proposal("test")
        assert pull["number"] == first["number"]
        assert pull["head"]["sha"] != first["head"]["sha"]
        again, before = await lock(shop, "test", pull["head"]["sha"]), await lock(shop, "test", first["head"]["sha"])
        assert again == before
        assert again["metadata"]["promotions"] == 1

        await land(shop, "test")
        await shop.publish("1.1.0")
        await land(shop, "test")
        kept = await lock(shop, "test")
        assert kept["metadata"]["promotions"] == 2
        assert kept["freight"][0]["alias"] == "release-1.1.0"


async def test_an_alias_that_other_freight_has_ends_the_promotion_with_the_reason(
    github: GitHub, tmp_path: Path
) -> None:
    always = FILES[".promotion.yaml"].replace('"release-" + imageFrom("ADDRESS/acme/service").Tag', '"candidate"')
    async with scene(github, tmp_path / "bot", {**FILES, ".promotion.yaml": always}, SECRETS=SECRETS) as shop:
        await shop.publish("1.0.0")
        await land(shop, "test")

        await shop.publish("1.1.0")

        assert not await shop.pulls("test", "open")
        tip = (await shop.who("owner").get("/repos/acme/shop/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(tip, "promotion/test")
        assert check["conclusion"] == "failure"
        assert "`candidate` is the alias of freight" in check["output"]["summary"]


async def test_what_would_come_too_late_is_said_in_the_configuration(github: GitHub, tmp_path: Path) -> None:
    late = FILES[".promotion.yaml"].replace("          - uses: git-wait-for-pr\n", TEST, 1)
    async with scene(github, tmp_path / "bot", {**FILES, ".promotion.yaml": late}, SECRETS=SECRETS) as shop:
        tip = (await shop.who("owner").get("/repos/acme/shop/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(tip, "promotion/config")
        assert check["conclusion"] == "failure"
        notes = (await shop.who("owner").get(f"/repos/acme/shop/check-runs/{check['id']}/annotations")).ok()
        assert len(notes) == 2
        assert "put it before that" in notes[0]["message"]


async def test_what_waits_after_keeping_something_keeps_it_once_whatever_happens(
    github: GitHub, tmp_path: Path
) -> None:
    gate = Gate()
    app = web.Application()
    app.router.add_get("/ready", gate.ready)
    async with TestServer(app, host="127.0.0.1") as server:
        gate.url = str(server.make_url("")).rstrip("/")
        waiting = stage("test", "service", TEST + WAIT.replace("GATE", gate.url), auto=True)
        files = {**CHART, ".promotion.yaml": f"{HEAD}stages:\n{waiting}{VERIFICATIONS}"}
        async with scene(github, tmp_path / "bot", files, SECRETS=SECRETS) as shop:
            await shop.publish("1.0.0")
            assert not await shop.pulls("test")

        async with restarted(shop, tmp_path / "bot", SECRETS=SECRETS) as shop:
            asked = gate.asked

            async def goes_on() -> bool:
                return gate.asked > asked + 1

            await shop.comes_true("it is asked again after the restart", goes_on)
            gate.open = True

            async def proposed() -> Any:
                return await shop.pulls("test", "open")

            await shop.comes_true("it is proposed", proposed)
            await shop.quiet()
            pull = await land(shop, "test")
            kept = await lock(shop, "test")
            assert "`release-1.0.0`" in pull["body"]
            assert kept["metadata"]["promotions"] == 1
            assert kept["freight"][0]["metadata"]["ticket"] == "1.20"
            assert kept["freight"][0]["alias"] == "release-1.0.0"
