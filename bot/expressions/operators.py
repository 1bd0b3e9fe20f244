"""How tightly operators bind (https://expr-lang.org/docs/language-definition#operators)."""

LOOSEST = 0  # where the ternary, `let` and `if` may stand
UNARY = {"not": 50, "!": 50, "-": 90, "+": 90}
BINARY = {
    "|": 0,
    "or": 10,
    "||": 10,
    "and": 15,
    "&&": 15,
    "==": 20,
    "!=": 20,
    "<": 20,
    ">": 20,
    ">=": 20,
    "<=": 20,
    "in": 20,
    "matches": 20,
    "contains": 20,
    "startsWith": 20,
    "endsWith": 20,
    "..": 25,
    "+": 30,
    "-": 30,
    "*": 60,
    "/": 60,
    "%": 60,
    "**": 100,
    "^": 100,
    "??": 500,
}
RIGHT_ASSOCIATIVE = frozenset(("**", "^"))
COMPARISONS = frozenset(("<", ">", "<=", ">="))
NEGATABLE = frozenset(("in", "matches", "contains", "startsWith", "endsWith"))
