"""The proxy to a server, from the environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.

The proxy is looked up once for every model. aiohttp would look the proxy up for every request (`trust_env`), in two
threads, together with ~/.netrc, which holds no keys of model servers.
"""

import ipaddress
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from state.errors import ModelError


def proxy_of(address: str) -> str | None:
    """Return the proxy for an `http:` or `https:` address, with the proxy's password; None: no proxy.

    Raises `ModelError`, without the password, if the variable does not hold the address of an HTTP proxy.
    """
    server = urlsplit(address)
    proxy = getproxies().get(server.scheme, "").strip()
    if not proxy or _is_excepted(server.netloc.rpartition("@")[2], server.hostname or ""):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not _is_http(proxy):
        raise ModelError(
            f"{server.scheme.upper()}_PROXY: is not the address of an HTTP proxy, such as http://proxy:3128 (in a"
            f" password / is %2F and @ is %40); change it, or name {server.hostname} in NO_PROXY"
        )
    return proxy


def _is_excepted(place: str, host: str) -> bool:
    """Return True if NO_PROXY names the server: by host, `host:port`, domain, `*.domain`, address or CIDR block."""
    if proxy_bypass(place) or proxy_bypass(host):
        return True
    patterns = [pattern.strip() for pattern in getproxies().get("no", "").split(",")]
    return any(_fits(pattern, host) or _fits(pattern, place) for pattern in patterns if pattern)


def _fits(pattern: str, host: str) -> bool:
    """Return True for `*.domain`, and for a CIDR block around an address; the standard library reads neither."""
    if pattern.startswith("*."):
        return host.lower().endswith(pattern[1:].lower())
    try:
        return ipaddress.ip_address(host.strip("[]")) in ipaddress.ip_network(pattern.strip("[]"), strict=False)
    except ValueError:
        return False


def _is_http(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
