"""Facts of a model: vision, reasoning, temperature, tokens of an image, price.

Sources in order: the user's settings, the profile shipped with langchain-openai (`openai:` models alone), our tables by
name. A fact comes from the first source with a value. If no source has a value, a default holds, and says so.
"""

from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from blpo.models.catalogue.image_formulas import ASSUMED_FORMULA, EMBEDDED_FORMULA, ImageFormula, formula_by_name
from blpo.models.catalogue.list_prices import list_price
from blpo.models.catalogue.model_names import (
    bare_name,
    is_text_only,
    reasons_by_name,
    refuses_temperature,
    takes_single_images,
)
from blpo.models.catalogue.profiles import Profile, profile_of
from blpo.models.server_address import calls_the_vendor
from state.settings import ModelSettings, PriceSettings

_T = TypeVar("_T")

FactSource = Literal["setting", "profile", "table", "default"]

_FREE = PriceSettings(input=0, output=0)


@dataclass(frozen=True, slots=True)
class Fact(Generic[_T]):
    """A value and the source of the value."""

    value: _T
    source: FactSource


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Facts of a model under given settings."""

    sees_images: Fact[bool]
    """True if the model takes images. Default: true."""
    reasons: Fact[bool]
    """True if the model thinks before a reply; thinking is billed as output. Default: false."""
    takes_temperature: Fact[bool]
    """True if a request may carry a temperature. Default: true."""
    image_formula: Fact[ImageFormula]
    """Input tokens of an image. Default: the formula of Qwen2.5-VL."""
    price: Fact[PriceSettings | None]
    """US dollars for a million tokens. Default: None, the price is not known."""
    max_images: Fact[int | None]
    """Most images in one request. Default: None, no limit is known."""


def facts(settings: ModelSettings) -> ModelFacts:
    """Return the facts of the model of `settings`; opens no connection and builds no model."""
    if settings.name.startswith("embedded:"):
        return _embedded_facts(settings)
    profile = profile_of(bare_name(settings)) if settings.name.startswith("openai:") else Profile()
    return ModelFacts(
        _sees_images(settings, profile),
        _reasons(settings, profile),
        _takes_temperature(settings, profile),
        _image_formula(settings),
        _price(settings),
        _max_images(settings),
    )


def _embedded_facts(settings: ModelSettings) -> ModelFacts:
    return ModelFacts(
        sees_images=_fact(settings.vision, None, True, default=True),
        reasons=_fact(settings.reasoning, None, False, default=False),
        takes_temperature=Fact(False, "table"),
        image_formula=Fact(EMBEDDED_FORMULA, "table"),
        price=Fact(settings.price, "setting") if settings.price else Fact(_FREE, "table"),
        max_images=_max_images(settings),
    )


def _sees_images(settings: ModelSettings, profile: Profile) -> Fact[bool]:
    by_name = False if is_text_only(bare_name(settings)) else None
    return _fact(settings.vision, profile.sees_images, by_name, default=True)


def _reasons(settings: ModelSettings, profile: Profile) -> Fact[bool]:
    by_name = reasons_by_name(bare_name(settings)) or None
    return _fact(settings.reasoning, profile.reasons, by_name, default=False)


def _takes_temperature(settings: ModelSettings, profile: Profile) -> Fact[bool]:
    setting = None if settings.reasoning is None else not settings.reasoning
    by_profile = profile.takes_temperature
    if by_profile and profile.reasons:  # the vendor takes a temperature only if thinking is off
        by_profile = settings.reasoning_effort == "none"
    by_name = False if refuses_temperature(bare_name(settings)) else None
    return _fact(setting, by_profile, by_name, default=True)


def _image_formula(settings: ModelSettings) -> Fact[ImageFormula]:
    formula = formula_by_name(bare_name(settings))
    return Fact(formula, "table") if formula else Fact(ASSUMED_FORMULA, "default")


def _price(settings: ModelSettings) -> Fact[PriceSettings | None]:
    if settings.price is not None:
        return Fact(settings.price, "setting")
    listed = list_price(settings.name.partition(":")[2]) if calls_the_vendor(settings) else None
    return Fact(listed, "table" if listed else "default")


def _max_images(settings: ModelSettings) -> Fact[int | None]:
    most = settings.max_images if settings.max_images is not None else _engine_limit(settings)
    if most is not None:
        return Fact(most, "setting")
    return Fact(1, "table") if takes_single_images(bare_name(settings)) else Fact(None, "default")


def _engine_limit(settings: ModelSettings) -> int | None:
    """Return the images a prompt in the arguments of an engine inside the process; None without such an argument."""
    limits = settings.arguments.get("limit_mm_per_prompt")
    limit = limits.get("image") if isinstance(limits, dict) else None
    limit = limit.get("count") if isinstance(limit, dict) else limit
    return limit if isinstance(limit, int) and not isinstance(limit, bool) else None


def _fact(setting: bool | None, profile: bool | None, table: bool | None, *, default: bool) -> Fact[bool]:
    """Return the first value besides None, and the source."""
    if setting is not None:
        return Fact(setting, "setting")
    if profile is not None:
        return Fact(profile, "profile")
    return Fact(default, "default") if table is None else Fact(table, "table")
