"""What models cost: the price in the settings, else a list price, else unknown, which is said and never guessed.

The table holds the vendor's list prices for standard processing, without discounts (cached input, batches) and
surcharges; override it with `models.ROLE.price`.
"""

import re
from urllib.parse import urlsplit

from blpo.models.messages import ROLES
from blpo.models.openai_chat import sent_parameters
from state.errors import ConfigError
from state.settings import LimitSettings, ModelSettings, ModelsSettings, PriceSettings

AS_OF = "March 2026"
"""When the list prices were looked up."""

_USD_PER_MILLION = {
    "gpt-4-turbo": (10, 30),
    "gpt-4.1": (2, 8),
    "gpt-4.1-mini": (0.4, 1.6),
    "gpt-4.1-nano": (0.1, 0.4),
    "gpt-4o": (2.5, 10),
    "gpt-4o-2024-05-13": (5, 15),
    "gpt-4o-mini": (0.15, 0.6),
    "gpt-5": (1.25, 10),
    "gpt-5-mini": (0.25, 2),
    "gpt-5-nano": (0.05, 0.4),
    "gpt-5.1": (1.25, 10),
    "gpt-5.2": (1.75, 14),
    "gpt-5.4": (2.5, 15),
    "o1": (15, 60),
    "o3": (2, 8),
    "o3-mini": (1.1, 4.4),
    "o3-pro": (20, 80),
    "o4-mini": (1.1, 4.4),
}
LIST_PRICES = {name: PriceSettings(input=given, output=made) for name, (given, made) in _USD_PER_MILLION.items()}
"""By model name of the vendor behind `openai:`, of `AS_OF`; a dated version costs what its model costs."""

_FREE = PriceSettings(input=0, output=0)
_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")


def price_of(settings: ModelSettings) -> PriceSettings | None:
    """US dollars for a million tokens; None where the price is not known. Embedded models cost nothing."""
    if settings.price is not None:
        return settings.price
    provider, _, name = settings.name.partition(":")
    if provider == "embedded":
        return _FREE
    if provider != "openai" or not _at_the_vendor(settings):
        return None
    return LIST_PRICES.get(name) or LIST_PRICES.get(_DATE.sub("", name))


def require_prices(models: ModelsSettings, limits: LimitSettings) -> None:
    """Raise `ConfigError` where a budget in dollars meets a model whose price is not known."""
    if limits.usd is None:
        return
    unknown = [role for role in ROLES if price_of(models.of(role)) is None]
    if "judge" in unknown and models.verbalizer is None:
        unknown.remove("verbalizer")
    if unknown:
        missing = " and ".join(f"models.{role}.price" for role in unknown)
        raise ConfigError(
            f"limits.usd: needs the price of every model; set {missing}, in US dollars for a million tokens, such as"
            " {input: 2, output: 8}"
        )


def _at_the_vendor(settings: ModelSettings) -> bool:
    """Whether requests go to the vendor itself; other servers charge other prices for the same names."""
    address = sent_parameters(settings)["base_url"]
    return address is None or urlsplit(address).hostname == "api.openai.com"
