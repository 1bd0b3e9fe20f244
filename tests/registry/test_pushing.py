"""Artifacts copied between real registries, and taken from them: to the byte, with nothing sent that is there."""

import hashlib
import json
import os
import tracemalloc

import aiohttp
import pytest

from bot.contracts.registry import Annotations
from bot.errors import UserError
from bot.registry import Credentials, RegistryClient
from tests.registry.conftest import serving

ATTESTATION = "vnd.docker.reference.digest"
CHART = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
GIB = 1 << 30


@pytest.fixture(scope="module")
def second(tmp_path_factory):
    """Another registry."""
    with serving(tmp_path_factory.mktemp("second")) as registry:
        yield registry


@pytest.fixture
def copy(client, tmp_path):
    """Copies, and hands back the digest."""

    async def copying(source, destination, *, index=None, manifest=None, size_limit=GIB, using=client):
        notes = Annotations(index or {}, manifest or {})
        pushed = await using.artifacts.copy(
            source, destination, annotations=notes, scratch=tmp_path, size_limit=size_limit
        )
        assert not any(tmp_path.iterdir())
        assert pushed.image == destination.removeprefix("oci://")
        assert pushed.tag == destination.rpartition(":")[2]
        return pushed.digest

    return copying


def raw(registry, reference):
    return registry.skopeo("inspect", "--raw", "--tls-verify=false", f"docker://{reference}")


def check_whole(registry, reference, folder):
    """Every blob of every platform is there and has its digest: skopeo takes all of it."""
    registry.skopeo("copy", "--all", "--src-tls-verify=false", f"docker://{reference}", f"oci:{folder}/whole:x")


def one(layout):
    return layout.image(text="one", annotations={"a": "1"})


def many(layout):
    """Two platforms, each with an attestation, one layer shared."""
    images = [layout.image(arch=arch) for arch in ("amd64", "arm64")]
    notes = [layout.image(arch="unknown", text=f"attests {image['digest']}") for image in images]
    about = [{ATTESTATION: image["digest"], "vnd.docker.reference.type": "attestation-manifest"} for image in images]
    return layout.index(
        [
            *((image, platform, None) for image, platform in zip(images, ("linux/amd64", "linux/arm64"), strict=True)),
            *((note, "unknown/unknown", each) for note, each in zip(notes, about, strict=True)),
        ],
        {"of": "index"},
    )


def chart(layout):
    manifest = {
        "schemaVersion": 2,
        "config": layout.blob({"name": "service"}, "application/vnd.cncf.helm.config.v1+json"),
        "layers": [
            layout.blob(b"provenance", "application/vnd.cncf.helm.chart.provenance.v1.prov"),
            layout.blob(b"chart \x00 content", CHART),
        ],
    }
    return layout.blob(manifest, "application/vnd.oci.image.manifest.v1+json")


def written(requests):
    return [line for line in requests if line.split()[0] not in {"GET", "HEAD"}]


# --- copying ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("make", [one, many, chart])
@pytest.mark.parametrize("by", ["tag", "digest"])
async def test_a_copy_is_the_same_to_the_byte(real, second, copy, tmp_path_factory, make, by):
    name = f"{by}/{make.__name__}"
    digest = real.push(name, "1.0.0", make)
    source = f"{real.host}/{name}:1.0.0" if by == "tag" else f"oci://{real.host}/{name}@{digest}"
    destination = f"{second.host}/copied/{name}:prod"
    assert await copy(source, destination) == digest
    assert raw(second, destination) == raw(real, f"{real.host}/{name}:1.0.0")
    check_whole(second, destination, tmp_path_factory.mktemp("whole"))


async def test_another_tag_in_the_same_repository_moves_no_layer(real, copy, requests):
    digest = real.push("retag", "1.0.0", many)
    assert await copy(f"{real.host}/retag@{digest}", f"{real.host}/retag:prod") == digest
    assert written(requests) == ["PUT /v2/retag/manifests/prod"]
    assert not [line for line in requests if "/blobs/" in line]
    assert raw(real, f"{real.host}/retag:prod") == raw(real, f"{real.host}/retag:1.0.0")


async def test_done_again_it_only_looks(real, second, copy, requests):
    digest = real.push("again", "1.0.0", many)
    source, destination = f"{real.host}/again:1.0.0", f"{second.host}/again:1.0.0"
    await copy(source, destination)
    requests.clear()
    assert await copy(source, destination) == digest
    assert requests == ["HEAD /v2/again/manifests/1.0.0"] * 2


async def test_annotated_again_it_only_reads(real, second, copy, requests):
    real.push("again", "2.0.0", many)
    notes = {"index": {"stage": "prod"}, "manifest": {"by": "acme"}}
    digest = await copy(f"{real.host}/again:2.0.0", f"{second.host}/again:2.0.0", **notes)
    requests.clear()
    assert await copy(f"{real.host}/again:2.0.0", f"{second.host}/again:2.0.0", **notes) == digest
    assert written(requests) == []


