"""oci-download: a layer of an artifact at a real registry, in a file."""

import pytest

from bot.contracts.steps import StepStatus
from bot.errors import UserError
from tests.registry.conftest import serving
from tests.registry.pretended import MANIFEST, PretendedRegistry, described
from tests.steps.oci import keep_login, misfits, registry_for_writer, with_registries

POLICY = "application/vnd.acme.policy"


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("registry")) as registry:
        registry.push("acme/policies", "1.0.0", policies)
        yield registry


@pytest.fixture(scope="module")
def private(tmp_path_factory):
    with registry_for_writer(tmp_path_factory.mktemp("private")) as registry:
        registry.push("acme/policies", "1.0.0", policies)
        yield registry


def policies(layout):
    manifest = {
        "schemaVersion": 2,
        "config": layout.blob({}, "application/vnd.oci.empty.v1+json"),
        "layers": [layout.blob(b"first", "text/plain"), layout.blob(b"allow: \x00", POLICY)],
    }
    return layout.blob(manifest, "application/vnd.oci.image.manifest.v1+json")


@pytest.fixture
async def stage(run):
    async with with_registries(run):
        yield run


@pytest.mark.parametrize("more", [{}, {"mediaType": POLICY}])
@pytest.mark.parametrize("scheme", ["", "oci://"])
async def test_a_layer_comes_into_its_file_and_nothing_else_does(stage, real, more, scheme):
    reference = f"{scheme}{real.host}/acme/policies:1.0.0"
    result = await stage("oci-download", {"imageRef": reference, "outPath": "new/folder/policy", **more})
    file = stage.workdir / "new/folder/policy"
    assert (result.status, result.output) == (StepStatus.SUCCEEDED, {})
    assert (file.read_bytes(), file.stat().st_mode & 0o777) == (b"allow: \x00" if more else b"first", 0o600)
    assert [path.name for path in file.parent.iterdir()] == ["policy"]


@pytest.mark.parametrize(
    ("tag", "more", "says"),
    [("9.9.9", {}, "has no 9.9.9 there"), ("1.0.0", {"mediaType": "text/html"}, "no layer of media type 'text/html'")],
)
async def test_what_is_not_there_leaves_what_was(stage, real, tag, more, says):
    (stage.workdir / "file").write_text("before")
    config = {"imageRef": f"{real.host}/acme/policies:{tag}", "outPath": "file", "allowOverwrite": True, **more}
    with pytest.raises(UserError, match=says):
        await stage("oci-download", config)
    assert [(path.name, path.read_text()) for path in stage.workdir.iterdir()] == [("file", "before")]


async def test_a_file_gives_way_only_if_it_may(stage, real):
    (stage.workdir / "file").write_text("before")
    config = {"imageRef": f"{real.host}/acme/policies:1.0.0", "outPath": "./file"}
    with pytest.raises(UserError, match="allowOverwrite"):
        await stage("oci-download", config)
    await stage("oci-download", {**config, "allowOverwrite": True})
    assert (stage.workdir / "file").read_text() == "first"


@pytest.mark.parametrize(
    ("path", "says"), [("folder", "is a folder"), ("../x", "leads out"), ("src/.git/config", "Git's own")]
)
async def test_it_goes_nowhere_else(stage, real, path, says):
    (stage.workdir / "folder").mkdir()
    with pytest.raises(UserError, match=says):
        await stage("oci-download", {"imageRef": f"{real.host}/acme/policies:1.0.0", "outPath": path})
    assert [each.name for each in stage.workdir.iterdir()] == ["folder"]


async def test_more_than_a_hundred_megabytes_are_not_asked_for(stage):
    registry = PretendedRegistry()
    layer = {**described(b"x"), "size": 100 * 1024 * 1024 + 1}
    registry.keep_document({"mediaType": MANIFEST, "config": described(b"{}"), "layers": [layer]})
    async with registry.server:
        with pytest.raises(UserError, match="has 104,857,601 bytes, more than 104,857,600"):
            await stage("oci-download", {"imageRef": f"{registry.host}/acme/large:1.0.0", "outPath": "x"})
    assert registry.lines == ["GET manifests/1.0.0"]
    assert not any(stage.workdir.iterdir())


async def test_a_private_one_wants_the_repositorys_own_login(run, private):
    config = {"imageRef": f"{private.host}/acme/policies:1.0.0", "outPath": "policy"}
    async with with_registries(run):
        with pytest.raises(UserError, match=r"refuses to let us read it, status 401.*this repository's secret"):
            await run("oci-download", config)
    keep_login(run, private.host)
    async with with_registries(run):
        await run("oci-download", config)
    assert (run.workdir / "policy").read_bytes() == b"first"


REFERENCE = "registry.example.com/acme/service:1.0.0"
DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    "config",
    [
        *(
            {"imageRef": reference, "outPath": "a"}
            for reference in (
                REFERENCE,
                f"oci://{REFERENCE}",
                "registry.example.com:5050/acme/service:latest",
                f"oci://registry.example.com:5050/acme/service@{DIGEST}",
                f"acme/service:1.0.0@{DIGEST}",
            )
        ),
        {"imageRef": REFERENCE, "outPath": "a", "mediaType": "text/plain", "allowOverwrite": True},
        {"imageRef": REFERENCE, "outPath": "a", "insecureSkipTLSVerify": "true"},
    ],
)
def test_what_is_taken(config):
    assert misfits("oci-download", config) == []


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({}, "`imageRef` is missing here"),
        ({"imageRef": REFERENCE}, "`outPath` is missing here"),
        ({"imageRef": "", "outPath": "a"}, "imageRef: "),
        ({"imageRef": REFERENCE, "outPath": ""}, "outPath: "),
        ({"imageRef": "registry.example.com:5050/acme/service", "outPath": "a"}, "by tag or digest, like"),
        ({"imageRef": "acme/service: 1.0.0", "outPath": "a"}, "by tag or digest, like"),
        ({"imageRef": REFERENCE, "outPath": "a", "mediaType": ""}, "mediaType: "),
        ({"imageRef": REFERENCE, "outPath": "a", "mediatype": "x"}, "did you mean `mediaType`"),
        ({"imageRef": REFERENCE, "outPath": "a", "allowOverwrite": "maybe"}, "allowOverwrite: "),
    ],
)
def test_what_is_not_taken_is_told_by_its_field(config, says):
    assert says in "\n".join(misfits("oci-download", config))
