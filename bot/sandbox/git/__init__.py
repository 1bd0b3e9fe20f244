"""Real Git: bare repositories, read and written by running `git` with argument arrays, and served over HTTP."""