async def test_a_registry_takes_layers_from_its_own_repositories(real, copy, requests, tmp_path_factory):
    digest = real.push("mount/from", "1.0.0", many)
    destination = f"{real.host}/mount/to:1.0.0"
    assert await copy(f"{real.host}/mount/from:1.0.0", destination) == digest
    mounts = [line for line in requests if "?mount=" in line]
    assert len(mounts) == 7  # four configs, two layers of attestations, and one layer for both platforms
    assert not [line for line in requests if line.startswith(("PATCH", "GET /v2/mount/from/blobs"))]
    check_whole(real, destination, tmp_path_factory.mktemp("whole"))


async def test_what_is_there_is_not_sent_again(real, second, copy, requests):
    real.push("parts", "1.0.0", lambda layout: layout.image(text="same", labels={"a": "1"}))
    digest = real.push("parts", "1.0.1", lambda layout: layout.image(text="same", labels={"a": "2"}))
    await copy(f"{real.host}/parts:1.0.0", f"{second.host}/parts:1.0.0")
    requests.clear()
    assert await copy(f"{real.host}/parts:1.0.1", f"{second.host}/parts:1.0.1") == digest
    assert len([line for line in requests if line.startswith("PATCH")]) == 1  # its config; the layer is there


async def test_a_tag_that_is_taken_moves(real, second, copy):
    real.push("moved", "1.0.0", one)
    other = real.push("moved", "2.0.0", many)
    await copy(f"{real.host}/moved:1.0.0", f"{second.host}/moved:live")
    assert await copy(f"{real.host}/moved:2.0.0", f"{second.host}/moved:live") == other
    assert raw(second, f"{second.host}/moved:live") == raw(real, f"{real.host}/moved:2.0.0")


async def test_more_than_the_limit_is_not_begun(real, second, copy, requests):
    real.push("large", "1.0.0", lambda layout: layout.image(text=os.urandom(2048).hex()))
    with pytest.raises(UserError, match=r"bytes in all, more than the 1,000 that are copied between"):
        await copy(f"{real.host}/large:1.0.0", f"{second.host}/large:1.0.0", size_limit=1000)
    assert written(requests) == []
    await copy(f"{real.host}/large:1.0.0", f"{real.host}/large:again", size_limit=1000)  # nothing is copied there


async def test_a_large_layer_is_never_held_in_memory(real, second, copy, tmp_path_factory):
    digest = real.push(
        "huge", "1.0.0", lambda layout: _artifact(layout, layout.blob(os.urandom(1 << 20) * 48, "application/x-tar"))
    )
    tracemalloc.start()
    try:
        assert await copy(f"{real.host}/huge:1.0.0", f"{second.host}/huge:1.0.0") == digest
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 16 << 20
    check_whole(second, f"{second.host}/huge:1.0.0", tmp_path_factory.mktemp("whole"))


def _artifact(layout, *layers):
    config = layout.blob(b"{}", "application/vnd.oci.empty.v1+json")
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest = {"schemaVersion": 2, "mediaType": media_type, "config": config, "layers": list(layers)}
    return layout.blob(manifest, media_type)


async def test_a_layer_of_no_bytes_is_copied_too(real, second, copy, tmp_path_factory):
    digest = real.push("empty", "1.0.0", lambda layout: _artifact(layout, layout.blob(b"", "text/plain")))
    assert await copy(f"{real.host}/empty:1.0.0", f"{second.host}/empty:1.0.0") == digest
    check_whole(second, f"{second.host}/empty:1.0.0", tmp_path_factory.mktemp("whole"))


# --- annotations --------------------------------------------------------------------------------------


async def test_an_image_is_annotated_and_all_else_stays(real, copy, tmp_path_factory):
    real.push("noted", "1.0.0", one)
    destination = f"{real.host}/noted:noted"
    digest = await copy(
        f"{real.host}/noted:1.0.0", destination, manifest={"stage": "prod", "a": "ä"}, index={"no": "index"}
    )
    before, after = json.loads(raw(real, f"{real.host}/noted:1.0.0")), json.loads(raw(real, destination))
    assert after == {**before, "annotations": {"a": "ä", "stage": "prod"}}
    assert digest == "sha256:" + hashlib.sha256(raw(real, destination).encode()).hexdigest()
    check_whole(real, destination, tmp_path_factory.mktemp("whole"))


async def test_annotations_that_are_there_change_nothing(real, copy):
    digest = real.push("noted", "2.0.0", one)
    assert await copy(f"{real.host}/noted:2.0.0", f"{real.host}/noted:same", manifest={"a": "1"}) == digest


