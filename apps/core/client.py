"""The address a request came from."""

import ipaddress
from collections.abc import Mapping
from typing import Any

from django.conf import settings


def client_address(meta: Mapping[str, Any]) -> str:
    """Of a request's META. Only behind a proxy of ours is X-Forwarded-For believed, and of it the last word.

    An IPv6 address stands for its /64: a single line is given all of it. Empty when there is none (a unix socket).
    """
    forwarded = meta.get("HTTP_X_FORWARDED_FOR", "") if settings.BEHIND_PROXY else ""
    given = (forwarded.rpartition(",")[2].strip() if forwarded else meta.get("REMOTE_ADDR", "")) or ""
    try:
        address = ipaddress.ip_address(given.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)
