"""set-metadata and set-freight-alias: what they take, and what they ask to have noted."""

import pytest

from bot.contracts.steps import StepStatus
from bot.core.config import Fit
from bot.core.notes import Notes
from bot.steps import BY_NAME

STAGE = {"kind": "Stage", "name": "uat", "values": {"runs": 1}}
FREIGHT = {"kind": "Freight", "name": "f" * 40, "values": {"ticket": "A-1", "seen": [True, None, {"by": "me"}]}}


@pytest.mark.parametrize(
    ("step", "config", "taken"),
    [
        ("set-metadata", {"updates": [STAGE, FREIGHT]}, True),
        ("set-metadata", {}, False),
        ("set-metadata", {"updates": []}, False),
        ("set-metadata", {"updates": [{**STAGE, "kind": "Warehouse"}]}, False),
        ("set-metadata", {"updates": [{**STAGE, "name": ""}]}, False),
        ("set-metadata", {"updates": [{**STAGE, "values": {}}]}, False),
        ("set-metadata", {"updates": [{**STAGE, "values": ["runs"]}]}, False),
        ("set-metadata", {"updates": [{"kind": "Stage", "values": {"a": 1}}]}, False),
        ("set-metadata", {"updates": [{**STAGE, "extra": 1}]}, False),
        ("set-freight-alias", {"name": "f" * 40, "alias": "v1"}, True),
        ("set-freight-alias", {"name": "f" * 40}, False),
        ("set-freight-alias", {"alias": "v1"}, False),
        ("set-freight-alias", {"name": "f" * 40, "alias": ""}, False),
        ("set-freight-alias", {"freightName": "f" * 40, "newAlias": "v1"}, False),
    ],
)
def test_what_is_taken(step, config, taken):
    _, misfits = Fit(BY_NAME[step].SCHEMA)(config)
    assert (not misfits) is taken


async def test_values_are_noted_as_they_are_and_later_ones_of_a_key_count(run):
    again = {**STAGE, "values": {"runs": 2, "by": "me"}}

    result = await run("set-metadata", {"updates": [STAGE, FREIGHT, again]})

    assert (result.status, result.output, result.once) == (StepStatus.SUCCEEDED, {}, False)
    assert result.notes == Notes(
        stages={"uat": {"runs": 2, "by": "me"}},
        freight={"f" * 40: {"ticket": "A-1", "seen": [True, None, {"by": "me"}]}},
    )


async def test_an_alias_is_noted_and_told(run):
    result = await run("set-freight-alias", {"name": "f" * 40, "alias": "v1.0.0"})

    assert result.notes == Notes(aliases={"f" * 40: "v1.0.0"})
    assert result.message == "eager-otter is called v1.0.0 now"