@pytest.mark.parametrize("within", [True, False])
async def test_an_index_and_its_images_are_annotated(real, second, copy, tmp_path_factory, within):
    real.push("noted/many", "1.0.0", many)
    there = real if within else second
    destination = f"{there.host}/noted/many:noted"
    await copy(f"{real.host}/noted/many:1.0.0", destination, index={"stage": "prod"}, manifest={"by": "acme"})
    index = json.loads(raw(there, destination))
    assert index["annotations"] == {"of": "index", "stage": "prod"}
    for entry in index["manifests"]:
        child = raw(there, f"{there.host}/noted/many@{entry['digest']}")
        assert json.loads(child)["annotations"] == {"by": "acme"}
        assert len(child) == entry["size"]
    # What an attestation is about has another digest now, and the attestation follows it.
    images, attestations = index["manifests"][:2], index["manifests"][2:]
    assert [each["annotations"][ATTESTATION] for each in attestations] == [each["digest"] for each in images]
    check_whole(there, destination, tmp_path_factory.mktemp("whole"))


async def test_an_index_alone_is_annotated(real, copy):
    real.push("noted/index", "1.0.0", many)
    await copy(f"{real.host}/noted/index:1.0.0", f"{real.host}/noted/index:noted", index={"stage": "prod"})
    before = json.loads(raw(real, f"{real.host}/noted/index:1.0.0"))
    after = json.loads(raw(real, f"{real.host}/noted/index:noted"))
    assert after["manifests"] == before["manifests"]
    assert after["annotations"] == {"of": "index", "stage": "prod"}


# --- who may ------------------------------------------------------------------------------------------


@pytest.fixture
async def known(clock, locked):
    """A client that has a login for the locked registry and for no other."""

    async def find(address):
        return Credentials("reader", "secret") if address.host == locked.host else None

    async with aiohttp.ClientSession() as session:
        yield RegistryClient(session, clock, find)


async def test_the_destinations_own_login_lets_push(real, locked, known, copy):
    digest = real.push("private", "1.0.0", many)
    assert await copy(f"{real.host}/private:1.0.0", f"{locked.host}/private:1.0.0", using=known) == digest
    back = await copy(f"{locked.host}/private:1.0.0", f"{real.host}/private/back:1.0.0", using=known)
    assert back == digest


async def test_nobody_in_particular_may_not_push(real, locked, copy):
    real.push("private", "2.0.0", one)
    with pytest.raises(UserError, match=r"refuses to let us push to it, status 401.*give Towpath credentials for"):
        await copy(f"{real.host}/private:2.0.0", f"{locked.host}/private:2.0.0")


async def test_what_is_not_there_is_named(real, second, copy):
    with pytest.raises(UserError, match=r"nothing:1.0.0: 127.0.0.1:\d+ has no 1.0.0 there"):
        await copy(f"{real.host}/nothing:1.0.0", f"{second.host}/nothing:1.0.0")


# --- downloads ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("media_type", "expected"), [("", b"provenance"), (CHART, b"chart \x00 content")], ids=["first", "by media type"]
)
async def test_a_layer_goes_to_a_file(real, client, tmp_path, media_type, expected):
    digest = real.push("chart", "1.0.0_b", chart)
    for reference in (f"oci://{real.host}/chart:1.0.0+b", f"{real.host}/chart@{digest}"):
        target = tmp_path / "layer"
        await client.artifacts.download(reference, target, size_limit=100, media_type=media_type)
        assert target.read_bytes() == expected


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"size_limit": 9}, "its layer has 10 bytes, more than 9"),
        ({"size_limit": 99, "media_type": "text/plain"}, "no layer of media type 'text/plain'; it has application/"),
    ],
)
async def test_a_layer_that_does_not_do_is_refused(real, client, tmp_path, options, says):
    real.push("chart", "1.0.0", chart)
    with pytest.raises(UserError, match=says):
        await client.artifacts.download(f"{real.host}/chart:1.0.0", tmp_path / "layer", **options)


async def test_of_an_index_the_usual_image_is_meant(real, client, tmp_path):
    images = {}

    def mixed(layout):
        for arch in ("arm64", "amd64"):
            images[arch] = layout.image(arch=arch, text=arch)
        return layout.index([(image, f"linux/{arch}", None) for arch, image in images.items()])

    def other(layout):
        return layout.index([(layout.image(arch="arm64"), "linux/arm64", None)])

    real.push("mixed", "1.0.0", mixed)
    await client.artifacts.download(f"{real.host}/mixed:1.0.0", tmp_path / "index", size_limit=GIB)
    digest = images["amd64"]["digest"]
    await client.artifacts.download(f"{real.host}/mixed@{digest}", tmp_path / "image", size_limit=GIB)
    assert (tmp_path / "index").read_bytes() == (tmp_path / "image").read_bytes()
    real.push("mixed", "2.0.0", other)
    with pytest.raises(UserError, match="has no image for linux/amd64; it has linux/arm64"):
        await client.artifacts.download(f"{real.host}/mixed:2.0.0", tmp_path / "x", size_limit=GIB)
