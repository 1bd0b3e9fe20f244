"""When to ask again after GitHub said that it was too much."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.github.limits import blocked_until

NOW = datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("status", "headers", "message", "wait"),
    [
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "{+90}"}, "API rate limit exceeded", 91),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "{-90}"}, "API rate limit exceeded", 1),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "soon"}, "API rate limit exceeded", 60),
        (429, {"retry-after": "5", "x-ratelimit-remaining": "0", "x-ratelimit-reset": "{+90}"}, "", 6),
        (429, {}, "", 60),
        (403, {"retry-after": "nonsense"}, "abuse detection", 60),
        (403, {"x-ratelimit-remaining": "4999"}, "Resource not accessible by integration", None),
        (404, {"retry-after": "5"}, "", None),
    ],
)
def test_when_to_ask_again(status, headers, message, wait):
    epoch = int(NOW.timestamp())
    told = {name: str(eval_offset(value, epoch)) for name, value in headers.items()}
    until = blocked_until(status, told, message, now=NOW, strikes=1)
    assert (until - NOW).total_seconds() == wait if until else wait is None


def eval_offset(value, epoch):
    return epoch + int(value[1:-1]) if value.startswith("{") else value


@given(
    st.integers(400, 499),
    st.dictionaries(
        st.sampled_from(["retry-after", "x-ratelimit-remaining", "x-ratelimit-reset"]),
        st.text() | st.integers().map(str),
    ),
    st.text(),
    st.integers(1, 10_000),
)
def test_no_header_can_make_us_stumble_or_ask_at_once(status, headers, message, strikes):
    until = blocked_until(status, headers, message, now=NOW, strikes=strikes)
    assert until is None or until > NOW
