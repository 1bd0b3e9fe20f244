"""argocd-update against an Argo CD: synced once, waited for, told of, and never without leave."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.errors import UserError
from bot.sandbox.cluster import Fault
from bot.steps import argocd_update
from tests.steps.argocd_world import AUTHORIZED, World, argocd_world
from tests.steps.conftest import NOW, Remote, Run

APP = {"apps": [{"name": "service-uat", "namespace": "argocd"}]}
POD = "kind: Pod\nspec: {{containers: [{{name: service, image: 'service:{}'}}]}}\n"
MANIFESTS = "out/stages/uat/manifests.yaml"


@pytest.fixture
async def world(run: Run, remote: Remote, tmp_path: Path) -> AsyncIterator[World]:
    async with argocd_world(run, remote, tmp_path) as world:
        yield world


def wanting(world: World, **source: Any) -> dict[str, Any]:
    return {"apps": [{"name": "service-uat", "sources": [{"repoURL": world.remote.url, **source}]}]}


async def test_it_syncs_once_and_waits_until_the_application_is_healthy(world: World) -> None:
    await world.app()
    commit = world.remote.write({MANIFESTS: POD.format("1.0.0")})
    config = wanting(world, desiredRevision=commit)

    first = await world.step("argocd-update", config)

    assert (first.status, first.message) == (StepStatus.RUNNING, "argocd/service-uat is being synced")
    assert first.retry_at == NOW + timedelta(seconds=5)
    assert ("GET", "/service-uat?refresh=hard&appNamespace=argocd") in world.http.asked
    world.clock.moment += timedelta(seconds=10)
    rolling = await world.step("argocd-update", config, first.output)
    assert (rolling.status, rolling.message) == (StepStatus.RUNNING, "argocd/service-uat is synced, and is Progressing")
    last = await world.to_the_end("argocd-update", config, rolling)
    assert last.status is StepStatus.SUCCEEDED
    assert last.output == {"apps": [{"name": "service-uat", "namespace": "argocd"}]}
    assert world.syncs() == 1
    operation = (await world.shown())["status"]["operationState"]["operation"]
    assert {"name": "kargo.akuity.io/promotion", "value": "uat.01.ffffff"} in operation["info"]


async def test_run_again_from_the_start_it_finds_what_it_began(world: World) -> None:
    await world.app()
    for _ in range(3):  # nothing is remembered but what Argo CD keeps
        await world.step("argocd-update", APP)
    world.clock.moment += timedelta(seconds=20)

    assert (await world.step("argocd-update", APP)).status is StepStatus.SUCCEEDED
    assert world.syncs() == 1


async def test_another_promotion_syncs_anew(world: World) -> None:
    await world.app()
    await world.to_the_end("argocd-update", APP, await world.step("argocd-update", APP))
    world.run.promoting(id="uat.02.eeeeee")

    await world.to_the_end("argocd-update", APP, await world.step("argocd-update", APP))

    assert world.syncs() == 2


async def test_somebody_elses_operation_is_waited_for(world: World) -> None:
    await world.app()
    app = world.applications.get("service-uat", "argocd")
    assert app is not None
    await world.applications.sync(app, {"initiatedBy": {"username": "maintainer"}})

    first = await world.step("argocd-update", APP)

    assert first.status is StepStatus.RUNNING
    assert first.message == "argocd/service-uat waits for an operation by maintainer to end"
    assert world.syncs() == 0
    assert (await world.to_the_end("argocd-update", APP, first)).status is StepStatus.SUCCEEDED
    assert world.syncs() == 1


async def test_an_operation_that_begins_in_between_is_waited_for(world: World) -> None:
    """An automated Application syncs itself as soon as it is refreshed."""
    await world.app(spec={"syncPolicy": {"automated": {}}})
    first = await world.step("argocd-update", APP)
    assert first.message == "argocd/service-uat waits for another operation to end"
    assert (await world.to_the_end("argocd-update", APP, first)).status is StepStatus.SUCCEEDED
    assert world.syncs() == 2


async def test_what_others_do_after_the_sync_is_not_waited_for(world: World) -> None:
    await world.app()
    first = await world.step("argocd-update", APP)
    world.clock.moment += timedelta(seconds=10)
    rolling = await world.step("argocd-update", APP, first.output)
    assert rolling.output["synced"] == ["argocd/service-uat"]
    world.clock.moment += timedelta(seconds=10)
    app = world.applications.get("service-uat", "argocd")
    assert app is not None
    await world.applications.sync(app, {"initiatedBy": {"username": "maintainer"}})

    assert (await world.step("argocd-update", APP, rolling.output)).status is StepStatus.SUCCEEDED
    assert world.syncs() == 1


async def test_a_sync_that_fails_is_a_fault_and_run_anew_it_is_tried_again(world: World) -> None:
    await world.app(sync_fails="one or more objects failed to apply")

    result = await world.to_the_end("argocd-update", APP, await world.step("argocd-update", APP))

    assert result.status is StepStatus.ERRORED
    assert result.message == "Argo CD could not sync argocd/service-uat: one or more objects failed to apply"
    assert world.syncs() == 1
    await world.app()
    again = await world.to_the_end("argocd-update", APP, await world.step("argocd-update", APP))
    assert again.status is StepStatus.SUCCEEDED
    assert world.syncs() == 2


async def test_what_can_not_be_rendered_is_said_as_argo_cd_says_it(world: World) -> None:
    await world.app(source={"path": "nowhere"})
    result = await world.to_the_end("argocd-update", APP, await world.step("argocd-update", APP))
    assert result.status is StepStatus.ERRORED
    assert result.message.endswith("Failed to load target state: nowhere: app path does not exist")


async def test_a_degraded_application_is_waited_for_and_named(world: World) -> None:
    await world.app()
    world.remote.write({MANIFESTS: POD.format("1.1.0")})
    world.rules = replace(world.rules, bad={"1.1.0": Fault.ERROR})
    first = await world.step("argocd-update", APP)
    world.clock.moment += timedelta(seconds=30)

    result = await world.step("argocd-update", APP, first.output)

    assert result.status is StepStatus.RUNNING
    assert result.message == ("argocd/service-uat is synced, and is Degraded: version 1.1.0 does not become ready")
    world.rules = replace(world.rules, bad={})
    assert (await world.to_the_end("argocd-update", APP, result)).status is StepStatus.SUCCEEDED


async def test_a_later_commit_that_brings_the_wanted_one_will_do(world: World) -> None:
    """Many stages write to one branch: what Argo CD syncs is its head."""
    await world.app()
    commit = world.remote.write({MANIFESTS: POD.format("1.0.0")})
    world.remote.write({"out/stages/prod/manifests.yaml": "kind: List\n"})
    config = wanting(world, desiredRevision=commit)

    assert (await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))).status is (
        StepStatus.SUCCEEDED
    )
    assert world.syncs() == 1


@pytest.mark.parametrize("wanted", ["main", "HASH"])
async def test_a_branch_or_a_short_hash_is_a_revision_too(world: World, wanted: str) -> None:
    await world.app()
    wanted = world.remote.at("main")[:9] if wanted == "HASH" else wanted
    config = wanting(world, desiredRevision=wanted)
    result = await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))
    assert result.status is StepStatus.SUCCEEDED


async def test_a_revision_that_was_not_synced_is_synced_again_ever_more_slowly(world: World) -> None:
    await world.app(source={"targetRevision": "old"})
    world.remote.git("push", "-q", "origin", "main:old")
    commit = world.remote.write({MANIFESTS: POD.format("1.0.0")})
    config = wanting(world, desiredRevision=commit)
    result, pauses = await world.step("argocd-update", config), []
    while world.clock.now() < NOW + timedelta(minutes=5):
        assert result.status is StepStatus.RUNNING
        assert result.retry_at is not None
        pauses.append((result.retry_at - world.clock.now()).total_seconds())
        world.clock.moment = result.retry_at
        result = await world.step("argocd-update", config, result.output)

    assert (pauses[0], pauses[-1]) == (5, 30)
    assert pauses == sorted(pauses)
    assert f"synced again: it was synced to {world.remote.at('old')[:12]}, and is to be at {commit[:12]}" in (
        result.message + (await world.step("argocd-update", config, result.output)).message
    )


async def test_the_commit_of_a_step_is_the_revision(world: World) -> None:
    await world.app()
    commit = world.remote.write({MANIFESTS: POD.format("1.0.0")})
    world.run.outputs["wait-pr"] = {"commit": commit}
    config = wanting(world, desiredCommitFromStep="wait-pr", updateTargetRevision=True)
    assert (await world.step("argocd-update", config)).status is StepStatus.RUNNING
    assert (await world.shown())["spec"]["source"]["targetRevision"] == commit


async def test_a_step_that_was_skipped_wants_no_revision(world: World) -> None:
    await world.app()
    world.run.outputs["wait-pr"] = {}
    config = wanting(world, desiredCommitFromStep="wait-pr")
    assert (await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))).status is (
        StepStatus.SUCCEEDED
    )


async def test_its_spec_is_changed_only_where_it_has_to_be(world: World) -> None:
    await world.app(source={"kustomize": {"namePrefix": "a-", "images": ["service:0.9.0"]}})
    config = wanting(world, kustomize={"images": [{"repoURL": "service", "tag": "1.0.0"}]})

    await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))

    assert [method for method, _ in world.http.asked].count("PATCH") == 1
    source = (await world.shown())["spec"]["source"]
    assert source["kustomize"] == {"namePrefix": "a-", "images": ["service:1.0.0"]}
    assert source["path"] == "out/stages/uat"
    world.run.promoting(id="uat.02.eeeeee")
    await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))
    assert [method for method, _ in world.http.asked].count("PATCH") == 1


async def test_a_selector_finds_those_the_stage_may_change(world: World) -> None:
    labels = {"team": "shop"}
    await world.app("a", metadata={"labels": labels})
    await world.app("b", metadata={"labels": labels, "annotations": {}})
    await world.app("c", metadata={"labels": {"team": "other"}})
    config = {"apps": [{"selector": {"matchLabels": labels}}]}
    result = await world.to_the_end("argocd-update", config, await world.step("argocd-update", config))
    assert result.output["apps"] == [{"name": "a", "namespace": "argocd"}]
    assert (world.syncs("a"), world.syncs("b"), world.syncs("c")) == (1, 0, 0)


async def test_nothing_is_changed_unless_everything_can_be(world: World) -> None:
    await world.app("a")
    await world.app("b", source={"repoURL": "https://github.example.com/acme/other.git"})
    sources = [{"repoURL": world.remote.url, "desiredRevision": "main", "updateTargetRevision": True}]
    config = {"apps": [{"name": name, "sources": sources} for name in ("a", "b")]}
    with pytest.raises(UserError, match=r"argocd/b has no source of file://.*; its sources: https://github"):
        await world.step("argocd-update", config)
    assert {method for method, _ in world.http.asked} == {"GET"}


@pytest.mark.parametrize(
    "written",
    [
        "acme/config:uat",
        "config:uat",
        "acme/config:test,acme/config:uat",
        " acme/config : uat ",
    ],
)
async def test_an_application_says_which_stages_may_change_it(world: World, written: str) -> None:
    await world.app(metadata={"annotations": {**AUTHORIZED, "kargo.akuity.io/authorized-stage": written}})
    assert (await world.step("argocd-update", APP)).status is StepStatus.RUNNING


@pytest.mark.parametrize(
    ("annotations", "said"),
    [
        ({}, 'lets no stage change it; annotate it with kargo.akuity.io/authorized-stage: "acme/config:uat"'),
        (
            {"kargo.akuity.io/authorized-stage": "acme/config:prod"},
            'says "acme/config:prod"; make that "acme/config:prod,acme/config:uat"',
        ),
        ({"kargo.akuity.io/authorized-stage": "acme/config:*"}, "(* stands for nothing but itself)"),
        ({"kargo.akuity.io/authorized-stage": "other/config:uat"}, "does not let acme/config:uat change it"),
        ({"kargo.akuity.io/authorized-stage": "uat"}, "does not let acme/config:uat change it"),
        ({"kargo.akuity.io/authorized-stage": "config:UAT"}, "does not let acme/config:uat change it"),
        ({"kargo.akuity.io/authorized-stage": ""}, "lets no stage change it"),
    ],
)
async def test_who_may_not_is_told_what_to_write(world: World, annotations: dict[str, str], said: str) -> None:
    await world.app(metadata={"annotations": annotations})
    with pytest.raises(UserError) as error:
        await world.step("argocd-update", APP)
    assert said in str(error.value)
    assert world.syncs() == 0


async def test_an_application_that_is_not_there(world: World) -> None:
    with pytest.raises(UserError, match=r"has no Application argocd/service-uat, or does not show it .*permission"):
        await world.step("argocd-update", APP)
    config = {"apps": [{"selector": {"matchLabels": {"team": "shop"}}, "namespace": "elsewhere"}]}
    with pytest.raises(UserError, match=r"no Application in elsewhere whose labels fit .*: team=shop"):
        await world.step("argocd-update", config)


async def test_a_wrong_token_is_named_by_its_secret_only(world: World) -> None:
    world.run.secrets.values["argocd", "token"] = "hunter2-hunter2"
    with pytest.raises(UserError, match="refuses the token in the secret `argocd`") as error:
        await world.step("argocd-update", APP)
    assert "hunter2" not in str(error.value)
    assert "hunter2" not in repr(world.run.secrets.values["argocd", "server"])


@pytest.mark.parametrize(
    ("kept", "missing"), [({"server": "x"}, "`token` is"), ({"token": "x"}, "`server` is"), ({}, "and `token` are")]
)
async def test_a_missing_secret_says_where_it_goes(world: World, kept: dict[str, str], missing: str) -> None:
    world.run.secrets.values = {("cd", key): value for key, value in kept.items()}
    with pytest.raises(UserError) as error:
        await world.step("argocd-update", {**APP, "secret": "cd"})
    assert missing in str(error.value)
    assert "SECRETS_DIR: acme/config/cd/server and acme/config/cd/token" in str(error.value)


async def test_several_argo_cds_have_secrets_of_their_own(world: World) -> None:
    await world.app()
    world.run.secrets.values = {("cd", key): value for (_, key), value in world.run.secrets.values.items()}
    assert (await world.step("argocd-update", {**APP, "secret": "cd"})).status is StepStatus.RUNNING


async def test_what_is_no_argo_cd_is_said_so(world: World) -> None:
    server = world.run.secrets.values["argocd", "server"]
    world.run.secrets.values["argocd", "server"] = server.replace("/argocd", "/elsewhere")
    with pytest.raises(UserError, match=r"does not answer as Argo CD does .*404.*check `server`"):
        await world.step("argocd-update", APP)


async def test_an_argo_cd_that_goes_away_is_a_fault_first_and_then_waited_for(world: World) -> None:
    await world.app()
    world.http.gone = True
    fault = await world.step("argocd-update", APP)
    assert fault.status is StepStatus.ERRORED
    assert "can't be asked" in fault.message
    world.http.gone = False
    begun = await world.step("argocd-update", APP)
    world.http.gone = True
    world.clock.moment += timedelta(seconds=60)
    waiting = await world.step("argocd-update", APP, begun.output)
    assert waiting.status is StepStatus.RUNNING
    assert waiting.retry_at == world.clock.now() + timedelta(seconds=10)
    assert waiting.output == begun.output
    world.http.gone = False
    assert (await world.to_the_end("argocd-update", APP, waiting)).status is StepStatus.SUCCEEDED


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"apps": []},
        {"apps": [{"name": "a", "sources": []}]},
        {"apps": [{"name": "a", "sources": [{"desiredRevision": "main"}]}]},
        {"apps": [{"name": "a", "waitFor": ["health"]}]},
        {"apps": [{"name": "a", "sources": [{"repoURL": "x", "helm": {"images": [{"key": "k"}]}}]}]},
        {"apps": [{"selector": {"matchExpressions": [{"key": "a", "operator": "Like"}]}}]},
        {"apps": [{"name": "a"}], "token": "x"},
    ],
)
def test_a_configuration_that_makes_no_sense_does_not_fit(config: dict[str, Any]) -> None:
    assert Fit(argocd_update.SCHEMA)(config)[1]


async def test_an_application_wants_a_name_or_a_selector(world: World) -> None:
    for entry in ({}, {"name": "a", "selector": {"matchLabels": {"a": "b"}}}):
        with pytest.raises(UserError, match="a `name` or a `selector`, and not both"):
            await world.step("argocd-update", {"apps": [entry]})
