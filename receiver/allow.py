"""Who may connect: a receiver's `allow` list, as XNAT's whitelist (AE title, address, network, or both)."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from typing import NamedTuple

_Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class _Item(NamedTuple):
    """What a sender must have; None stands for anything."""

    ae_title: str | None
    network: _Network | None


class AllowList:
    """The items of a receiver's `allow` list; one matching item is enough.

    Items are `AET`, `IP`, `CIDR`, `AET@IP` or `AET@CIDR`. `None` allows everybody, an empty list nobody. What
    does not parse as an address is an AE title. AE titles are compared as they are, case included.
    """

    def __init__(self, items: Iterable[str] | None) -> None:
        self._items = None if items is None else [_parse(item) for item in items]

    def allows(self, ae_title: str, address: str) -> bool:
        """Whether a sender with this calling AE title and this (numeric) address may connect."""
        if self._items is None:
            return True
        peer = ipaddress.ip_address(plain_address(address))
        return any(
            (item.ae_title is None or item.ae_title == ae_title)
            # An address of the other family is in no network.
            and (item.network is None or peer in item.network)
            for item in self._items
        )


def plain_address(address: str) -> str:
    """Return an address as people write it: without scope, and IPv4 also from an IPv6 socket."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(parsed, "ipv4_mapped", None)
    return str(mapped or parsed)


def _parse(text: str) -> _Item:
    ae_title, at_sign, address = text.strip().rpartition("@")
    if at_sign:
        return _Item(ae_title.strip(), ipaddress.ip_network(address.strip(), strict=False))
    network = _find_network(address)
    return _Item(address if network is None else None, network)


def _find_network(text: str) -> _Network | None:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return None
