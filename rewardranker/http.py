"""HTTP clients that take from the environment what they can use, and say what they cannot."""

from __future__ import annotations

import ipaddress
import os
import urllib.request
from typing import Any, TypeVar

import httpx

from rewardranker.errors import UserError

Client = TypeVar("Client", httpx.Client, httpx.AsyncClient)

_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


def http_client(kind: type[Client], address: str, **options: Any) -> Client:
    """A client for one address: through the proxies of the environment, but to this very machine without them.

    Raises:
        UserError: a proxy that the environment names cannot be used; says which variable names it.
    """
    trusted = not is_loopback(httpx.URL(address).host)
    try:
        return kind(trust_env=trusted, **options)
    except (ImportError, ValueError, httpx.InvalidURL) as error:
        if not trusted or not _variables():
            raise
        raise UserError(
            f"{address} is to be asked through the proxy of the environment ({', '.join(_variables())}), which "
            f"cannot be used: {error}; correct the variable, unset it, or name the host in NO_PROXY"
        ) from error


def through(address: str) -> str:
    """`` through the proxy ...`` where an address is asked through one, for messages that it does not answer."""
    url = httpx.URL(address)
    proxies = urllib.request.getproxies()
    proxy = proxies.get(url.scheme) or proxies.get("all")
    if not proxy or is_loopback(url.host) or urllib.request.proxy_bypass(url.host):
        return ""
    return f" through the proxy {_without_password(proxy)} of the environment"


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its very name or number."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _variables() -> list[str]:
    """What the environment says of proxies, as ``NAME=value``, without passwords."""
    return [
        f"{name}={_without_password(os.environ[name])}" for name in sorted(os.environ) if name.lower() in _PROXIES
    ]


def _without_password(proxy: str) -> str:
    head, at, host = proxy.rpartition("@")
    return f"{head.partition('://')[0]}://...@{host}" if at and head else proxy
