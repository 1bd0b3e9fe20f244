"""Webhooks that never arrived are asked for again, once, and not without bound."""

from datetime import timedelta


def delivery(number, guid, status_code, minutes, event="push"):
    at = f"2026-11-20T{9 - minutes // 60:02d}:{(30 - minutes) % 60:02d}:00Z"
    return {"id": number, "guid": guid, "delivered_at": at, "status_code": status_code, "event": event}


async def test_webhooks_that_never_arrived_are_asked_for_again_oldest_first(github, make_app, clock):
    deliveries = "GET /app/hook/deliveries"
    github.on(
        deliveries,
        [
            delivery(9, "came later", 202, 1),
            delivery(8, "lost twice", 504, 2),
            delivery(7, "fine", 200, 3),
            delivery(6, "lost", 0, 4),
        ],
        link='<http://x/?cursor=v1_5>; rel="next"',
    )
    github.on(
        deliveries,
        [
            delivery(5, "lost twice", 500, 5),
            delivery(4, "came later", 502, 6),
            delivery(3, "gone", 502, 7),
            delivery(2, "too old", 502, 20),
        ],
        link='<http://x/?cursor=v1_1>; rel="next"',
    )
    for number in (8, 6):
        github.on(f"POST {deliveries[4:]}/{number}/attempts", {}, status=202)
    github.on(f"POST {deliveries[4:]}/3/attempts", {"message": "Too old"}, status=422)
    assert await make_app().redeliver_failed(clock.now() - timedelta(minutes=10)) == 2
    assert [one.path.split("/")[-2] for one in github.requests if one.method == "POST"] == ["3", "6", "8"]
    assert len(github.sent(deliveries)) == 2, "and no further back than was asked"
    assert github.sent(deliveries)[1].query == {"cursor": "v1_5"}


async def test_asking_for_lost_webhooks_goes_back_three_days_at_most(github, make_app, clock):
    old = {"id": 1, "guid": "a", "delivered_at": "2026-11-17T09:29:00Z", "status_code": 500, "event": "push"}
    github.on("GET /app/hook/deliveries", [old])
    assert await make_app().redeliver_failed(clock.now() - timedelta(days=30)) == 0
