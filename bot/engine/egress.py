"""Where outbound requests may go: which addresses are refused, checked when a name has been resolved.

The addresses that pass are the very ones that are connected to, so a name that changes its mind between check and
connection (DNS rebinding) gains nothing: https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from aiohttp.abc import AbstractResolver, ResolveResult

from bot.errors import UserError

# Where clouds hand their machines credentials; no measurement has business there.
_NEVER: tuple[IPv4Network | IPv6Network, ...] = tuple(
    ip_network(network)
    for network in (
        "169.254.0.0/16",  # link-local: AWS, Azure, Google Cloud, Oracle, OpenStack
        "fe80::/10",  # link-local
        "fd00:ec2::254/128",  # AWS, https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instancedata-data-retrieval.html
        "fd20:ce::254/128",  # Google Cloud, https://cloud.google.com/compute/docs/metadata/querying-metadata
        "100.100.100.200/32",  # Alibaba Cloud, https://www.alibabacloud.com/help/en/ecs/user-guide/view-instance-metadata
        "168.63.129.16/32",  # Azure, https://learn.microsoft.com/en-us/azure/virtual-network/what-is-ip-address-168-63-129-16
    )
)
_NAT64 = IPv6Network("64:ff9b::/96")  # https://www.rfc-editor.org/rfc/rfc6052#section-2.1


def refusal(address: str, *, allow_private: bool) -> str | None:
    """Why this IP address must not be connected to; None when it may be. What is no address is refused."""
    try:
        ip = _innermost(ip_address(address))
    except ValueError:
        return "is not written as an IP address should be"
    if any(ip in network for network in _NEVER if network.version == ip.version):
        return "is a link-local or metadata address, which may hand out credentials"
    if ip.is_multicast:
        return "is a multicast address"
    if not allow_private and not ip.is_global:
        return "is not a public address, and private ones are not allowed here"
    return None


def _innermost(ip: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """The IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


class GuardedResolver(AbstractResolver):
    """Resolves names with another resolver and refuses a name of which any address is refused."""

    def __init__(self, resolver: AbstractResolver, *, allow_private: bool) -> None:
        self._resolver = resolver
        self._allow_private = allow_private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises UserError for a refused address, OSError for a name that has none."""
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            if because := refusal(result["host"], allow_private=self._allow_private):
                raise UserError(f'requests to "{host}" are refused: its address {result["host"]} {because}')
        return found

    async def close(self) -> None:
        await self._resolver.close()
