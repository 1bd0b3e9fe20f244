"""What the client says of images in a real registry is what skopeo says of them."""

from datetime import UTC, datetime

import pytest

from bot.contracts import DiscoveryContext, Git
from bot.errors import UserError
from bot.registry import manifests
from bot.subscriptions import image

CREATED = "org.opencontainers.image.created"


def on(month, day=1):
    return datetime(2026, month, day, tzinfo=UTC)


async def test_tags_and_digests_are_those_that_skopeo_sees(real, client):
    for version in ("1.0.0", "1.1.0", "2.0.0-rc.1", "latest"):
        real.push("acme/service", version, lambda layout, text=version: layout.image(text=text))
    url = f"{real.host}/acme/service"

    tags = await client.tags(url)

    assert sorted(tags) == sorted(real.list_tags("acme/service")) == ["1.0.0", "1.1.0", "2.0.0-rc.1", "latest"]
    for tag in tags:
        assert await client.digest(url, tag) == real.inspect("acme/service", tag)["Digest"]


async def test_a_tag_and_a_digest_in_the_address_are_passed_over(real, client):
    digest = real.push("acme/dropped", "1.0.0", lambda layout: layout.image())
    assert await client.tags(f"{real.host}/acme/dropped:0.9.0") == ("1.0.0",)
    assert await client.digest(f"{real.host}/acme/dropped:0.9.0@{digest}", "1.0.0") == digest


async def test_a_multi_arch_image_has_the_digest_of_its_index(real, client):
    digest = real.push("acme/multi", "1.0.0", multi_arch)
    url = f"{real.host}/acme/multi"

    assert await client.digest(url, "1.0.0") == digest
    details = await client.describe(url, digest)

    assert details.platforms == ("linux/amd64", "linux/arm/v7")
    assert details.created == on(4)
    assert details.annotations == {}


def multi_arch(layout):
    return layout.index(
        [
            (layout.image("2026-01-01T00:00:00Z"), "linux/amd64", None),
            (layout.image("2026-04-01T00:00:00Z", arch="arm", variant="v7"), "linux/arm/v7", None),
            # An attestation, as BuildKit makes them, and one without any platform: both newer, neither an image.
            (layout.image("2026-09-01T00:00:00Z", text="attested"), "unknown/unknown", None),
            (layout.image("2026-10-01T00:00:00Z", text="signed"), None, None),
        ]
    )


@pytest.mark.parametrize(
    ("name", "make", "created"),
    [
        ("config", lambda layout: layout.image("2026-02-01T00:00:00Z"), on(2)),
        ("label", lambda layout: layout.image("2026-02-01T00:00:00Z", labels={CREATED: "2026-03-01T00:00:00Z"}), on(3)),
        (
            "oldlabel",
            lambda layout: layout.image("2026-02-01T00:00:00Z", labels={CREATED: "2026-01-01T00:00:00Z"}),
            on(2),
        ),
        (
            "annotation",
            lambda layout: layout.image("2026-02-01T00:00:00Z", annotations={CREATED: "2026-01-15T00:00:00Z"}),
            on(1, 15),
        ),
        ("nothing", lambda layout: layout.image(""), None),
        (
            "index",
            lambda layout: layout.index(
                [(layout.image("2026-02-01T00:00:00Z"), "linux/amd64", None)], {CREATED: "2026-05-01T00:00:00Z"}
            ),
            on(5),
        ),
        (
            "entry",
            lambda layout: layout.index(
                [(layout.image("2026-02-01T00:00:00Z"), "linux/amd64", {CREATED: "2026-06-01T00:00:00Z"})]
            ),
            on(6),
        ),
    ],
)
async def test_the_date_comes_from_annotation_label_or_config(real, client, name, make, created):
    digest = real.push(f"dates/{name}", "1.0.0", make)
    assert (await client.describe(f"{real.host}/dates/{name}", digest)).created == created


async def test_a_single_image_has_the_platform_of_its_config(real, client):
    digest = real.push("acme/single", "1.0.0", lambda layout: layout.image(arch="arm", variant="v7"))
    assert (await client.describe(f"{real.host}/acme/single", digest)).platforms == ("linux/arm/v7",)


