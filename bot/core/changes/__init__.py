"""What a promotion changes, resource by resource: from the files before and after, as plain data."""

from bot.core.changes.compare import Changes, FileChange, How, ResourceChange, compare
from bot.core.changes.fields import FieldChange
from bot.core.changes.manifests import Identity
from bot.core.changes.secrets import masking_key, plaintext_secrets

__all__ = [
    "Changes",
    "FieldChange",
    "FileChange",
    "How",
    "Identity",
    "ResourceChange",
    "compare",
    "masking_key",
    "plaintext_secrets",
]
