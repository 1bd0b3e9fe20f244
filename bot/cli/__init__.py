"""What the `towpath` commands do; `bot/__main__.py` reads the arguments."""
