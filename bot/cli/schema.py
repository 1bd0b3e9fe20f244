"""`towpath schema`: the JSON Schema of `.promotion.yaml`, by which editors complete and check."""

import json

from bot.core.config import PlugIns, shape_schema


def text(plugins: PlugIns) -> str:
    """The schema as it is kept in `config/promotion.schema.json`."""
    return json.dumps(shape_schema(plugins), indent=2, ensure_ascii=False, sort_keys=False) + "\n"
