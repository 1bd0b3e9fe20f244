"""Registries that lie, hang, refuse or lead astray, on either side of a copy: a clear message, and no login shown."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from bot.contracts.registry import Annotations
from bot.core.egress import parse_rules
from bot.engine.egress import guarded_session
from bot.errors import Retry, UserError
from bot.registry import Credentials, RegistryClient
from tests.registry.pretended import INDEX, MANIFEST, PretendedRegistry, described, digest_of

KNOWN = Credentials("writer", "secret-password")
DIGEST = "sha256:" + "1" * 64
LAYER = b"a layer"


@pytest.fixture
async def source():
    made = PretendedRegistry()
    made.keep(LAYER)
    async with made.server:
        yield made


@pytest.fixture
async def target():
    made = PretendedRegistry()
    async with made.server:
        yield made


def client_of(session, clock, *hosts, **options):
    async def find(address):
        return KNOWN if address.host in hosts else None

    return RegistryClient(session, clock, find, **options)


@pytest.fixture
def copy(source, target, session, clock, tmp_path):
    async def copying(using=None, to=None, tag="1.0.0", index=None):
        using = using or client_of(session, clock, target.host)
        try:
            pushed = await using.artifacts.copy(
                f"{source.host}/acme/service:{tag}",
                to or f"{target.host}/acme/prod:1.0.0",
                annotations=Annotations(index or {}),
                scratch=tmp_path,
                size_limit=1 << 20,
            )
        finally:
            assert not any(tmp_path.iterdir())
        return pushed.digest

    return copying


def says(**options):
    return lambda _request: web.Response(**options)


def refuses(status, code="DENIED"):
    return lambda _request: web.json_response({"errors": [{"code": code}]}, status=status)


# --- logins -------------------------------------------------------------------------------------------


async def test_what_is_asked_for_is_to_push_there_and_to_read_here(source, target, session, clock, copy):
    source.tokens = target.tokens = True
    client = client_of(session, clock, source.host, target.host)
    await copy(client)
    assert source.scopes == [(KNOWN.basic, ["repository:acme/service:pull"])]
    assert target.scopes == [(KNOWN.basic, ["repository:acme/prod:pull,push"])]
    assert {login for line, login in target.seen[1:]} == {"Bearer repository.acme/prod.pull,push"}


async def test_to_mount_is_to_read_the_other_one_too(source, session, clock, copy):
    source.tokens = True
    source.answers["HEAD blobs/"] = says(status=404)
    await copy(client_of(session, clock, source.host), f"{source.host}/acme/prod:2.0.0")
    assert (KNOWN.basic, ["repository:acme/prod:pull,push", "repository:acme/service:pull"]) in source.scopes


async def test_who_may_not_mount_sends(source, session, clock, copy):
    source.tokens, source.refused_scopes = True, ("push,repository",)
    source.answers["HEAD blobs/"] = says(status=404)
    await copy(client_of(session, clock, source.host), f"{source.host}/acme/prod:2.0.0")
    assert sorted(line for line in source.lines if line.startswith("PATCH")) == [
        "PATCH blobs/uploads/0",
        "PATCH blobs/uploads/1",
    ]


async def test_a_login_goes_to_no_other_host(source, target, session, clock, copy):
    await copy()
    assert {login for _, login in source.seen} == {""}
    target.tokens = True
    source.tokens = True
    await copy(client_of(session, clock, target.host), tag="1.0.0", to=f"{target.host}/acme/other:1.0.0")
    assert {login for login, _ in source.scopes} == {""}


async def test_layers_may_come_from_elsewhere_without_a_login(source, target, session, clock, copy):
    other = PretendedRegistry()
    other.blobs = source.blobs
    async with other.server:
        source.tokens = True
        source.answers["GET blobs/"] = lambda request: web.Response(
            status=307, headers={"Location": f"http://{other.host}/cdn/{request.match_info['rest']}"}
        )
        await copy(client_of(session, clock, source.host, target.host))
        assert other.seen == [("GET /cdn/sha256:", "")] * 2
        assert target.blobs == source.blobs


async def test_layers_come_from_nowhere_that_egress_forbids(source, clock, copy):
    source.answers["GET blobs/"] = says(status=307, headers={"Location": "https://169.254.169.254/latest"})
    async with guarded_session(parse_rules("127.0.0.0/8")) as session:
        with pytest.raises(UserError, match=r"requests to \"169.254.169.254\" are refused"):
            await copy(client_of(session, clock))


@pytest.mark.parametrize(
    "location",
    ["http://{other}/v2/upload", "//{other}/v2/upload", "https://registry.example.com/upload", "http://[", ""],
)
async def test_an_upload_goes_on_at_no_other_host(source, target, copy, location):
    target.location = location.replace("{other}", source.host)
    with pytest.raises(UserError, match="wants an upload to go on at no place of its own"):
        await copy()
    assert not [line for line in source.lines if line.startswith(("PATCH", "PUT", "POST"))]


@pytest.mark.parametrize(
    "location",
    [
        "http://{host}/v2/a/blobs/uploads/{upload}?_state=a%2Bb",
        "https://127.0.0.1/v2/a/blobs/uploads/{upload}?_state=a%2Bb",
    ],
)
async def test_an_upload_goes_on_at_the_same_host_however_it_calls_itself(source, target, copy, location):
    target.location = location
    await copy()
    assert target.blobs == source.blobs


@pytest.mark.parametrize("place", ["POST blobs/", "PATCH blobs/", "PUT blobs/", "PUT manifests/"])
async def test_what_is_pushed_is_not_sent_on(source, target, copy, place):
    target.answers[place] = says(status=307, headers={"Location": f"http://{source.host}/v2/a/blobs/uploads/9"})
    with pytest.raises(UserError, match=r"redirects what may hold a secret|wants what is pushed to it sent elsewhere"):
        await copy()
    assert not [line for line in source.lines if not line.startswith(("GET", "HEAD"))]


# --- refusals and outages -----------------------------------------------------------------------------

READS = ["GET manifests/", "GET blobs/"]
WRITES = ["HEAD manifests/", "HEAD blobs/", "POST blobs/", "PATCH blobs/", "PUT blobs/", "PUT manifests/"]


@pytest.mark.parametrize("place", WRITES)
async def test_the_destination_refuses(target, copy, place):
    target.answers[place] = refuses(403)
    with pytest.raises(UserError, match=r"acme/prod:1.0.0: .* refuses to let us push to it, status 403"):
        await copy()


@pytest.mark.parametrize("place", READS)
async def test_the_source_refuses(source, copy, place):
    source.answers[place] = refuses(403)
    with pytest.raises(UserError, match=r"acme/service:1.0.0: .* refuses to let us read it, status 403 .DENIED."):
        await copy()


@pytest.mark.parametrize("status", [429, 500, 503])
@pytest.mark.parametrize("place", [*READS, *WRITES])
async def test_what_passes_by_itself_is_tried_again(source, target, copy, place, status):
    (source if place in READS else target).answers[place] = refuses(status)
    with pytest.raises(Retry, match=r"limits requests" if status == 429 else f"answered {status}"):
        await copy()


@pytest.mark.parametrize("place", [*READS, *WRITES])
async def test_who_hangs_is_tried_again(source, target, session, clock, copy, place):
    (source if place in READS else target).answers[place] = lambda _request: asyncio.sleep(5)
    with pytest.raises(Retry, match="did not answer in time"):
        await copy(client_of(session, clock, timeout_seconds=0.5))


@pytest.mark.parametrize(
    ("place", "status", "message"),
    [
        ("POST blobs/", 404, "has no repository acme/prod .NAME_UNKNOWN.. Create it there"),
        ("PATCH blobs/", 404, r"answered 404 for pushing sha256:\w+ of \d+ bytes .NAME_UNKNOWN."),
        ("PATCH blobs/", 413, r"answered 413 for pushing sha256"),
        ("PUT blobs/", 400, r"answered 400 for pushing sha256"),
        ("PUT manifests/", 400, r"answered 400 for pushing 1.0.0"),
        ("HEAD blobs/", 405, r"answered 405 for sha256"),
    ],
)
async def test_another_answer_is_named(target, copy, place, status, message):
    target.answers[place] = refuses(status, "NAME_UNKNOWN")
    with pytest.raises(UserError, match=message):
        await copy()


async def test_a_layer_that_is_lost_is_named(source, copy):
    source.answers["GET blobs/"] = says(status=404)
    with pytest.raises(UserError, match="has lost a part of it, sha256:"):
        await copy()


# --- lies ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("body", [b"a lawyer", b"a mayor", b"a", b""])
async def test_a_layer_with_another_digest_is_not_passed_on(source, target, copy, body):
    source.answers[f"GET blobs/{digest_of(LAYER)}"] = says(body=body)
    with pytest.raises(UserError, match=r"larger than 7 bytes|has another digest"):
        await copy()
    assert digest_of(LAYER) not in target.blobs
    assert "1.0.0" not in target.manifests


async def test_a_manifest_with_another_digest_is_not_taken(source, target, copy):
    source.answers["GET manifests/"] = says(body=b"{}", headers={"Docker-Content-Digest": DIGEST})
    with pytest.raises(UserError, match=f"gives for 1.0.0 has another digest than {DIGEST}"):
        await copy()
    assert target.manifests == {}


@pytest.mark.parametrize("place", ["PUT blobs/", "PUT manifests/"])
async def test_a_destination_that_took_something_else_is_told(target, copy, place):
    target.answers[place] = says(status=201, headers={"Docker-Content-Digest": DIGEST})
    with pytest.raises(UserError, match=r"took sha256:\w+ for something else"):
        await copy()


async def test_gigabytes_are_not_taken(source, clock, tmp_path, session):
    async def endless(request):
        response = web.StreamResponse()
        await response.prepare(request)
        try:
            while True:
                await response.write(b" " * (1 << 20))
        except ConnectionError:
            return response

    source.answers["GET blobs/"] = endless
    client = client_of(session, clock)
    with pytest.raises(UserError, match="larger than 7 bytes"):
        await client.artifacts.download(f"{source.host}/acme/service:1.0.0", tmp_path / "x", size_limit=1 << 20)
    assert (tmp_path / "x").stat().st_size <= 7


async def test_a_document_that_is_no_artifact_is_said_so(source, target, copy):
    digest = source.keep_document(b"<html>", "odd")
    with pytest.raises(UserError, match=f"{digest} can't be copied or taken apart: it is not JSON"):
        await copy(tag="odd")
    assert target.manifests == {}


async def test_indexes_within_indexes_have_an_end(source, copy):
    inner = json.dumps({"mediaType": MANIFEST, "config": described(b"{}"), "layers": []}).encode()
    source.keep_document(inner)
    for _ in range(6):
        inner = json.dumps({"mediaType": INDEX, "manifests": [described(inner, INDEX)]}).encode()
        source.keep_document(inner, "deep")
    with pytest.raises(UserError, match="has too many parts to be copied"):
        await copy(tag="deep")


async def test_a_layer_that_is_shorter_than_told_is_not_passed_on(source, target, copy):
    longer = {**described(LAYER), "size": len(LAYER) + 1}
    source.keep_document({"mediaType": MANIFEST, "config": described(b"{}"), "layers": [longer]}, "longer")
    with pytest.raises(UserError, match="has another digest or size"):
        await copy(tag="longer")
    assert digest_of(LAYER) not in target.blobs


async def test_a_layer_told_twice_counts_as_the_larger(source, target, copy):
    twice = [{**described(LAYER), "size": size} for size in (1 << 20, 1)]
    source.keep_document({"mediaType": MANIFEST, "config": described(b"{}"), "layers": twice}, "twice")
    with pytest.raises(UserError, match="has 1,048,578 bytes in all"):
        await copy(tag="twice")
    assert target.lines == ["HEAD manifests/1.0.0"]


async def test_layers_that_are_kept_elsewhere_stay_there(source, target, copy):
    elsewhere = {**described(b"windows"), "mediaType": "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}
    document = {"mediaType": MANIFEST, "config": described(b"{}"), "layers": [elsewhere, described(LAYER)]}
    digest = source.keep_document(document, "windows")
    assert await copy(tag="windows") == digest
    assert target.blobs == source.blobs


async def test_digests_that_nobody_tells_are_worked_out(source, target, copy):
    def silent(request):
        name = request.match_info["rest"]
        return web.Response(body=source.manifests[name]) if name in source.manifests else None

    source.answers["GET manifests/"] = silent
    source.answers["HEAD manifests/"] = says(status=200)
    target.answers["HEAD manifests/"] = lambda request: web.Response(status=200 if target.manifests else 404)
    digest = await copy()
    target.seen.clear()
    assert await copy() == digest == digest_of(source.manifests["1.0.0"])
    assert not [line for line in target.lines if not line.startswith(("GET", "HEAD"))]


async def test_a_digest_is_no_place_to_push_to(copy):
    with pytest.raises(UserError, match="needs a tag and no digest"):
        await copy(to=f"ghcr.io/acme/prod@{DIGEST}")


async def test_a_certificate_is_looked_at_unless_told_otherwise(clock, tmp_path):
    sent = []

    class Noting:
        async def request(self, _method, url, *, ssl, **_more):
            sent.append((str(url), ssl))
            raise aiohttp.ClientConnectionError("far away")

    client = client_of(Noting(), clock, "registry.example.com")
    for verify_tls in (True, False):
        with pytest.raises(Retry, match="far away"):
            await client.artifacts.copy(
                "registry.example.com/acme/service:1.0.0",
                "registry.example.com/acme/prod:1.0.0",
                annotations=Annotations(),
                scratch=tmp_path,
                size_limit=1,
                verify_tls=verify_tls,
            )
        with pytest.raises(Retry, match="far away"):
            await client.artifacts.download(
                "registry.example.com/acme/prod:1.0.0", tmp_path / "x", size_limit=1, verify_tls=verify_tls
            )
    address = "https://registry.example.com/v2/acme/prod/manifests/1.0.0"
    assert sent == [(address, True), (address, True), (address, False), (address, False)]


async def test_a_registry_that_is_not_there_is_tried_again(clock, copy):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(Retry, match=r"127.0.0.1:1 can't be reached"):
            await copy(client_of(session, clock), to="127.0.0.1:1/acme/prod:1.0.0")
