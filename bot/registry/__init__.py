"""OCI registries and Helm repositories, read over HTTP."""

from bot.registry.access import Credentials, FindCredentials
from bot.registry.client import RegistryClient

__all__ = ["Credentials", "FindCredentials", "RegistryClient"]
