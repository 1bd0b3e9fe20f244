"""The sandbox's registry, as skopeo, the specification and Towpath's own client meet it."""

import asyncio
import hashlib
import io
import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from hypothesis import given
from hypothesis import strategies as st

from bot.registry import Credentials, RegistryClient
from bot.sandbox.oci import Login, Refused, Storage, push_image, routes

CREATED = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


class Running:
    """A registry on a free port, and a session to talk to it."""

    def __init__(self, folder, login=None):
        self.storage, self.pushed = Storage(folder), []
        application = web.Application()
        application.add_routes(routes(self.storage, on_push=self.note, login=login))
        self.server = TestServer(application)

    async def note(self, repository, tag, digest):
        self.pushed.append((repository, tag, digest))

    @property
    def host(self):
        return f"127.0.0.1:{self.server.port}"

    def url(self, path):
        return f"http://{self.host}{path}"

    async def call(self, method, path, status, **options):
        async with self.session.request(method, self.url(path), allow_redirects=False, **options) as response:
            body = await response.read()
            assert response.status == status, body
            return response.headers, body

    async def __aenter__(self):
        await self.server.start_server()
        self.session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *_):
        await self.session.close()
        await self.server.close()


@pytest.fixture
async def running(tmp_path):
    async with Running(tmp_path / "registry") as made:
        yield made


@pytest.fixture
def client(clock):
    def reading(session, credentials=None):
        async def find(_address):
            return credentials

        return RegistryClient(session, clock, find)

    return reading


@pytest.fixture
def clock():
    class Clock:
        def now(self):
            return datetime.now(UTC)

    return Clock()


async def skopeo(*arguments, fails=False):
    if shutil.which("skopeo") is None:
        pytest.skip("not installed: skopeo")
    process = await asyncio.create_subprocess_exec(
        "skopeo",
        "--insecure-policy",
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode != 0) is fails, err.decode()
    return (err if fails else out).decode()


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


# --- programs written elsewhere -------------------------------------------------------------------------


async def test_skopeo_copies_an_image_out_and_in_again(running, tmp_path):
    digest = push_image(running.storage, "acme/service", "1.0.0", created=CREATED, labels={"a": "b"})
    source, target = f"docker://{running.host}/acme/service:1.0.0", f"docker://{running.host}/acme/copy:2.0.0"

    told = json.loads(await skopeo("inspect", "--tls-verify=false", source))
    assert (told["Digest"], told["Labels"], told["Architecture"]) == (digest, {"a": "b"}, "amd64")
    assert told["Created"] == "2026-01-02T03:04:05Z"

    layout = f"oci:{tmp_path / 'layout'}:x"
    await skopeo("copy", "--src-tls-verify=false", source, layout)
    await skopeo("copy", "--dest-tls-verify=false", layout, target)
    assert running.storage.manifest("acme/copy", "2.0.0").digest == digest
    assert running.pushed == [("acme/copy", "2.0.0", digest)]
    listed = json.loads(await skopeo("list-tags", "--tls-verify=false", f"docker://{running.host}/acme/copy"))
    assert listed["Tags"] == ["2.0.0"]


async def test_skopeo_copies_a_multi_arch_image_within_the_registry(running):
    digest = push_image(running.storage, "acme/service", "1.0.0", platforms=("linux/amd64", "linux/arm/v7"))
    await skopeo(
        "copy",
        "--all",
        "--src-tls-verify=false",
        "--dest-tls-verify=false",
        f"docker://{running.host}/acme/service:1.0.0",
        f"docker://{running.host}/acme/other:1.0.0",
    )
    assert running.storage.manifest("acme/other", "1.0.0").digest == digest


async def test_skopeo_deletes_an_image(running):
    push_image(running.storage, "acme/service", "1.0.0")
    await skopeo("delete", "--tls-verify=false", f"docker://{running.host}/acme/service:1.0.0")
    assert running.storage.tags("acme/service") == []


async def test_skopeo_needs_the_right_password_where_there_is_one(tmp_path):
    async with Running(tmp_path / "registry", Login({"writer": "secret"})) as running:
        push_image(running.storage, "acme/service", "1.0.0")
        source = f"docker://{running.host}/acme/service:1.0.0"
        target = f"docker://{running.host}/acme/other:1.0.0"
        for credentials in ("--no-creds", "--creds=writer:wrong", "--creds=nobody:secret"):
            await skopeo("inspect", "--tls-verify=false", credentials, source, fails=True)
        await skopeo("inspect", "--tls-verify=false", "--creds=writer:secret", source)
        both = ("--src-tls-verify=false", "--dest-tls-verify=false")
        await skopeo("copy", *both, "--src-creds=writer:secret", "--dest-no-creds", source, target, fails=True)
        await skopeo("copy", *both, "--src-creds=writer:secret", "--dest-creds=writer:secret", source, target)
        assert running.storage.tags("acme/other") == ["1.0.0"]


