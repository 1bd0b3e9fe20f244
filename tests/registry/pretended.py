"""A registry in memory, to push to and to take from, whose answers a test may bend; it keeps what it was sent."""

import hashlib
import json

from aiohttp import web
from aiohttp.test_utils import TestServer

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"


def digest_of(content):
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def described(content, media_type="application/octet-stream"):
    return {"mediaType": media_type, "digest": digest_of(content), "size": len(content)}


class PretendedRegistry:
    """`answers` gives, for the start of `METHOD kind`, what is answered instead; None is what is usual.

    With `tokens` it wants one for all it is asked, which its token service gives with the scopes it is asked for.
    """

    def __init__(self):
        self.blobs, self.manifests, self.answers = {}, {}, {}
        self.seen, self.scopes, self.tokens, self.refused_scopes = [], [], False, ()
        self._sent = []
        self.location = "/v2/{name}/blobs/uploads/{upload}?_state=a%2Bb"
        application = web.Application(client_max_size=1 << 28)
        application.router.add_get("/token", self.token)
        application.router.add_get("/cdn/{digest}", self.cdn)
        application.router.add_route("*", "/v2/{name:.+?}/{kind:manifests|blobs}/{rest:.*}", self.serve)
        self.server = TestServer(application)

    @property
    def host(self):
        return f"127.0.0.1:{self.server.port}"

    def keep(self, *layers, tag="1.0.0", **more):
        """Put an artifact of these layers there; its digest."""
        for content in (b"{}", *layers):
            self.blobs[digest_of(content)] = content
        return self.keep_document(
            {"mediaType": MANIFEST, "config": described(b"{}"), "layers": [described(each) for each in layers]} | more,
            tag,
        )

    def keep_document(self, document, tag="1.0.0"):
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        self.manifests[tag] = self.manifests[digest_of(body)] = body
        return digest_of(body)

    @property
    def lines(self):
        return [line for line, _ in self.seen]

    async def token(self, request):
        self.scopes.append((request.headers.get("Authorization", ""), request.query.getall("scope")))
        return web.json_response({"token": ",".join(request.query.getall("scope")).replace(":", ".")})

    async def cdn(self, request):
        self.seen.append((f"GET {request.path[:12]}", request.headers.get("Authorization", "")))
        return web.Response(body=self.blobs[request.match_info["digest"]])

    async def serve(self, request):
        name, kind, rest = (request.match_info[key] for key in ("name", "kind", "rest"))
        authorization = request.headers.get("Authorization", "")
        self.seen.append((f"{request.method} {kind}/{rest[:14]}", authorization))
        if self.tokens and (not authorization or any(one in authorization for one in self.refused_scopes)):
            challenge = f'Bearer realm="http://{self.host}/token",service="here",scope="repository:{name}:pull"'
            return web.json_response({}, status=401, headers={"WWW-Authenticate": challenge})
        what = f"{request.method} {kind}/{rest}"
        for start, answer in self.answers.items():
            if what.startswith(start) and (said := answer(request)) is not None:
                return said if isinstance(said, web.StreamResponse) else await said
        usual = {"manifests": self._manifest, "blobs": self._upload if rest.startswith("uploads") else self._blob}
        return await usual[kind](request, name, rest)

    async def _manifest(self, request, _name, rest):
        if request.method == "PUT":
            body = await request.read()
            self.manifests[rest] = self.manifests[digest_of(body)] = body
            return web.Response(status=201, headers={"Docker-Content-Digest": digest_of(body)})
        if rest not in self.manifests:
            return web.json_response({"errors": [{"code": "MANIFEST_UNKNOWN"}]}, status=404)
        body = self.manifests[rest]
        return web.Response(body=body, headers={"Docker-Content-Digest": digest_of(body), "Content-Type": MANIFEST})

    async def _blob(self, _request, _name, rest):
        return web.Response(body=self.blobs[rest]) if rest in self.blobs else web.Response(status=404)

    async def _upload(self, request, name, rest):
        upload = rest.removeprefix("uploads/")
        if request.method == "POST":
            self._sent.append(b"")
            upload = len(self._sent) - 1
        headers = {"Location": self.location.format(name=name, host=self.host, upload=upload)}
        if request.method == "POST":
            return web.Response(status=202, headers=headers)
        if request.method == "PATCH":
            self._sent[int(upload)] += await request.read()
            return web.Response(status=202, headers=headers)
        digest, content = request.query["digest"], self._sent[int(upload)]
        if digest_of(content) != digest or request.query["_state"] != "a+b":
            return web.json_response({"errors": [{"code": "DIGEST_INVALID"}]}, status=400)
        self.blobs[digest] = content
        return web.Response(status=201, headers={"Docker-Content-Digest": digest})
