"""Refuse models unfit for a role, before anything is paid for."""

from blpo.models.catalogue import facts
from state.errors import ConfigError, ModelError
from state.settings import LimitSettings, ModelsSettings, Settings, counted_role

_SOURCES = {
    "setting": "by its setting",
    "profile": "by its profile in langchain-openai",
    "table": "as far as its name is known",
}


def require_vision(models: ModelsSettings) -> None:
    """Raise `ModelError` if the judge or the verbalizer can't see images, or is the embedded optimizer."""
    for role in (*models.judge_roles, "verbalizer"):
        model, kind = models.of(role), counted_role(role)
        if model.name == "embedded:optimizer":
            raise ModelError(f"models.{role}: embedded:optimizer is no {kind}; name embedded:{kind}")
        vision = facts(model).sees_images
        if not vision.value:
            raise ModelError(
                f"models.{role}: {model.name} can't see images ({_SOURCES[vision.source]}), and a {kind} must; name a"
                f" model with vision, or set models.{role}.vision: true if it has"
            )


def limits_images(settings: Settings) -> bool:
    """Return True if the judge or the verbalizer has a limit on the images in a request."""
    models = settings.models
    return any(facts(models.of(role)).max_images.value is not None for role in (*models.judge_roles, "verbalizer"))


def require_images(settings: Settings, most_images: int = 0) -> None:
    """Raise `ModelError` if the judge or the verbalizer takes fewer images a request than a sample has.

    `most_images` is the largest number of images of a sample in the dataset, where settings can't tell.
    """
    for role in (*settings.models.judge_roles, "verbalizer"):
        model, images = settings.models.of(role), settings.images_of(role, most_images)
        most = facts(model).max_images
        if most.value is not None and most.value < images:
            raise ModelError(
                f"models.{role}: {model.name} takes {most.value} image{'s' if most.value > 1 else ''} a request"
                f" ({_SOURCES[most.source]}), and a sample has {images}; name a model that takes several images, or"
                f" set models.{role}.max_images if it does"
            )


def require_labels_for_scores(models: ModelsSettings) -> None:
    """Raise `ConfigError` if the optimizer is to give log-probabilities: only verdicts have labels to score."""
    if models.optimizer is not None and models.optimizer.logprobs:
        raise ConfigError(
            "models.optimizer.logprobs: gives the probabilities of labels, and the optimizer writes no labels; take"
            " logprobs out of models.optimizer, or set models.judge.logprobs"
        )


def require_prices(models: ModelsSettings, limits: LimitSettings) -> None:
    """Raise `ConfigError` if a budget in dollars meets a model of unknown price."""
    if limits.usd is None:
        return
    unpriced = [role for role in models.roles if facts(models.of(role)).price.value is None]
    if models.judge_roles[0] in unpriced and "verbalizer" in unpriced and models.verbalizer is None:
        unpriced.remove("verbalizer")
    if unpriced:
        missing = " and ".join(f"models.{role}.price" for role in unpriced)
        raise ConfigError(
            f"limits.usd: needs the price of every model; set {missing}, in US dollars for a million tokens, such as"
            " {input: 2, output: 8}"
        )
