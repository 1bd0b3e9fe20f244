"""Reading YAML that somebody else wrote as plain data, in time and memory that grow with the text and no faster.

Two things of YAML 1.1 grow faster: numbers to the base of 60, and `<<`, which makes of few mappings many. Kubernetes,
Helm and Kustomize, in Go, know no such numbers: `1:30` is a text. https://pkg.go.dev/gopkg.in/yaml.v2#readme-compatibility
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import yaml
from yaml.constructor import ConstructorError, SafeConstructor

_MOST_MERGED = 100_000  # entries of one mapping


def plain_int(loader: SafeConstructor, node: yaml.ScalarNode) -> int | str:
    """Raises ConstructorError for one of more digits than Python takes."""
    if ":" in node.value:
        return str(node.value)
    try:
        return int(loader.construct_yaml_int(node))
    except ValueError as error:
        raise ConstructorError(None, None, f"the number {node.value[:20]}… is too large", node.start_mark) from error


def plain_float(loader: SafeConstructor, node: yaml.ScalarNode) -> float | str:
    return str(node.value) if ":" in node.value else float(loader.construct_yaml_float(node))


PLAIN: Mapping[str | None, Any] = {
    "tag:yaml.org,2002:int": plain_int,
    "tag:yaml.org,2002:float": plain_float,
    "tag:yaml.org,2002:timestamp": SafeConstructor.construct_yaml_str,  # as in JSON, and as for Kubernetes
}


class PlainLoader(yaml.CSafeLoader):
    """For `yaml.load`. Whoever walks through the data minds that aliases lead to the same value many times."""

    yaml_constructors: ClassVar = {**yaml.CSafeLoader.yaml_constructors, **PLAIN}

    def flatten_mapping(self, node: Any) -> None:
        """Raises ConstructorError for what merging makes too large."""
        super().flatten_mapping(node)
        if len(node.value) > _MOST_MERGED:
            raise ConstructorError(None, None, "`<<` makes too large a mapping of it", node.start_mark)