async def test_everybody_may_pull_but_not_push_where_that_is_so(tmp_path):
    async with Running(tmp_path / "registry", Login({"writer": "secret"}, anonymous_pull=True)) as running:
        push_image(running.storage, "acme/service", "1.0.0")
        source = f"docker://{running.host}/acme/service:1.0.0"
        await skopeo("inspect", "--tls-verify=false", "--no-creds", source)
        target = f"oci-archive:{tmp_path / 'x.tar'}:x"
        await skopeo("copy", "--src-tls-verify=false", source, target)
        await skopeo("copy", "--dest-tls-verify=false", "--dest-no-creds", target, source, fails=True)


async def test_towpaths_own_client_reads_it(running, client):
    reading = client(running.session)
    digest = push_image(running.storage, "acme/service", "1.0.0", created=CREATED, annotations={"a": "b"})
    multi = push_image(
        running.storage, "acme/service", "1.1.0", created=CREATED, platforms=("linux/amd64", "linux/arm/v7")
    )
    for number in range(1020):
        running.storage.put_manifest(
            "acme/service", f"0.0.{number}", running.storage.manifest("acme/service", digest).body, MANIFEST
        )
    url = f"{running.host}/acme/service"
    assert len(await reading.tags(url)) == 1022
    assert await reading.digest(url, "1.0.0") == digest
    assert await reading.digest(url, "9.9.9") is None
    single = await reading.describe(url, digest)
    assert (single.created, single.annotations, single.platforms) == (CREATED, {"a": "b"}, ("linux/amd64",))
    several = await reading.describe(url, multi)
    assert (several.created, several.platforms) == (CREATED, ("linux/amd64", "linux/arm/v7"))


async def test_towpaths_own_client_is_let_in(tmp_path, client):
    async with Running(tmp_path / "registry", Login({"reader": "secret"})) as running:
        digest = push_image(running.storage, "acme/service", "1.0.0")
        reading = client(running.session, Credentials("reader", "secret"))
        assert await reading.digest(f"{running.host}/acme/service", "1.0.0") == digest


# --- the specification ----------------------------------------------------------------------------------


async def test_a_blob_is_pushed_in_chunks(running):
    content = b"0123456789"
    headers, _ = await running.call("POST", "/v2/acme/x/blobs/uploads/", 202)
    place = headers["Location"]
    assert headers["Range"] == "0-0"
    headers, _ = await running.call("PATCH", place, 202, data=content[:4], headers={"Content-Range": "0-3"})
    assert headers["Range"] == "0-3"
    await running.call("PATCH", place, 416, data=b"xx", headers={"Content-Range": "9-10"})
    headers, _ = await running.call("GET", place, 204)
    assert headers["Range"] == "0-3"
    await running.call("PATCH", place, 202, data=content[4:8])
    headers, _ = await running.call("PUT", f"{place}?digest={digest_of(content)}", 201, data=content[8:])
    assert headers["Location"] == f"/v2/acme/x/blobs/{digest_of(content)}"
    await running.call("GET", place, 404)

    headers, body = await running.call("GET", headers["Location"], 200)
    assert (body, headers["Docker-Content-Digest"]) == (content, digest_of(content))
    headers, body = await running.call("HEAD", f"/v2/acme/x/blobs/{digest_of(content)}", 200)
    assert (body, headers["Content-Length"]) == (b"", "10")
    headers, body = await running.call(
        "GET", f"/v2/acme/x/blobs/{digest_of(content)}", 206, headers={"Range": "bytes=2-4"}
    )
    assert (body, headers["Content-Range"]) == (b"234", "bytes 2-4/10")
    for asked, status, expected in (
        ("bytes=-3", 206, b"789"),
        ("bytes=8-99", 206, b"89"),
        ("bytes=x", 200, content),
    ):
        _, body = await running.call("GET", f"/v2/acme/x/blobs/{digest_of(content)}", status, headers={"Range": asked})
        assert body == expected
    await running.call("GET", f"/v2/acme/x/blobs/{digest_of(content)}", 416, headers={"Range": "bytes=10-"})


async def test_an_empty_blob_is_a_blob(running):
    digest = running.storage.put_blob("acme/x", b"")
    headers, body = await running.call("GET", f"/v2/acme/x/blobs/{digest}", 200)
    assert (body, headers["Content-Length"]) == (b"", "0")


