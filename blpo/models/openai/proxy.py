"""The proxy to a server, from the environment: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.

The proxy is looked up once for every model. aiohttp would look the proxy up for every request (`trust_env`), in two
threads, together with ~/.netrc, which holds no keys of model servers.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from state.errors import ModelError


def proxy_of(address: str) -> str | None:
    """Return the proxy for an `http:` or `https:` address, with the proxy's password; None: no proxy.

    Raises `ModelError`, without the password, if the variable does not hold the address of an HTTP proxy.
    """
    server = urlsplit(address)
    proxy = getproxies().get(server.scheme, "").strip()
    place = server.netloc.rpartition("@")[2]
    if not proxy or proxy_bypass(place) or proxy_bypass(server.hostname or ""):  # 'host:port' or '::1' in NO_PROXY
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    if not _is_http(proxy):
        raise ModelError(
            f"{server.scheme.upper()}_PROXY: is not the address of an HTTP proxy, such as http://proxy:3128 (in a"
            f" password / is %2F and @ is %40); change it, or name {server.hostname} in NO_PROXY"
        )
    return proxy


def _is_http(proxy: str) -> bool:
    try:
        parts = urlsplit(proxy)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
