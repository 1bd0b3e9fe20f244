"""Kubernetes' dialect of JSONPath: templates such as `{$.items[?(@.name=="a")].value}`.

https://kubernetes.io/docs/reference/kubectl/jsonpath/ and client-go's util/jsonpath, whose wording of faults is kept.
Text outside braces is literal there and here: the path `$.message` finds the text `$.message`; write `{$.message}`.

Different on purpose, because there it only ever fails or surprises (`DIFFERENCES` names them for the tests):

- *whole numbers in filters*: `?(@.v==1)` compares numbers by value; client-go finds JSON's numbers incompatible.
- *dots in quoted names*: `['k.dot']` is one key; client-go splits it. `\\.` works in both.
- *keys missing in filters*: an element without the key is not selected; client-go fails.
- *order of `..` and `.*`*: that of the document; client-go's changes from run to run.
"""

from bot.core.jsonpath.evaluation import find
from bot.core.jsonpath.nodes import JsonPathError, Template
from bot.core.jsonpath.parsing import parse

DIFFERENCES = (
    "whole numbers in filters",
    "dots in quoted names",
    "keys missing in filters",
    "order of `..` and `.*`",
)

__all__ = ["DIFFERENCES", "JsonPathError", "Template", "find", "parse"]