async def test_a_blob_is_pushed_in_one_go(running):
    await running.call("POST", f"/v2/acme/x/blobs/uploads/?digest={digest_of(b'abc')}", 201, data=b"abc")
    await running.call("HEAD", f"/v2/acme/x/blobs/{digest_of(b'abc')}", 200)


async def test_a_blob_is_mounted_from_another_repository(running):
    digest = running.storage.put_blob("acme/x", b"abc")
    await running.call("GET", f"/v2/acme/y/blobs/{digest}", 404)
    await running.call("POST", f"/v2/acme/y/blobs/uploads/?mount={digest}&from=acme/x", 201)
    await running.call("GET", f"/v2/acme/y/blobs/{digest}", 200)
    await running.call("POST", f"/v2/acme/y/blobs/uploads/?mount={digest_of(b'none')}&from=acme/x", 202)
    await running.call("DELETE", f"/v2/acme/y/blobs/{digest}", 202)
    await running.call("GET", f"/v2/acme/y/blobs/{digest}", 404)
    await running.call("GET", f"/v2/acme/x/blobs/{digest}", 200)


async def test_an_upload_is_cancelled(running):
    headers, _ = await running.call("POST", "/v2/acme/x/blobs/uploads/", 202)
    await running.call("DELETE", headers["Location"], 204)
    await running.call("DELETE", headers["Location"], 404)


