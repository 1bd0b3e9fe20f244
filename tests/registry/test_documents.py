"""What is copied, read without a registry: manifests, indexes, and references to them."""

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.contracts.registry import Annotations
from bot.errors import UserError
from bot.registry.documents import annotated, read_document
from bot.registry.manifests import Malformed
from bot.registry.references import read_reference
from tests.registry.pretended import INDEX, MANIFEST, described

DIGEST = "sha256:" + "1" * 64
PART = {"digest": DIGEST, "size": 1}


@pytest.mark.parametrize(
    ("document", "message"),
    [
        (b"<html>", "it is not JSON"),
        (b"[]", "not a JSON object"),
        (
            {"mediaType": "application/vnd.docker.distribution.manifest.v1+json"},
            "none of an image, a chart or an index",
        ),
        ({"mediaType": ["x"]}, "none of an image, a chart or an index"),
        ({"mediaType": MANIFEST}, "does not say plainly"),
        ({"mediaType": MANIFEST, "manifests": []}, "does not say plainly"),
        ({"mediaType": MANIFEST, "config": PART, "manifests": []}, "does not say plainly"),
        ({"mediaType": INDEX, "manifests": [], "layers": []}, "does not say plainly"),
        ({"mediaType": INDEX, "manifests": None}, "something else where its parts"),
        ({"mediaType": INDEX, "manifests": [5]}, "one of its parts is not described"),
        ({"mediaType": MANIFEST, "layers": [PART]}, "one of its parts is not described"),
        ({"mediaType": MANIFEST, "config": {**PART, "digest": "sha256:../x"}}, "a digest that is none"),
        ({"mediaType": MANIFEST, "config": {**PART, "size": -1}}, "does not tell the size"),
        ({"mediaType": MANIFEST, "config": {**PART, "size": True}}, "does not tell the size"),
        ({"mediaType": MANIFEST, "config": {**PART, "size": 10**30}}, "does not tell the size"),
        ({"mediaType": MANIFEST, "config": {"digest": DIGEST}}, "does not tell the size"),
        ({"mediaType": INDEX, "manifests": [PART] * 1001}, "it has 1001 parts"),
        (b"[" * 100_000, "it is not JSON"),
    ],
)
def test_what_is_no_artifact_is_said_so(document, message):
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    with pytest.raises(Malformed, match=message):
        read_document(body, MANIFEST, DIGEST)


TEXTS = st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3)


def document_of(data):
    body = json.dumps(data).encode()
    return read_document(body, data["mediaType"], f"sha256:{hashlib.sha256(body).hexdigest()}")


@given(TEXTS, TEXTS, TEXTS, st.lists(st.binary(max_size=4), max_size=3, unique=True))
def test_annotating_is_done_once_and_every_digest_holds(before, of_index, of_images, layers):
    images = [
        document_of(
            {"mediaType": MANIFEST, "config": described(b"{}"), "layers": [described(each)], "annotations": before}
        )
        for each in layers
    ]
    index = document_of({"mediaType": INDEX, "manifests": [described(each.body, MANIFEST) for each in images]})
    notes = Annotations(of_index, of_images)
    once = annotated(replace(index, children=tuple(images)), notes)
    assert annotated(once, notes) == once
    assert bool(of_index or any(before | of_images != before for _ in images)) == (once.body != index.body)
    for document in (once, *once.children):
        assert document.digest == f"sha256:{hashlib.sha256(document.body).hexdigest()}"
    listed = [(each["digest"], each["size"]) for each in json.loads(once.body)["manifests"]]
    assert listed == [(each.digest, len(each.body)) for each in once.children]
    for each in once.children:
        assert json.loads(each.body)["annotations"] == before | of_images


@pytest.mark.parametrize(
    ("written", "host", "name"),
    [
        ("ghcr.io/acme/service:1.0.0", "ghcr.io", "1.0.0"),
        ("oci://127.0.0.1:5000/charts/service:1.0.0+build.1", "127.0.0.1:5000", "1.0.0_build.1"),
        (f"registry.example.com:5050/acme/service@{DIGEST}", "registry.example.com:5050", DIGEST),
        (f"acme/service:1.0.0@{DIGEST}", "registry-1.docker.io", DIGEST),
        ("nginx:latest", "registry-1.docker.io", "latest"),
    ],
)
def test_a_reference_names_a_tag_or_a_digest_in_a_repository(written, host, name):
    reference = read_reference(written)
    assert (reference.address.host, reference.name) == (host, name)
    assert f"oci://{reference.text}".endswith(written.removeprefix("oci://"))


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("ghcr.io/acme/service", "names neither a tag nor a digest"),
        ("https://ghcr.io/acme/service:1.0.0", "leave out https://"),
        ("ghcr.io/Acme/service:1.0.0", "in lower case"),
        ("ghcr.io/acme/service@sha256:12", "not a reference"),
        ("ghcr.io/acme/service:1.0.0+a", "not an image repository|not a reference"),
        ("ghcr.io/acme/../x:1.0.0", "not an image repository"),
        ("", "not an image repository"),
    ],
)
def test_what_is_no_reference_is_said_so(reference, message):
    with pytest.raises(UserError, match=message):
        read_reference(reference)
