"""How long a typical condition takes, compiled and not, against simpleeval doing the same.

    pip install simpleeval
    python benchmarks/bench_expressions.py

The aim is to be faster. simpleeval has Python's grammar, so its code says the same in other words.
"""

import time
from collections.abc import Callable

import simpleeval

from bot.expressions import compile as compile_expression
from bot.expressions.parser import parse

ROUNDS = 10_000
CODE = 'result.status == "ok" and result.count > 3 and result.ratio >= 0.95'
PYTHON_CODE = 'result["status"] == "ok" and result["count"] > 3 and result["ratio"] >= 0.95'
ENV = {"result": {"status": "ok", "count": 5, "ratio": 0.97}}


def best(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Seconds that so many rounds take, at best of five times."""
    times = []
    for _ in range(5):
        started = time.perf_counter()
        for _ in range(rounds):
            work()
        times.append(time.perf_counter() - started)
    return min(times)


def main() -> None:
    program = compile_expression(CODE)
    other = simpleeval.EvalWithCompoundTypes(names=ENV)
    parsed = other.parse(PYTHON_CODE)
    assert program.run(ENV) is other.eval(PYTHON_CODE) is True

    ours = best(lambda: program.run(ENV))
    theirs = best(lambda: other.eval(PYTHON_CODE, previously_parsed=parsed))
    whole = best(lambda: other.eval(PYTHON_CODE))
    reading = best(lambda: parse(CODE), 1000) * ROUNDS / 1000
    checked = best(lambda: compile_expression(CODE, typed_env=ENV), 1000) * ROUNDS / 1000
    print(f"{ROUNDS} times: {CODE}")
    print(f"compiled             {ours:7.3f} s")
    print(f"simpleeval, parsed   {theirs:7.3f} s   {theirs / ours:5.1f} times as long")
    print(f"simpleeval, whole    {whole:7.3f} s   {whole / ours:5.1f} times as long")
    print(f"reading only         {reading:7.3f} s")
    print(f"reading and checking {checked:7.3f} s   {whole / checked:5.1f} times as fast as simpleeval, whole")


if __name__ == "__main__":
    main()
