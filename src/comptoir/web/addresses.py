"""Whose request it is, by address: believed from proxies only that the operator trusts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, Final, Self

from comptoir.kit.errors import ComptoirError

_FORWARDED: Final = b"x-forwarded-for"
_HOPS: Final = 20
_UNKNOWN: Final = "unknown"
_HOME_BITS: Final = 64
"""Of an IPv6 address: whoever has one has all that begin like it."""

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Addresses:
    """Finds the client's address.

    Attributes:
        trusted: the networks of proxies that say truly whom they speak for.
    """

    trusted: Sequence[Network] = ()

    @classmethod
    def read(cls, said: str) -> Self:
        """What TRUSTED_PROXIES says: addresses and networks, with commas between them.

        Raises:
            ComptoirError: one of them is neither.
        """
        names = [each.strip() for each in said.split(",") if each.strip()]
        try:
            return cls(tuple(ip_network(each) for each in names))
        except ValueError as error:
            raise ComptoirError("trusted-proxies-invalid", reason=str(error)) from error

    def client(self, scope: Mapping[str, Any]) -> str:
        """The address of whoever sends a request: the last one that no trusted proxy has."""
        peer = scope.get("client")
        address = str(peer[0]) if peer else _UNKNOWN
        if not self._is_trusted(address):
            return _home(address)
        said = b",".join(value for name, value in scope["headers"] if name == _FORWARDED)
        for hop in reversed(said.decode("latin-1").split(",")[-_HOPS:]):
            address = _bare(hop.strip()) or address
            if not self._is_trusted(address):
                break
        return _home(address)

    def _is_trusted(self, address: str) -> bool:
        if not self.trusted:
            return False
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.trusted)


def by_address(trusted_proxies: str = "") -> Callable[[Mapping[str, Any]], str]:
    """Whose request it is, by the client's address: the subject of a rate limit.

    Raises:
        ComptoirError: of the proxies one is no address and no network.
    """
    addresses = Addresses.read(trusted_proxies)
    return lambda scope: f"address:{addresses.client(scope)}"


def _bare(hop: str) -> str:
    """The address of a hop, which may have a port: 192.0.2.1:80, [2001:db8::1]:80."""
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop


def _home(address: str) -> str:
    """What counts as one client; whatever is no address is one, too."""
    try:
        found = ip_address(address)
    except ValueError:
        return _UNKNOWN
    if isinstance(found, IPv6Address) and found.ipv4_mapped is None:
        return str(ip_network((found, _HOME_BITS), strict=False))
    return str(found)
