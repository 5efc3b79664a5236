"""Requirement of methods that show images to the optimizer: an optimizer with vision."""

from blpo.models.catalogue import facts
from state.errors import ModelError
from state.settings import Settings


def require_sight(settings: Settings) -> None:
    """Raise `ModelError` for an optimizer that can't see images."""
    model = settings.models.of("optimizer")
    if not facts(model).sees_images.value:
        raise ModelError(
            f"models.optimizer: {model.name} can't see images, and this method shows it images; name a model"
            " with vision, set models.optimizer.vision: true if the model has vision, or leave the method out"
        )
