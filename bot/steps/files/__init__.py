"""Trees of files: what is left out, what comes out of archives, where may be written."""
