"""Images are chosen by Kargo's strategies, with no more requests than the choice takes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.contracts import Registry
from bot.core.model import Image
from bot.errors import UserError
from bot.subscriptions import image

URL = "ghcr.io/acme/service"
DAY = datetime(2026, 1, 1, tzinfo=UTC)
CONSTRAINTS = {"Digest": {"constraint": "latest"}}


def config(**fields):
    return {"repoURL": URL, **fields}


async def tags_of(context, **fields):
    return [found.tag for found in (await image.discover(context, config(**fields), "")).artifacts]


@pytest.fixture
def versions(registry):
    for number, tag in enumerate(["1.0.0", "1.1.0", "2.0.0-rc.1", "0.9.0", "latest", "v1.0", "main"]):
        registry.put(tag, number, DAY + timedelta(days=number), ("linux/amd64", "linux/arm/v7"))
    return registry


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["2.0.0-rc.1"]),
        ({"constraint": "*"}, ["1.1.0"]),
        ({"constraint": "~1.0"}, ["1.0.0"]),
        ({"semverConstraint": "<1"}, ["0.9.0"]),
        ({"constraint": "^7"}, []),
        ({"strictSemvers": False, "constraint": "=1.0.0"}, ["v1.0"]),
        ({"ignoreTagsRegexes": ["rc"]}, ["1.1.0"]),
        ({"imageSelectionStrategy": "Lexical"}, ["v1.0"]),
        ({"imageSelectionStrategy": "Lexical", "allowTagsRegexes": ["^[0-9]"]}, ["2.0.0-rc.1"]),
        ({"imageSelectionStrategy": "Digest", "constraint": "latest"}, ["latest"]),
        ({"imageSelectionStrategy": "Digest", "constraint": "nightly"}, []),
        (
            {"imageSelectionStrategy": "NewestBuild"},
            ["main", "v1.0", "latest", "0.9.0", "2.0.0-rc.1", "1.1.0", "1.0.0"],
        ),
        ({"imageSelectionStrategy": "NewestBuild", "discoveryLimit": 2}, ["main", "v1.0"]),
        (
            {"imageSelectionStrategy": "NewestBuild", "allowTagsRegexes": [r"^\d+\.\d+\.\d+$"]},
            ["0.9.0", "1.1.0", "1.0.0"],
        ),
        ({"platform": "linux/amd64"}, ["2.0.0-rc.1"]),
        ({"platform": "linux/arm"}, []),
        ({"platform": "linux/arm/v7", "imageSelectionStrategy": "Digest", "constraint": "latest"}, ["latest"]),
    ],
)
async def test_the_newest_image_by_each_strategy(context, versions, fields, expected):
    assert await tags_of(context, **fields) == expected


async def test_the_artifact_is_what_the_registry_says(context, registry):
    digest = registry.put("1.0.0", 7, DAY, annotations={"org.opencontainers.image.revision": "abc"})
    found = await image.discover(context, config(repoURL=f"{URL}:0.9.0"), "api")
    assert found.artifacts == (
        Image(URL, "1.0.0", digest, {"org.opencontainers.image.revision": "abc"}, subscription_name="api"),
    )


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["tags", "image 2.0.0-rc.1"]),
        ({"imageSelectionStrategy": "Lexical"}, ["tags", "image v1.0"]),
        ({"imageSelectionStrategy": "Digest", "constraint": "main"}, ["image main"]),
        ({"platform": "linux/amd64"}, ["tags", "image 2.0.0-rc.1 with dates"]),
    ],
)
async def test_only_the_newest_is_looked_at_and_no_closer_than_it_takes(context, versions, fields, expected):
    await tags_of(context, **fields)
    assert [question.replace(f" {URL}", "") for question in versions.asked] == expected


async def test_tags_that_are_the_same_are_not_put_in_order_again(context, registry):
    async def poll(previous, **fields):
        return await image.discover(replace(context, previous=previous), config(**fields), "")

    for number, tag in enumerate(["1.0.0", "1.1.0"]):
        registry.put(tag, number, platforms=("linux/amd64",))
    first = await poll(None)
    assert await poll(first) == first
    older = replace(first, artifacts=(replace(first.artifacts[0], tag="1.0.0"),))
    assert [one.tag for one in (await poll(older)).artifacts] == ["1.0.0"]
    assert [one.tag for one in (await poll(older, platform="linux/amd64")).artifacts] == ["1.1.0"]
    assert [one.tag for one in (await poll(replace(older, artifacts=()))).artifacts] == ["1.1.0"]
    # A tag that moved, one that is new, and one that is gone by now are seen.
    moved = registry.put("1.1.0", 7)
    assert [one.digest for one in (await poll(first)).artifacts] == [moved]
    gone = replace(first, artifacts=(replace(first.artifacts[0], tag="1.2.0"),))
    assert [one.tag for one in (await poll(gone)).artifacts] == ["1.1.0"]
    registry.put("2.0.0", 8)
    assert [one.tag for one in (await poll(first)).artifacts] == ["2.0.0"]


@pytest.mark.parametrize("strategy", ["SemVer", "Lexical", "Digest", "NewestBuild"])
async def test_dates_are_told_where_they_are_wanted(context, versions, strategy):
    wanting = replace(context, dates=True)
    found = await image.discover(wanting, config(imageSelectionStrategy=strategy, **CONSTRAINTS.get(strategy, {})), "")
    assert found.created == tuple(versions.images[artifact.tag].created for artifact in found.artifacts)
    assert all(question.endswith(" with dates") for question in versions.asked if question.startswith("image"))


async def test_a_tag_that_is_gone_by_now_is_passed_over(context, registry):
    class Forgetful(type(registry)):
        async def tags(self, repo_url):
            return ("2.0.0", *await super().tags(repo_url))

    forgetful = Forgetful()
    forgetful.put("1.0.0", 1, DAY)
    for strategy in ("SemVer", "Lexical", "NewestBuild"):
        found = await image.discover(
            type(context)(context.git, forgetful, context.clock), config(imageSelectionStrategy=strategy), ""
        )
        assert [artifact.tag for artifact in found.artifacts] == ["1.0.0"]


async def test_older_images_are_looked_at_until_one_fits_the_platform(context, registry):
    registry.put("1.0.0", 1, DAY, ("linux/amd64",))
    registry.put("1.1.0", 2, DAY, ("linux/arm64",))
    registry.put("1.2.0", 3, DAY, ())
    assert await tags_of(context, platform="linux/amd64") == ["1.0.0"]


@pytest.mark.parametrize(
    ("version", "fields", "expected"),
    [
        ("1.0.0", {}, "1.0.0"),
        ("1.0.0", {"constraint": ">=1.1"}, None),
        ("latest", {}, None),
        ("latest", {"imageSelectionStrategy": "Lexical"}, "latest"),
        ("latest", {"imageSelectionStrategy": "Digest", "constraint": "latest"}, "latest"),
        ("main", {"imageSelectionStrategy": "Digest", "constraint": "latest"}, None),
        ("main", {"imageSelectionStrategy": "NewestBuild"}, "main"),
        ("main", {"imageSelectionStrategy": "NewestBuild", "ignoreTagsRegexes": ["main"]}, None),
        ("1.0.0", {"platform": "linux/s390x"}, None),
        ("3.0.0", {}, None),
        ("a b", {"imageSelectionStrategy": "Lexical"}, None),
        ("../x", {"imageSelectionStrategy": "Lexical"}, None),
        ("", {"imageSelectionStrategy": "Lexical"}, None),
    ],
)
async def test_an_image_is_found_by_its_tag_if_the_rules_let_it_pass(context, versions, version, fields, expected):
    found = await image.find(context, config(**fields), "", version)
    assert (found.tag if found else None) == expected


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"repoURL": ""}, "repoURL must be given"),
        ({"repoURL": 5}, "repoURL must be a text, not 5"),
        (
            {"imageSelectionStrategy": "Newest"},
            "imageSelectionStrategy must be one of SemVer, Lexical, Digest, NewestBuild",
        ),
        ({"imageSelectionStrategy": "Digest"}, "constraint must be the tag to follow, not ''"),
        ({"imageSelectionStrategy": "Digest", "constraint": "a b"}, "constraint must be the tag to follow"),
        ({"constraint": "invalid"}, "'invalid' is not a version range"),
        ({"platform": "invalid"}, "platform must be like linux/amd64"),
        ({"platform": "linux//v7"}, "platform must be like linux/amd64"),
        ({"discoveryLimit": 0}, "discoveryLimit must be a whole number from 1 to 100, not 0"),
        ({"discoveryLimit": 101}, "discoveryLimit must be"),
        ({"discoveryLimit": True}, "discoveryLimit must be"),
        ({"cacheByTag": "no"}, "cacheByTag must be true or false"),
    ],
)
async def test_a_configuration_that_makes_no_sense_is_refused(context, fields, message):
    with pytest.raises(UserError, match=message):
        await image.discover(context, config(**fields), "")


async def test_the_errors_of_the_conformance_cases_are_errors_here_but_for_old_spellings(context, cases):
    old = {"AllowTags is deprecated", "IgnoreTags is deprecated"}  # Kargo refuses them, we still understand them
    for case in cases("kargo_image_tags.json", "subscription_error"):
        fields = {
            ("repoURL" if key == "RepoURL" else key[0].lower() + key[1:]): value
            for key, value in case["subscription"].items()
        }
        if case["expected_error"] in old:
            assert await image.discover(context, fields, "")
            continue
        with pytest.raises(UserError):
            await image.discover(context, fields, "")


async def test_platforms_of_the_conformance_cases_match_as_in_kargo(context, registry, cases):
    for case in cases("kargo_image_tags.json", "platform_match", "platform_valid"):
        if case["kind"] == "platform_valid":
            if case["expected"]:
                await image.discover(context, config(platform=case["platform"]), "")
            else:
                with pytest.raises(UserError):
                    await image.discover(context, config(platform=case["platform"]), "")
            continue
        platform = "/".join(filter(None, (case["os"], case["arch"], case["variant"])))
        registry.put("1.0.0", 1, DAY, (platform,))
        assert bool(await tags_of(context, platform=case["platform"])) is case["expected"]
        registry.images.clear()


async def test_builds_of_the_conformance_cases_are_ordered_as_in_kargo(context, registry, cases):
    for case in cases("kargo_image_tags.json", "newest_build_sort"):
        registry.images.clear()
        for number, build in enumerate(case["images"]):
            created = DAY + timedelta(hours=build["createdAt_offset_h"])
            registry.put(build["tag"] or f"{build['createdAt_offset_h']}", number, created)
        tags = await tags_of(context, imageSelectionStrategy="NewestBuild", discoveryLimit=100)
        assert tags == case.get("expected_tags", [str(hours) for hours in case.get("expected_offsets_h", [])])


async def test_a_registry_is_asked_under_the_rules_of_the_subscription(context, registry):
    class Configurable(type(registry)):
        rules: Registry | None = None

        def configured(self, *, verify_tls, immutable_tags):
            self.rules = (verify_tls, immutable_tags)
            return self

    for fields, expected in [
        ({}, (True, False)),
        ({"insecureSkipTLSVerify": True}, (False, False)),
        ({"cacheByTag": True}, (True, True)),
        ({"cacheByTag": True, "imageSelectionStrategy": "Digest", "constraint": "latest"}, (True, False)),
    ]:
        strange = Configurable()
        await image.discover(type(context)(context.git, strange, context.clock), config(**fields), "")
        assert strange.rules == expected
