"""How long a typical condition takes, compiled and not, against simpleeval doing the same.

simpleeval (`pip install simpleeval`) has Python's grammar, so its code says the same in other words.
"""

from collections.abc import Iterator
from importlib import import_module

from benchmarks.figures import Figure, Say, Unavailable, best
from bot.expressions import compile as compile_expression

NAME = "expressions"
ROUNDS = 10_000
CODE = 'result.status == "ok" and result.count > 3 and result.ratio >= 0.95'
PYTHON_CODE = 'result["status"] == "ok" and result["count"] > 3 and result["ratio"] >= 0.95'
ENV = {"result": {"status": "ok", "count": 5, "ratio": 0.97}}
ABOUT = f"A typical condition, {CODE}, against simpleeval, which has Python's grammar."


def run(say: Say) -> Iterator[Figure]:
    try:
        simpleeval = import_module("simpleeval")  # nothing else needs it
    except ImportError as error:
        raise Unavailable("pip install simpleeval") from error

    program = compile_expression(CODE)
    other = simpleeval.EvalWithCompoundTypes(names=ENV)
    parsed = other.parse(PYTHON_CODE)
    assert program.run(ENV) is other.eval(PYTHON_CODE) is True

    say(f"{ROUNDS} rounds")
    micro = 1e6 / ROUNDS
    ours = best(lambda: program.run(ENV), rounds=ROUNDS) * micro
    theirs = best(lambda: other.eval(PYTHON_CODE, previously_parsed=parsed), rounds=ROUNDS) * micro
    yield Figure("compiled once, run often", ours, "µs", "simpleeval, parsed once", theirs, aim=1)
    whole = best(lambda: other.eval(PYTHON_CODE), rounds=ROUNDS) * micro
    checked = best(lambda: compile_expression(CODE, typed_env=ENV).run(ENV), rounds=ROUNDS // 10) * micro * 10
    yield Figure("read, checked and run", checked, "µs", "simpleeval, all of it", whole, aim=1)
