"""What the steps that work on files take as their configuration, and what they say of what they don't."""

import pytest

from bot.core.configuration.fitting import Fit
from bot.steps import BY_NAME

UPDATES = {"path": "a", "updates": [{"key": "a.b", "value": "x"}]}
VALUES = (1, 1.5, True, None, "")
OUTPUTS = [{"name": "a", "fromExpression": "b"}]
PAIRS = [{"name": "X-A", "value": ""}]


def misfits(uses: str, config: dict) -> list[str]:
    return [f"{'.'.join(map(str, each.path))}: {each.message}" for each in Fit(BY_NAME[uses].SCHEMA)(config)[1]]


@pytest.mark.parametrize(
    ("uses", "config"),
    [
        *((uses, UPDATES) for uses in ("yaml-update", "json-update", "toml-update")),
        *((uses, {"path": "a", "updates": []}) for uses in ("yaml-update", "json-update", "toml-update")),
        *(("yaml-update", {"path": "a", "updates": [{"key": "a", "value": each}]}) for each in VALUES),
        ("yaml-update", {**UPDATES, "createMissing": True, "document": 1}),
        ("yaml-merge", {"inFiles": ["a", "b"], "outFile": "c", "ignoreMissingFiles": True}),
        *((uses, {"path": "a", "outputs": OUTPUTS}) for uses in ("yaml-parse", "json-parse", "toml-parse")),
        ("copy", {"inPath": "a", "outPath": "b", "ignore": "*.log\n"}),
        ("delete", {"path": "a", "strict": True}),
        ("delete", {"paths": ["a", "b/**"], "pathsAreGlobs": True}),
        ("file-write", {"path": "a", "contents": "", "permissions": "0640", "overwrite": True}),
        ("tar", {"inPath": "a", "outPath": "b", "gzip": True, "ignore": "x"}),
        ("untar", {"inPath": "a", "outPath": "b", "stripComponents": 1, "ignore": "x"}),
        ("http-download", {"url": "https://a.example.com", "outPath": "b", "allowOverwrite": True, "headers": PAIRS,
                           "queryParams": PAIRS, "timeout": "10m", "insecureSkipTLSVerify": False}),
        ("http", {"url": "https://a.example.com", "method": "PATCH", "bodyFromFile": "a",
                  "responseContentType": "application/yaml"}),
    ],
)  # fmt: skip
def test_what_is_taken(uses, config):
    assert misfits(uses, config) == []


@pytest.mark.parametrize(
    ("uses", "config", "says"),
    [
        ("yaml-update", {}, "`path` is missing here"),
        ("yaml-update", {"path": "", "updates": []}, "path: "),
        ("yaml-update", {"path": "a", "updates": [{"key": "a", "value": [1]}]}, "updates.0.value: "),
        ("json-update", {"path": "a", "updates": [{"key": "a", "value": {"b": 1}}]}, "updates.0.value: "),
        ("toml-update", {"path": "a", "updates": [{"key": "a", "value": None}]}, "updates.0: `value` is missing"),
        ("yaml-update", {"path": "a", "updates": [{"key": "a"}]}, "updates.0"),
        ("yaml-update", {**UPDATES, "createMising": True}, "did you mean `createMissing`"),
        ("yaml-update", {**UPDATES, "document": -1}, "document: "),
        ("yaml-merge", {"inFiles": [], "outFile": "c"}, "inFiles: "),
        ("yaml-parse", {"path": "a", "outputs": []}, "outputs: "),
        ("toml-parse", {"path": "a", "outputs": [{"name": "a"}]}, "outputs.0"),
        ("copy", {"inPath": "a"}, "outPath"),
        ("delete", {"paths": "a"}, "paths: "),
        ("file-write", {"path": "a", "contents": "", "permissions": 0o644}, "`420` does not do for `permissions`"),
        ("file-write", {"path": "a", "contents": "", "permissions": "rw-r--r--"}, "`rw-r--r--` does not do"),
        ("untar", {"inPath": "a", "outPath": "b", "stripComponents": -1}, "stripComponents: "),
        ("tar", {"inPath": "a", "outPath": "b", "gzip": "maybe"}, "gzip: "),
        ("http-download", {"url": "https://a.example.com", "outPath": "b", "timeout": "soon"}, "`soon`"),
        ("http", {"url": "https://a.example.com", "method": "CONNECT"}, "`CONNECT`"),
        ("http", {"url": "https://a.example.com", "responseContentType": "text/html"}, "`text/html`"),
    ],
)
def test_what_is_not_taken_is_told_by_its_field(uses, config, says):
    told = misfits(uses, config)
    assert len(told) >= 1
    assert says in "\n".join(told)
