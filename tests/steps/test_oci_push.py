"""oci-push: an artifact in one more place, or under one more tag, at real registries."""

import json
from dataclasses import replace

import pytest

from bot.contracts.registry import Annotations, Pushed
from bot.contracts.steps import StepStatus, longest_run
from bot.errors import UserError
from bot.steps import BY_NAME
from tests.registry.conftest import serving
from tests.steps.oci import keep_login, misfits, registry_for_writer, with_registries


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("registry")) as registry:
        yield registry


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    with registry_for_writer(tmp_path_factory.mktemp("private")) as registry:
        yield registry


@pytest.fixture
async def stage(run):
    async with with_registries(run):
        yield run


def both(layout):
    return layout.index([(layout.image(arch=arch, text=arch), f"linux/{arch}", None) for arch in ("amd64", "arm64")])


def raw(registry, name, *login):
    return registry.skopeo("inspect", "--raw", "--tls-verify=false", *login, f"docker://{registry.host}/{name}")


async def test_an_image_gets_the_tag_of_its_stage(stage, real):
    digest = real.push("acme/service", "1.0.0", both)
    config = {"srcRef": f"{real.host}/acme/service@{digest}", "destRef": f"oci://{real.host}/acme/service:uat"}
    result = await stage("oci-push", config)
    assert result.status is StepStatus.SUCCEEDED
    assert result.output == {"image": f"{real.host}/acme/service:uat", "digest": digest, "tag": "uat"}
    assert real.inspect("acme/service", "uat")["Digest"] == digest
    assert raw(real, "acme/service:uat") == raw(real, "acme/service:1.0.0")
    assert not any(stage.workdir.iterdir())


async def test_an_image_comes_into_a_private_registry_by_the_repositorys_own_login(run, real, private):
    digest = real.push("acme/service", "2.0.0", both)
    config = {"srcRef": f"{real.host}/acme/service:2.0.0", "destRef": f"{private.host}/prod/service:2.0.0"}
    async with with_registries(run):
        with pytest.raises(UserError, match=r"refuses to let us push to it, status 401.*this repository's secret"):
            await run("oci-push", config)

    keep_login(run, private.host)
    async with with_registries(run):
        for _ in range(2):  # everything may happen twice
            assert (await run("oci-push", config)).output["digest"] == digest
    login = ("--creds", "writer:secret")
    assert raw(private, "prod/service:2.0.0", *login) == raw(real, "acme/service:2.0.0")


async def test_annotations_go_where_they_are_meant_for(stage, real):
    real.push("acme/service", "3.0.0", both)
    notes = {"index:stage": "uat", "manifest:by": "acme", "org.opencontainers.image.vendor": "Acme"}
    config = {"srcRef": f"{real.host}/acme/service:3.0.0", "destRef": f"{real.host}/acme/service:noted"}
    result = await stage("oci-push", {**config, "annotations": notes})
    index = json.loads(raw(real, "acme/service:noted"))
    assert index["annotations"] == {"stage": "uat"}
    for child in index["manifests"]:
        manifest = json.loads(raw(real, f"acme/service@{child['digest']}"))
        assert manifest["annotations"] == {"by": "acme", "org.opencontainers.image.vendor": "Acme"}
    assert result.output["digest"] == real.inspect("acme/service", "noted")["Digest"]


class Asked:
    """Takes what it is asked for, and does nothing."""

    async def copy(self, source, destination, **more):
        self.asked = {"source": source, "destination": destination, **more}
        return Pushed("x", "y", "z")


@pytest.mark.parametrize("insecure", [True, False])
async def test_what_is_asked_for(stage, insecure):
    asked = Asked()
    stage.context = replace(stage.context, artifacts=asked)
    await stage("oci-push", {"srcRef": "a:1", "destRef": "b:1", "insecureSkipTLSVerify": insecure})
    assert asked.asked == {
        "source": "a:1",
        "destination": "b:1",
        "annotations": Annotations(),
        "scratch": stage.workdir,
        "size_limit": 1024 * 1024 * 1024,
        "verify_tls": not insecure,
    }


def test_a_gigabyte_takes_its_time():
    assert longest_run(BY_NAME["oci-push"]).total_seconds() == 1800


SOURCE, TARGET = "registry.example.com/acme/service:1.0.0", "registry.example.com:5050/prod/service:1.0.0"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "config",
    [
        {"srcRef": SOURCE, "destRef": TARGET},
        {"srcRef": f"oci://{SOURCE}", "destRef": f"oci://{TARGET}"},
        {"srcRef": f"registry.example.com/acme/service@{DIGEST}", "destRef": "acme/service:1.0.0"},
        {"srcRef": SOURCE, "destRef": TARGET, "annotations": {"index:a": "b", "c": ""}, "insecureSkipTLSVerify": True},
        {"srcRef": SOURCE, "destRef": TARGET, "annotations": {"build": 7}},
    ],
)
def test_what_is_taken(config):
    assert misfits("oci-push", config) == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "`srcRef` is missing here"),
        ({"srcRef": SOURCE}, "`destRef` is missing here"),
        ({"srcRef": "acme/service", "destRef": TARGET}, "by tag or digest, like"),
        ({"srcRef": SOURCE, "destRef": "registry.example.com:5050/prod/service"}, "with a tag, like"),
        ({"srcRef": SOURCE, "destRef": f"acme/service@{DIGEST}"}, "with a tag, like"),
        ({"srcRef": SOURCE, "destRef": f"acme/service:1.0.0@{DIGEST}"}, "with a tag, like"),
        ({"srcRef": SOURCE, "destRef": TARGET, "annotations": ["a"]}, "annotations: "),
        ({"srcRef": SOURCE, "destRef": TARGET, "annotations": {"a": {"b": "c"}}}, "annotations.a: "),
        ({"srcRef": SOURCE, "destRef": TARGET, "insecureSkipTlsVerify": True}, "did you mean `insecureSkipTLSVerify`"),
    ],
)
def test_what_is_not_taken_is_told_by_its_field(config, says):
    assert says in "\n".join(misfits("oci-push", config))