@pytest.mark.parametrize(
    ("method", "path", "data", "status", "code"),
    [
        ("GET", "/v2/acme/none/tags/list", None, 404, "NAME_UNKNOWN"),
        ("GET", "/v2/acme/none/manifests/1.0.0", None, 404, "MANIFEST_UNKNOWN"),
        ("GET", "/v2/acme/service/manifests/9.9.9", None, 404, "MANIFEST_UNKNOWN"),
        ("GET", f"/v2/acme/service/manifests/sha256:{'0' * 64}", None, 404, "MANIFEST_UNKNOWN"),
        ("GET", "/v2/acme/service/manifests/%2e%2e", None, 404, "NAME_INVALID"),
        ("GET", f"/v2/acme/service/blobs/sha256:{'0' * 64}", None, 404, "BLOB_UNKNOWN"),
        ("GET", "/v2/acme/service/blobs/sha256:xyz", None, 400, "DIGEST_INVALID"),
        ("GET", "/v2/acme/service/blobs/uploads/xyz", None, 404, "BLOB_UPLOAD_UNKNOWN"),
        ("GET", "/v2/ACME/service/tags/list", None, 404, "NAME_INVALID"),
        ("GET", "/v2/acme/service/tags/list?n=x", None, 400, "PAGINATION_NUMBER_INVALID"),
        ("POST", f"/v2/acme/x/blobs/uploads/?digest={digest_of(b'a')}", b"b", 400, "DIGEST_INVALID"),
        ("POST", "/v2/acme/x/blobs/uploads/?digest=md5:x", b"b", 400, "DIGEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b"{", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b"[]", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b"{}", 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b'{"layers": 5}', 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b'{"layers": [5]}', 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", b'{"config": null}', 400, "MANIFEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/-bad", b'{"layers": []}', 400, "TAG_INVALID"),
        (
            "PUT",
            "/v2/acme/x/manifests/1.0.0",
            json.dumps({"layers": [{"digest": digest_of(b"none")}]}).encode(),
            404,
            "MANIFEST_BLOB_UNKNOWN",
        ),
        (
            "PUT",
            "/v2/acme/x/manifests/1.0.0",
            json.dumps({"manifests": [{"digest": digest_of(b"none")}]}).encode(),
            404,
            "MANIFEST_UNKNOWN",
        ),
        ("PUT", f"/v2/acme/x/manifests/sha256:{'0' * 64}", b'{"layers": []}', 400, "DIGEST_INVALID"),
        ("PUT", "/v2/acme/x/manifests/1.0.0", io.BytesIO(b" " * (5 << 20)), 413, "MANIFEST_INVALID"),
        ("DELETE", "/v2/acme/service/manifests/9.9.9", None, 404, "MANIFEST_UNKNOWN"),
    ],
)
async def test_what_is_not_done_is_refused_in_the_shape_of_the_specification(running, method, path, data, status, code):
    push_image(running.storage, "acme/service", "1.0.0")
    _, body = await running.call(method, path, status, data=data)
    errors = json.loads(body)["errors"]
    assert [error["code"] for error in errors] == [code]
    assert errors[0]["message"]


async def test_an_unknown_tag_answers_head_without_a_body(running):
    push_image(running.storage, "acme/service", "1.0.0")
    _, body = await running.call("HEAD", "/v2/acme/service/manifests/9.9.9", 404)
    assert body == b""
    headers, body = await running.call("HEAD", "/v2/acme/service/manifests/1.0.0", 200)
    assert (body, headers["Content-Type"]) == (b"", MANIFEST)
    assert headers["Docker-Content-Digest"] == running.storage.manifest("acme/service", "1.0.0").digest


async def test_tags_come_in_pages(running):
    for tag in ("a", "b", "c", "d", "e"):
        push_image(running.storage, "acme/service", tag)
    headers, body = await running.call("GET", "/v2/acme/service/tags/list?n=2", 200)
    assert json.loads(body) == {"name": "acme/service", "tags": ["a", "b"]}
    assert headers["Link"] == '</v2/acme/service/tags/list?last=b&n=2>; rel="next"'
    headers, body = await running.call("GET", "/v2/acme/service/tags/list?n=3&last=b", 200)
    assert json.loads(body)["tags"] == ["c", "d", "e"]
    assert "Link" not in headers
    _, body = await running.call("GET", "/v2/acme/service/tags/list?last=d", 200)
    assert json.loads(body)["tags"] == ["e"]
    _, body = await running.call("GET", "/v2/acme/service/tags/list?n=0", 200)
    assert json.loads(body)["tags"] == []
    _, body = await running.call("GET", "/v2/_catalog", 200)
    assert json.loads(body) == {"repositories": ["acme/service"]}


async def test_deleting_a_manifest_takes_its_tags_along(running):
    digest = push_image(running.storage, "acme/service", "1.0.0", files={})
    push_image(running.storage, "acme/service", "latest", files={})
    other = push_image(running.storage, "acme/service", "2.0.0")
    await running.call("DELETE", "/v2/acme/service/manifests/2.0.0", 202)
    await running.call("GET", f"/v2/acme/service/manifests/{other}", 200)
    await running.call("DELETE", f"/v2/acme/service/manifests/{digest}", 202)
    assert running.storage.tags("acme/service") == []
    await running.call("GET", f"/v2/acme/service/manifests/{digest}", 404)


async def test_everything_is_there_after_a_restart(running, tmp_path):
    digest = push_image(running.storage, "acme/service", "1.0.0")
    async with Running(tmp_path / "registry") as again:
        headers, _ = await again.call("GET", "/v2/acme/service/manifests/1.0.0", 200)
        assert headers["Docker-Content-Digest"] == digest


async def test_a_token_that_was_tampered_with_or_is_for_another_repository_is_refused(tmp_path):
    async with Running(tmp_path / "registry", Login({"writer": "secret"})) as running:
        push_image(running.storage, "acme/service", "1.0.0")
        headers, _ = await running.call("GET", "/v2/", 401)
        assert headers["WWW-Authenticate"].startswith(f'Bearer realm="http://{running.host}/v2/token",service=')
        headers, _ = await running.call("PUT", "/v2/acme/x/manifests/1", 401, data=b"{}")
        assert headers["WWW-Authenticate"].endswith('scope="repository:acme/x:pull,push"')

        asking = "/v2/token?service=x&scope=repository:acme/service:pull"
        _, body = await running.call(
            "GET", asking, 200, headers={"Authorization": Credentials("writer", "secret").basic}
        )
        good = json.loads(body)["token"]
        path = "/v2/acme/service/tags/list"
        await running.call("GET", path, 200, headers={"Authorization": f"Bearer {good}"})
        await running.call("GET", "/v2/acme/other/tags/list", 401, headers={"Authorization": f"Bearer {good}"})
        for bad in (good[:-1], good + "0", "x", "x." + good.split(".")[1], "."):
            await running.call("GET", path, 401, headers={"Authorization": f"Bearer {bad}"})
        for header in ("Basic x", "Basic", "Bearer x"):
            await running.call("GET", asking, 401, headers={"Authorization": header})


# --- images made here -----------------------------------------------------------------------------------


def test_the_same_image_has_the_same_digest(tmp_path):
    one, two = Storage(tmp_path / "one"), Storage(tmp_path / "two")
    assert push_image(one, "acme/service", "1.0.0") == push_image(two, "acme/service", "1.0.0")
    assert push_image(one, "acme/service", "1.0.1") != push_image(two, "acme/service", "1.0.0")


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_name_leads_out_of_the_storage(name, reference):
    storage = Storage(Path("/nonexistent"))
    with pytest.raises(Refused):
        storage.tags(name)
    with pytest.raises(Refused):
        storage.manifest(name, reference)
    with pytest.raises(Refused):
        storage.uploaded(name, reference)
