"""Which looks are asked for, begun and due, whatever the order of events."""

import tempfile
from pathlib import Path

import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.engine.durable.database import connect, parse
from bot.engine.durable.tables import Ledger
from bot.engine.work import CommandJob


class Line:
    """Keeps what was enqueued."""

    def __init__(self) -> None:
        self.looks: list[tuple[str, int]] = []

    def enqueue_look(self, connection: sa.Connection, repository: str, generation: int) -> None:
        self.looks.append((repository, generation))

    def enqueue_command(self, connection: sa.Connection, job: CommandJob) -> bool:
        return True


EVENTS = st.lists(
    st.tuples(st.sampled_from(["request", "begin", "begin again", "lose", "deliver"]), st.sampled_from(["a", "b"])),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(EVENTS)
def test_after_a_request_exactly_one_look_that_has_not_begun_is_in_line(events: list[tuple[str, str]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = connect(parse(f"sqlite:///{Path(folder) / 'work.db'}"))
        line = Line()
        ledger = Ledger(engine, line)
        ledger.create()
        begun = {"a": 0, "b": 0}
        for number, (event, repository) in enumerate(events):
            waiting = ledger.waiting_looks()
            match event:
                case "request" | "deliver":
                    if event == "request":
                        ledger.request_look(repository)
                    else:
                        ledger.accept_delivery(f"d-{number}", [repository, repository], [])
                    assert ledger.waiting_looks()[repository] > begun[repository]
                case "begin" if repository in waiting:
                    begun[repository] = waiting[repository]
                    ledger.begin_look(repository, waiting[repository])
                    assert repository not in ledger.waiting_looks()
                case "begin again" if begun[repository]:  # taken over: it began before, and its number stays
                    ledger.begin_look(repository, begun[repository])
                    assert ledger.waiting_looks() == waiting
                case "lose" if repository in waiting:
                    assert ledger.replace_look(repository, waiting[repository]) is True
                    assert ledger.replace_look(repository, waiting[repository]) is False
                    begun[repository] = waiting[repository]
                    assert ledger.waiting_looks()[repository] == waiting[repository] + 1
            assert set(ledger.waiting_looks().items()) <= set(line.looks)
        assert len(set(line.looks)) == len(line.looks), "a number is enqueued once"
        engine.dispose()


def test_one_of_many_gets_the_turn_and_a_wrong_clock_blocks_nobody(tmp_path: Path) -> None:
    engine = connect(parse(f"sqlite:///{tmp_path / 'work.db'}"))
    ledger = Ledger(engine, Line())
    ledger.create()

    assert ledger.take_turn("tick", 100) == 0
    assert 99 < ledger.take_turn("tick", 100) <= 100
    assert ledger.take_turn("tick", 100, anyway=True) == 0
    assert ledger.take_turn("prune", 100) == 0
    assert ledger.take_turn("tick", 10) == 0, "the time it finds is further away than its period"
    assert 9 < ledger.take_turn("tick", 10) <= 10
    engine.dispose()
