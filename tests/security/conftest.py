"""Attacks on steps are made where steps are tested: a real repository, real programs."""

from tests.steps.conftest import remote, run

__all__ = ["remote", "run"]
