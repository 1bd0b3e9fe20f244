"""How long a typical condition takes, compiled and not, against simpleeval doing the same; and the worst, at most.

simpleeval (`pip install simpleeval`) has Python's grammar, so its code says the same in other words. What is made to
take for ever is held against a plain loop of Python.
"""

from collections.abc import Callable, Iterator
from functools import partial
from importlib import import_module
from time import process_time

from benchmarks.figures import Figure, Say, Unavailable, best
from bot.expressions import ExpressionError
from bot.expressions import compile as compile_expression
from bot.expressions.common_functions import COMMON

NAME = "expressions"
ROUNDS = 10_000
CODE = 'result.status == "ok" and result.count > 3 and result.ratio >= 0.95'
PYTHON_CODE = 'result["status"] == "ok" and result["count"] > 3 and result["ratio"] >= 0.95'
ENV = {"result": {"status": "ok", "count": 5, "ratio": 0.97}}
LOOP = 1_000_000
ABOUT = (
    f"A typical condition, {CODE}, against simpleeval, which has Python's grammar; and expressions made to take for "
    f"ever, until they are refused, against a Python loop that adds up {LOOP:,} numbers."
)

_DOUBLED = "let a0 = [1]; " + "".join(f"let a{n + 1} = [a{n}, a{n}]; " for n in range(60))
_LONG = "let s0 = 'xxxxxxxxxxxxxxxx'; " + "".join(f"let s{n + 1} = s{n} + s{n}; " for n in range(16))
# Of each way to take long, the slowest that is known.
HOSTILE = {
    "a loop in a loop": "let r = 1..999; all(r, all(r, all(r, true)))",
    "functions": "1..400000 | map(split('a b c', ' ')) | len()",
    "lists compared": "uniq(map(1..20000, [#]))",
    "a list of 2^60 elements": f"{_DOUBLED} a60",
    "the same compared": f"{_DOUBLED} let b = a60; let c = [b]; c == [b]",
    "the same as YAML": f"{_DOUBLED} asYAML(a60)",
    "searching a long text": f"{_LONG} 1..90000 | map(indexOf(s16, 'xy')) | len()",
    "quoting a long text": f"{_LONG} 1..90000 | map(quote(s16 + chr)) | len()",
    "a text that no automaton fits": "let s = join(map(1..40000, # * 7919 % 101 % 7 < 3 ? 'a' : 'b')); "
    "1..900 | map(s matches '[ab]*a[ab]{40}c') | len()",
    "thousands of patterns": "1..5000 | map('x' matches ('(a{1,' + string(# % 900 + 1) + '}){1}'))",
    "dates": "1..100000 | map(date('Mon, 02 Jan 2006 15:04:05 MST').Format('Monday')) | len()",
    "versions": "1..100000 | map(semverParse('1.2.' + string(#)).IncMinor().String()) | len()",
    "JSON": "1..100000 | map(fromJSON('[[1,2,3]]')) | len()",
}
_ENV: dict[str, object] = {**COMMON, "chr": '"'}


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

    say("the worst")
    loop = _processor_seconds(_loop)
    took = {name: _processor_seconds(partial(_until_refused, code)) for name, code in HOSTILE.items()}
    slowest = max(took, key=took.__getitem__)
    what = f"the slowest of {len(took)} made to take for ever: {slowest}"
    yield Figure(what, took[slowest] * 1000, "ms", "a Python loop", loop * 1000, aim=20)
    yield Figure("the same: no more than a second", took[slowest], "s", aim=1)


def _processor_seconds(work: Callable[[], object]) -> float:
    """At best of several times. What a busy machine does between is nothing that an expression costs."""
    took = []
    for _ in range(4):
        began = process_time()
        work()
        took.append(process_time() - began)
    return min(took)


def _loop() -> int:
    total = 0
    for number in range(LOOP):
        total += number
    return total


def _until_refused(code: str) -> None:
    try:
        compile_expression(code).run(_ENV)
    except ExpressionError:
        return
    raise AssertionError(f"nothing stopped {code[-60:]}")
