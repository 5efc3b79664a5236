"""List prices of the vendor behind `openai:`: standard processing, no discounts (cached input, batches), no surcharges.

The setting `models.ROLE.price` overrides a list price.
"""

from blpo.models.catalogue.profiles import undated
from state.settings import PriceSettings

AS_OF = "March 2026"
"""Date of the list prices."""

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
"""US dollars for a million input tokens and a million output tokens."""
LIST_PRICES = {name: PriceSettings(input=into, output=out) for name, (into, out) in _USD_PER_MILLION.items()}
"""List prices by model name, of the date `AS_OF`."""


def list_price(name: str) -> PriceSettings | None:
    """Return the list price of a vendor's model; a dated version costs as much as the model. None: not listed."""
    return LIST_PRICES.get(name) or LIST_PRICES.get(undated(name))
