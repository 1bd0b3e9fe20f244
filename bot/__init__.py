"""Towpath: a GitHub App that promotes freight from stage to stage by pull request."""