async def test_dates_equal_what_skopeo_says(real, client):
    digest = real.push("acme/dated", "1.0.0", lambda layout: layout.image("2026-07-08T09:10:11.123456789Z"))
    told = real.inspect("acme/dated", "1.0.0")["Created"]
    details = await client.describe(f"{real.host}/acme/dated", digest)
    assert told == "2026-07-08T09:10:11.123456789Z"
    assert details.created == datetime(2026, 7, 8, 9, 10, 11, 123456, tzinfo=UTC)


async def test_polling_takes_one_list_and_one_head(real, client, requests):
    real.push("acme/polled", "1.0.0", lambda layout: layout.image())
    url = f"{real.host}/acme/polled"
    await client.tags(url)
    await client.digest(url, "1.0.0")
    assert requests == ["GET /v2/acme/polled/tags/list?n=1000", "HEAD /v2/acme/polled/manifests/1.0.0"]


async def test_a_subscription_polls_with_one_list_and_one_head(real, client, clock, requests):
    for version in ("1.0.0", "1.1.0"):
        digest = real.push("acme/watched", version, lambda layout, text=version: layout.image(text=text))

    class NoGit(Git):
        pass

    context = DiscoveryContext(NoGit(), client, clock)
    config = {"repoURL": f"{real.host}/acme/watched"}
    first = await image.discover(context, config, "")
    assert [(found.tag, found.digest) for found in first.artifacts] == [("1.1.0", digest)]
    # What was never seen is not asked for by HEAD first, and nobody wants to know the date that its config tells.
    assert requests == ["GET /v2/acme/watched/tags/list?n=1000", "GET /v2/acme/watched/manifests/1.1.0"]

    requests.clear()
    assert await image.discover(context, config, "") == first
    assert requests == ["GET /v2/acme/watched/tags/list?n=1000", "HEAD /v2/acme/watched/manifests/1.1.0"]


async def test_a_digest_is_described_once(real, client, requests):
    digest = real.push("acme/once", "1.0.0", lambda layout: layout.image())
    url = f"{real.host}/acme/once"
    first = await client.describe(url, digest)
    assert len(requests) == 2
    assert await client.describe(url, digest) is first
    assert len(requests) == 2


async def test_a_tag_that_never_moves_is_asked_for_once_if_so_configured(real, client, requests):
    digest = real.push("acme/fixed", "1.0.0", lambda layout: layout.image())
    url = f"{real.host}/acme/fixed"
    fixed = client.configured(immutable_tags=True)
    assert [await fixed.digest(url, "1.0.0") for _ in range(3)] == [digest] * 3
    assert len(requests) == 1
    assert await client.digest(url, "1.0.0") == digest
    assert len(requests) == 2


async def test_a_tag_that_is_not_there_has_no_digest(real, client):
    real.push("acme/some", "1.0.0", lambda layout: layout.image())
    assert await client.digest(f"{real.host}/acme/some", "9.9.9") is None


async def test_a_repository_that_is_not_there_is_named_with_what_to_do(real, client):
    with pytest.raises(UserError, match=f"{real.host}/acme/none: .* has no repository acme/none .*give Towpath cred"):
        await client.tags(f"{real.host}/acme/none")


async def test_a_digest_that_is_not_there_is_named(real, client):
    real.push("acme/some", "1.0.0", lambda layout: layout.image())
    with pytest.raises(UserError, match=f"has no sha256:{'0' * 64}"):
        await client.describe(f"{real.host}/acme/some", f"sha256:{'0' * 64}")


@pytest.mark.parametrize("tag", ["../tags/list", "a b", "", "x?y", "sha256:abc", "-x"])
async def test_a_tag_that_could_be_none_is_never_asked_for(client, requests, tag):
    with pytest.raises(UserError, match="neither a tag nor a digest"):
        await client.digest("127.0.0.1:1/acme/service", tag)
    assert requests == []


async def test_an_address_that_is_none_is_refused_before_anything_is_sent(client, requests):
    with pytest.raises(UserError, match="leave out https://"):
        await client.tags("https://ghcr.io/acme/service")
    assert requests == []


def test_the_accept_header_names_every_kind_of_manifest():
    assert manifests.ACCEPT.count(",") == 3
