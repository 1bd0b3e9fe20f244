"""Where outbound requests may go: the rules of `EGRESS_ALLOW`, as decisions about a host and an address of it.

Names are resolved elsewhere; what is decided here is the address that is connected to, so that a name that changes its
mind (DNS rebinding) gains nothing: https://owasp.org/www-community/attacks/Server_Side_Request_Forgery
"""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Where clouds hand their machines credentials; nothing of ours has business there.
_NEVER: tuple[Network, ...] = tuple(
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
_IPV4_COMPATIBLE = IPv6Network("::/96")  # deprecated, and yet taken by some: https://www.rfc-editor.org/rfc/rfc4291
_HOST = re.compile(r"(\*\.)?[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*")


@dataclass(frozen=True, slots=True)
class EgressRules:
    """`public`: every public address may be asked. `networks` and `hosts` may be, public or not.

    A host is a name in lower case, or `*.` and a domain: every name below it, not itself.
    """

    public: bool = True
    networks: tuple[Network, ...] = ()
    hosts: tuple[str, ...] = ()

    def refusal(self, host: str, address: str) -> str | None:
        """Why `address`, one of those that `host` has (or the host itself), must not be connected to; None when it may.

        What is no address is refused.
        """
        try:
            ip = _innermost(ip_address(address))
        except ValueError:
            return "is not written as an IP address should be"
        if _within(ip, _NEVER):
            return "is a link-local or metadata address, which may hand out credentials"
        if ip.is_multicast:
            return "is a multicast address"
        if _within(ip, self.networks) or self._lists(host):
            return None
        if not ip.is_global:
            return "is not a public address, and EGRESS_ALLOW doesn't list it"
        return None if self.public else "is not listed in EGRESS_ALLOW"

    def _lists(self, host: str) -> bool:
        name = host.lower().removesuffix(".")
        return any(name == one or (one[0] == "*" and name.endswith(one[1:])) for one in self.hosts)


def parse_rules(text: str) -> EgressRules:
    """The rules of `EGRESS_ALLOW`, between commas or white space. Raises ValueError that quotes the one at fault."""
    networks: list[Network] = []
    hosts: list[str] = []
    for rule in (one.lower() for one in re.split(r"[,\s]+", text) if one and one != "*"):
        if network := _network(rule):
            networks.append(network)
        elif _HOST.fullmatch(rule) and not rule.replace(".", "").isdigit():
            hosts.append(rule)
        else:
            raise ValueError(f"{rule!r} is none of them")
    return EgressRules("*" in re.split(r"[,\s]+", text), tuple(networks), tuple(hosts))


def _network(rule: str) -> Network | None:
    try:
        return ip_network(rule.strip("[]"))
    except ValueError as error:
        if "/" in rule:
            raise ValueError(f"{rule!r} is no network: {error}") from error
        return None


def _within(ip: Address, networks: tuple[Network, ...]) -> bool:
    return any(ip in network for network in networks if network.version == ip.version)


def _innermost(ip: Address) -> Address:
    """The IPv4 address inside an IPv6 one that only carries it."""
    if isinstance(ip, IPv4Address):
        return ip
    if ip in _NAT64 or (ip in _IPV4_COMPATIBLE and int(ip) > 0xFFFF):
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None) or ip
