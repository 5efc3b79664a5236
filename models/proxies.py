"""The proxy through which an address is reached, as the environment says: HTTPS_PROXY, HTTP_PROXY, NO_PROXY.

It is looked up once for each model. aiohttp would do that for each request (`trust_env`), in two threads, together with
~/.netrc, which names no keys of model servers.
"""

from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

from state.errors import ModelError


def proxy_of(address: str) -> str | None:
    """The proxy for an `http:` or `https:` address, with its password; None: straight there.

    Raises `ModelError` for a proxy of another kind than HTTP.
    """
    parts = urlsplit(address)
    proxy = getproxies().get(parts.scheme)
    if not proxy or proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = proxy if "://" in proxy else f"http://{proxy}"
    kind = urlsplit(proxy).scheme
    if kind not in ("http", "https"):
        raise ModelError(
            f"{parts.scheme.upper()}_PROXY: is a {kind} proxy, and only HTTP proxies are supported; change it, or name"
            f" {parts.hostname} in NO_PROXY"
        )
    return proxy
