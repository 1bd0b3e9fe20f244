"""Pieces the schemas of steps are put together from."""

from collections.abc import Mapping
from typing import Any

from bot.contracts.schema import Schema

TEXT: Schema = {"type": "string", "minLength": 1}
# Where Kargo takes "" for "not given", which an expression easily gives.
MAYBE: Schema = {"type": "string"}
TEXTS: Schema = {"type": "array", "items": TEXT}
FLAG: Schema = {"type": "boolean"}
DURATION: Schema = {"type": "string", "format": "go-duration"}
# Kargo takes any number; ours ends.
ATTEMPTS: Schema = {
    "type": "integer",
    "minimum": 1,
    "maximum": 2**31 - 1,
    "description": "How often to try again on a moved branch: 10 times unless given, and at most 100.",
}
NEVER: Schema = {"const": False, "description": "TLS is always verified here."}


def record(required: str = "", **properties: Schema) -> dict[str, Any]:
    """An object with these properties and no others. `required` names some of them, separated by spaces."""
    shape: dict[str, Any] = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**shape, "required": required.split()} if required else shape


def listed(item: Schema, *, at_least: int = 0) -> dict[str, Any]:
    return {"type": "array", "items": item, **({"minItems": at_least} if at_least else {})}


def told(shape: Mapping[str, Any], about: str) -> dict[str, Any]:
    """The same shape with a description, for editors and the documentation."""
    return {**shape, "description": about}


SCALAR: Schema = {"type": ["string", "number", "boolean", "null"]}
IGNORE: Schema = told(TEXT, "What is left out, line by line, as in a `.gitignore`.")
# https://github.com/tidwall/sjson#path-syntax
KEY: Schema = told(TEXT, r"Where the value is, like image.tag or env.0.value; a dot within a name is written \.")
# An artifact at an OCI registry, by tag or digest.
ARTIFACT: Schema = {**TEXT, "pattern": r"^(oci://)?[^\s@]+(:[^\s/@]+|@[a-z0-9]+:[0-9a-f]+)$"}
PAIR: Schema = record("name value", name=TEXT, value={"type": "string"})


def updates(value: Schema = SCALAR) -> dict[str, Any]:
    """Keys and what they are to say, for the steps that change values in files."""
    return listed(record("key value", key=KEY, value=value))


# Where freight comes from, in Kargo's deprecated `fromOrigin`.
ORIGIN: Schema = record("name", kind={"enum": ["Warehouse"]}, name=TEXT)
# Kargo names other forges here, and manifests carry the name of one they no longer use; the repository decides.
PROVIDER: Schema = told(
    {"enum": ["azure", "bitbucket", "gitea", "github", "gitlab"]},
    "What another repository's pull requests are on: github or gitlab; left out: as its host says.",
)
