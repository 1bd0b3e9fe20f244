"""The part of a pull request that tells of the changes: within its room, with every fence and fold closed."""

import re
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.core.changes import Changes, FieldChange, FileChange, How, Identity, ResourceChange
from bot.core.messages.changes import changes_section

TEXTS = st.text(max_size=40) | st.sampled_from(
    [
        "```",
        "`````\n```",
        "</details>",
        "<!-- towpath:record a.b -->",
        "a | b",
        "@octocat #1",
        "x" * 5000,
        "a\nb\n" * 90,
    ]
)
FIELDS = st.builds(FieldChange, TEXTS, TEXTS, st.none() | TEXTS)
RESOURCES = st.builds(
    ResourceChange,
    st.builds(Identity, TEXTS, TEXTS, TEXTS, TEXTS),
    st.just(How.CHANGED),
    TEXTS,
    st.lists(FIELDS, min_size=1, max_size=8).map(tuple),
    st.integers(0, 3),
)
FILES = st.builds(FileChange, TEXTS, st.sampled_from(How), st.lists(FIELDS, max_size=3).map(tuple), st.integers(0, 9))
CHANGES = st.builds(
    Changes,
    st.lists(RESOURCES, max_size=12).map(tuple),
    st.lists(FILES, max_size=4).map(tuple),
    st.integers(0, 3),
)


def is_whole(text: str) -> bool:
    """No fence and no fold is left open, and none is closed by what is inside."""
    fence, folds = "", 0
    for line in text.splitlines():
        mark = re.match(r"`{3,}", line)
        if fence:
            if line.strip() == fence:
                fence = ""
        elif mark:
            fence = mark[0]
        else:
            outside = re.sub(r"(`+).+?\1(?!`)", "", line)
            folds += outside.count("<details>") - outside.count("</details>")
    return not fence and not folds


@settings(max_examples=60)
@given(CHANGES, st.integers(0, 65_536))
def test_it_keeps_to_its_room_and_leaves_nothing_open(changes, room):
    text = changes_section(changes, room)
    assert len(text) <= room
    assert is_whole(text)
    assert "<!-- towpath:" not in text


@settings(max_examples=20)
@given(CHANGES)
def test_it_is_the_same_every_time(changes):
    assert changes_section(changes, 20_000) == changes_section(replace(changes), 20_000)


def test_four_hundred_resources_are_summed_up_and_the_first_told():
    image = FieldChange("spec.image", "a:1", "a:2")
    many = tuple(
        ResourceChange(Identity("apps", "Deployment", "shop", f"s{n:03}"), How.CHANGED, "x", (image,))
        for n in range(400)
    )

    text = changes_section(Changes(many), 30_000)

    assert text.startswith("**What changes**: 400 resources changed.")
    assert "340 more changes: see the files of this pull request." in text
    assert text.count("<details>") > 50
    assert is_whole(text)


def test_where_there_is_no_room_for_a_sentence_there_is_nothing():
    assert changes_section(Changes(), 20) == ""
