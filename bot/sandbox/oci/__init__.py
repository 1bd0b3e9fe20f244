"""The sandbox's container registry."""

from bot.sandbox.oci.images import push_image
from bot.sandbox.oci.login import Login
from bot.sandbox.oci.server import OnPush, routes
from bot.sandbox.oci.storage import Refused, Storage

__all__ = ["Login", "OnPush", "Refused", "Storage", "push_image", "routes"]
