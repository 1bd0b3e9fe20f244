"""OCI registries and Helm repositories, read over HTTP."""

from bot.registry.client import RegistryClient
from bot.registry.credentials import FindCredentials, OperatorCredentials, nobody, own_first
from bot.registry.docker_config import Credentials

__all__ = ["Credentials", "FindCredentials", "OperatorCredentials", "RegistryClient", "nobody", "own_first"]
