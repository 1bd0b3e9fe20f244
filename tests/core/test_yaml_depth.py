"""What would end the process is refused before it is read."""

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.core import lock
from bot.core.changes import compare
from bot.core.yaml_depth import too_deep

DEEP = {
    "brackets": "[" * 300_000,
    "braces": "{a: " * 5_000,
    "dashes": "- " * 5_000 + "x",
    "questions": "? " * 5_000 + "x",
    "columns": "".join(f"{' ' * level}a:\n" for level in range(1_500)) + " " * 1_500 + "a: 1\n",
    "utf-16": ("[" * 5_000).encode("utf-16"),
}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_what_is_too_deep_is_found(text):
    assert too_deep(text)


@pytest.mark.parametrize(
    "text", ["", "a: 1", "[]\n" * 5_000, "- [a, {b: c}]\n" * 2_000, "[" * 900 + "]" * 900, "a: '" + "[" * 2_000]
)
def test_what_is_only_long_is_not(text):
    assert not too_deep(text)


@given(
    st.recursive(
        st.integers(), lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab"), inner, max_size=3)
    )
)
def test_ordinary_data_is_never_too_deep(value):
    assert not too_deep(yaml.safe_dump(value))


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP)
def test_nobody_falls_for_it(text):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(ValueError, match=r"deep|large|YAML"):
        lock.read(content)
    (file,) = compare({}, {"deep.yaml": content}, b"key").files
    assert file.fields == ()
