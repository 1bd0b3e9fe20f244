"""Files changed and read without touching what was not asked for."""
