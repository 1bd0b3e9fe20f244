"""A container registry small enough to run in the sandbox: the OCI distribution API under `/v2/`, pull and push.

https://github.com/opencontainers/distribution-spec/blob/main/spec.md
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from aiohttp import hdrs, web

from bot.sandbox.oci.login import Login
from bot.sandbox.oci.storage import DIGEST, NAME, Refused, Storage, chunks

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
OnPush = Callable[[str, str, str], Awaitable[None]]

_MANIFEST_LIMIT = 4 << 20
_VERSION = {"Docker-Distribution-API-Version": "registry/2.0"}


def routes(storage: Storage | Path, *, on_push: OnPush | None = None, login: Login | None = None) -> list[web.RouteDef]:
    """The registry's routes, for content kept in `storage` (or a folder).

    `on_push(repository, tag, digest)` is told of every tag that was pushed, before the pusher is answered. Without
    `login`, everybody may do everything.
    """
    if isinstance(storage, Path):
        storage = Storage(storage)
    return _Server(storage, on_push, login).routes()


@dataclass(frozen=True, slots=True)
class _Server:
    """The handlers. Each may raise Refused, which becomes the error that the specification shapes."""

    storage: Storage
    on_push: OnPush | None
    login: Login | None

    def routes(self) -> list[web.RouteDef]:
        repository = f"/v2/{{name:{NAME}}}"
        blob, uploads = repository + "/blobs/{digest}", repository + "/blobs/uploads/"
        upload, manifest = uploads + "{upload}", repository + "/manifests/{reference}"
        found = [
            web.get("/v2/", self._guarded(self._base, "")),
            web.get("/v2/_catalog", self._guarded(self._catalog, "")),
            web.get(repository + "/tags/list", self._guarded(self._tags, "pull")),
            web.post(uploads, self._guarded(self._start, "push")),
            web.get(upload, self._guarded(self._progress, "push")),
            web.patch(upload, self._guarded(self._append, "push")),
            web.put(upload, self._guarded(self._finish, "push")),
            web.delete(upload, self._guarded(self._cancel, "push")),
            web.get(blob, self._guarded(self._blob, "pull")),
            web.delete(blob, self._guarded(self._delete_blob, "delete")),
            web.get(manifest, self._guarded(self._manifest, "pull")),
            web.put(manifest, self._guarded(self._put_manifest, "push")),
            web.delete(manifest, self._guarded(self._delete_manifest, "delete")),
        ]
        if self.login is not None:
            found.insert(0, web.get("/v2/token", self._shaped(self.login.token)))
        return [*found, web.route(hdrs.METH_ANY, "/v2/{rest:.*}", self._shaped(self._unknown))]

    def _guarded(self, handler: Handler, action: str) -> Handler:
        """The handler for those who may."""

        async def guarded(request: web.Request) -> web.StreamResponse:
            if self.login is not None:
                self.login.check(request, request.match_info.get("name", ""), action)
            return await handler(request)

        return self._shaped(guarded, action)

    def _shaped(self, handler: Handler, action: str = "") -> Handler:
        """The handler with refusals as the specification shapes them."""

        async def shaped(request: web.Request) -> web.StreamResponse:
            try:
                return await handler(request)
            except Refused as error:
                headers = dict(_VERSION)
                if error.status == 401 and self.login is not None:
                    name = request.match_info.get("name", "")
                    wanted = "pull,push" if action == "push" else action
                    headers[hdrs.WWW_AUTHENTICATE] = self.login.challenge(request, name, wanted)
                errors = [{"code": error.code, "message": error.message, "detail": None}]
                return web.json_response({"errors": errors}, status=error.status, headers=headers)

        return shaped

    async def _base(self, _request: web.Request) -> web.Response:
        return web.json_response({}, headers=_VERSION)

    async def _unknown(self, request: web.Request) -> web.Response:
        raise Refused(404, "NAME_INVALID", f"{request.method} {request.path} is nothing this registry knows")

    # --- lists --------------------------------------------------------------------------------------

    async def _catalog(self, request: web.Request) -> web.Response:
        names, headers = _page(request, await asyncio.to_thread(self.storage.repositories))
        return web.json_response({"repositories": names}, headers=headers)

    async def _tags(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        tags, headers = _page(request, await asyncio.to_thread(self.storage.tags, name))
        return web.json_response({"name": name, "tags": tags}, headers=headers)

    # --- blobs --------------------------------------------------------------------------------------

    async def _blob(self, request: web.Request) -> web.StreamResponse:
        digest = request.match_info["digest"]
        path = await asyncio.to_thread(self.storage.blob, request.match_info["name"], digest)
        start, end, size = _range(request, path)
        response = web.StreamResponse(status=200 if end - start == size else 206)
        response.headers.update({"Docker-Content-Digest": digest, hdrs.ACCEPT_RANGES: "bytes", **_VERSION})
        response.content_type, response.content_length = "application/octet-stream", end - start
        if response.status == 206:
            response.headers[hdrs.CONTENT_RANGE] = f"bytes {start}-{end - 1}/{size}"
        await response.prepare(request)
        if request.method != hdrs.METH_HEAD:
            # Not aiohttp's FileResponse: it leaves the file open when its client goes away.
            with closing(chunks(path, start, end)) as content:
                for chunk in content:
                    await response.write(chunk)
        await response.write_eof()
        return response

    async def _delete_blob(self, request: web.Request) -> web.Response:
        await asyncio.to_thread(self.storage.delete_blob, request.match_info["name"], request.match_info["digest"])
        return web.Response(status=202, headers=_VERSION)

    async def _start(self, request: web.Request) -> web.Response:
        """`POST …/blobs/uploads/`: begin an upload, mount a blob of another repository, or take it in one go."""
        name, query = request.match_info["name"], request.query
        if "mount" in query and "from" in query:
            if self.login is not None:
                self.login.check(request, query["from"], "pull")
            if await asyncio.to_thread(self.storage.mount, name, query["mount"], query["from"]):
                return _created(name, query["mount"])
        upload = await asyncio.to_thread(self.storage.start_upload, name)
        if "digest" in query:
            return await self._complete(request, name, upload, query["digest"])
        return self._accepted(name, upload, 202)

    async def _progress(self, request: web.Request) -> web.Response:
        return self._accepted(request.match_info["name"], request.match_info["upload"], 204)

    async def _append(self, request: web.Request) -> web.Response:
        name, upload = request.match_info["name"], request.match_info["upload"]
        start = re.match(r"(?:bytes )?(\d{1,18})-", request.headers.get(hdrs.CONTENT_RANGE, ""))
        if start and int(start[1]) != self.storage.uploaded(name, upload):
            return self._accepted(name, upload, 416)
        await self._receive(request, name, upload)
        return self._accepted(name, upload, 202)

    async def _finish(self, request: web.Request) -> web.Response:
        digest = request.query.get("digest", "")
        return await self._complete(request, request.match_info["name"], request.match_info["upload"], digest)

    async def _cancel(self, request: web.Request) -> web.Response:
        await asyncio.to_thread(self.storage.cancel_upload, request.match_info["name"], request.match_info["upload"])
        return web.Response(status=204, headers=_VERSION)

    async def _complete(self, request: web.Request, name: str, upload: str, digest: str) -> web.Response:
        if DIGEST.fullmatch(digest) is None:
            raise Refused(400, "DIGEST_INVALID", f"{digest!r} is not a digest")
        await self._receive(request, name, upload)
        await asyncio.to_thread(self.storage.finish_upload, name, upload, digest)
        return _created(name, digest)

    async def _receive(self, request: web.Request, name: str, upload: str) -> None:
        with self.storage.appending(name, upload) as write:
            async for chunk in request.content.iter_any():
                write(chunk)

    def _accepted(self, name: str, upload: str, status: int) -> web.Response:
        size = self.storage.uploaded(name, upload)
        headers = {
            hdrs.LOCATION: f"/v2/{name}/blobs/uploads/{upload}",
            hdrs.RANGE: f"0-{max(size - 1, 0)}",
            "Docker-Upload-UUID": upload,
            **_VERSION,
        }
        return web.Response(status=status, headers=headers)

    # --- manifests ----------------------------------------------------------------------------------

    async def _manifest(self, request: web.Request) -> web.Response:
        name, reference = request.match_info["name"], request.match_info["reference"]
        found = await asyncio.to_thread(self.storage.manifest, name, reference)
        headers = {
            hdrs.CONTENT_TYPE: found.media_type,
            "Docker-Content-Digest": found.digest,
            hdrs.ETAG: f'"{found.digest}"',
            **_VERSION,
        }
        return web.Response(body=found.body, headers=headers)

    async def _put_manifest(self, request: web.Request) -> web.Response:
        name, reference = request.match_info["name"], request.match_info["reference"]
        body = bytearray()
        async for chunk in request.content.iter_any():
            body += chunk
            if len(body) > _MANIFEST_LIMIT:
                raise Refused(413, "MANIFEST_INVALID", f"the manifest is larger than {_MANIFEST_LIMIT:,} bytes")
        digest = await asyncio.to_thread(self.storage.put_manifest, name, reference, bytes(body), request.content_type)
        if self.on_push is not None and not DIGEST.fullmatch(reference):
            await self.on_push(name, reference, digest)
        return _created(name, digest, "manifests")

    async def _delete_manifest(self, request: web.Request) -> web.Response:
        await asyncio.to_thread(self.storage.delete, request.match_info["name"], request.match_info["reference"])
        return web.Response(status=202, headers=_VERSION)


def _range(request: web.Request, path: Path) -> tuple[int, int, int]:
    """From where to where of a file is asked for, and its size. Raises Refused."""
    size = path.stat().st_size
    try:
        start, end, _ = request.http_range.indices(size)
    except ValueError:  # what can't be read is passed over: https://www.rfc-editor.org/rfc/rfc9110#section-14.2
        return 0, size, size
    if start >= end and size:
        raise Refused(416, "SIZE_INVALID", f"the blob has {size} bytes")
    return start, end, size


def _created(name: str, digest: str, kind: str = "blobs") -> web.Response:
    location = f"/v2/{name}/{kind}/{digest}"
    return web.Response(status=201, headers={hdrs.LOCATION: location, "Docker-Content-Digest": digest, **_VERSION})


def _page(request: web.Request, names: list[str]) -> tuple[list[str], dict[str, str]]:
    """What `n` and `last` ask for of a sorted list, and the headers that lead on."""
    wanted, last = request.query.get("n"), request.query.get("last", "")
    rest = [name for name in names if name > last]
    if wanted is None:
        return rest, dict(_VERSION)
    if re.fullmatch(r"[0-9]{1,9}", wanted) is None:
        raise Refused(400, "PAGINATION_NUMBER_INVALID", f"n is {wanted!r}, not a number")
    page = rest[: int(wanted)]
    if not page or len(page) == len(rest):
        return page, dict(_VERSION)
    query = urlencode({"last": page[-1], "n": wanted})
    return page, {hdrs.LINK: f'<{request.path}?{query}>; rel="next"', **_VERSION}
