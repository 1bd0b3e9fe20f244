"""Dates of images, from a real registry, are those that Kargo finds."""

import json
from datetime import datetime
from pathlib import Path

import pytest

from bot.errors import UserError

CASES = Path(__file__).parents[3] / "shared" / "conformance" / "public" / "kargo_image_tags.json"


@pytest.fixture(scope="module")
def cases():
    if not CASES.exists():
        pytest.skip("the shared conformance cases are not beside this project")
    return json.loads(CASES.read_text())


async def date(client, real, digest):
    return (await client.describe(f"{real.host}/acme/dated", digest)).created


async def test_every_single_image_of_the_conformance_cases(cases, real, client):
    wrong = []
    chosen = [case for case in cases if case["kind"] == "created_at"]
    assert chosen
    for number, case in enumerate(chosen):

        def make(layout, case=case, number=number):
            text = str(number)
            return layout.image(case["config_created"], case["labels"], case["annotations"], text=text)

        digest = real.push("acme/dated", f"single-{number}", make)
        found = await date(client, real, digest)
        if found != datetime.fromisoformat(case["expected"]):
            wrong.append((case, found))
    assert wrong == []


async def test_every_index_of_the_conformance_cases(cases, real, client):
    wrong = []
    chosen = [case for case in cases if case["kind"] == "index_created_at"]
    assert chosen
    for number, case in enumerate(chosen):

        def make(layout, case=case, number=number):
            children = [
                (
                    layout.image(entry.get("image_created", ""), text=f"{number} {position}"),
                    entry["platform"],
                    entry.get("annotations"),
                )
                for position, entry in enumerate(case["manifests"])
            ]
            return layout.index(children, case.get("index_annotations"))

        digest = real.push("acme/dated", f"index-{number}", make)
        if "expected_error" in case:
            with pytest.raises(UserError, match="an index without an image"):
                await date(client, real, digest)
        elif (found := await date(client, real, digest)) != datetime.fromisoformat(case["expected"]):
            wrong.append((case, found))
    assert wrong == []
