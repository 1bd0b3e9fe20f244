"""What the configuration of every receiver has in common."""

from bot.contracts import Schema

TEXT: Schema = {"type": "string"}


def receiver(key: str, **more: Schema) -> Schema:
    """A reference to the repository's secret whose `key` proves the sender, and the sender's own fields."""
    reference = {
        "type": "object",
        "description": f"The repository's secret; its key `{key}` is what the sender is known by.",
        "properties": {"name": TEXT},
        "required": ["name"],
        "additionalProperties": False,
    }
    properties = {"secretRef": reference, **more}
    return {"type": "object", "properties": properties, "required": ["secretRef"], "additionalProperties": False}
