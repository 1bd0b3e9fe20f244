"""People merge a promotion on what its pull request says will change."""

from pathlib import Path

from tests.sandbox.driver import GitHub
from tests.scenarios.scene import CHART, PIPELINE, REPO, Scene, scene

SECRET = "apiVersion: v1\nkind: Secret\nmetadata: {name: db}\nstringData: {password: {{ .Values.password }}}\n"


async def test_the_pull_request_names_the_fields_that_change(shop: Scene) -> None:
    await shop.publish("1.0.0")
    await shop.hears((await shop.landed("test"))["number"], "1.0.0 is verified")
    await shop.write({"chart/values.yaml": "image: {tag: none}\nreplicas: 5\n"}, message="more replicas")
    await shop.publish("1.1.0")

    pull = await shop.landed("test")
    body = pull["body"]

    assert "**What changes**: 1 resource changed." in body
    assert "| changes | `Deployment` `service` | `spec.replicas`: `1` → `5`, and 1 more |" in body
    image = f"spec.template.spec.containers[service].image: {shop.address}/acme/service"
    assert f"- spec.replicas: 1\n+ spec.replicas: 5\n- {image}:1.0.0\n+ {image}:1.1.0\n" in body
    await shop.hears(pull["number"], "1.1.0 is verified")


async def test_a_secret_in_plain_text_is_not_committed_unless_the_stage_says_so(github: GitHub, tmp_path: Path) -> None:
    files = {**CHART, "chart/templates/secret.yaml": SECRET, ".promotion.yaml": PIPELINE}
    files["chart/values.yaml"] += "password: hunter1\n"
    async with scene(github, tmp_path / "bot", files) as shop:
        await shop.publish("1.0.0")
        head = (await shop.who("owner").get(f"{REPO}/git/ref/heads/main")).ok()["object"]["sha"]
        check = await shop.check(head, "promotion/test")
        assert check["conclusion"] == "failure"
        assert "the Secret 'db' in plain text" in check["output"]["summary"]
        assert not await shop.pulls("test")

        pipeline = (await shop.read(".promotion.yaml")).replace(
            "render: {helm:", "render: {allowPlaintextSecrets: true, helm:"
        )
        await shop.write({".promotion.yaml": pipeline}, message="it is only a test")
        await shop.quiet()

        pull = await shop.landed("test")
        assert "`Secret` `db`" in pull["body"]
        assert "data.password: hidden:" in pull["body"]
        assert "hunter" not in pull["body"]
        await shop.hears(pull["number"], "1.0.0 is verified")
