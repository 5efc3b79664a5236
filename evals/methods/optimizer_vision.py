"""What methods need that show images to the optimizer: one that sees."""

from blpo.models.catalogue import facts
from state.errors import ModelError
from state.settings import Settings


def seeing(settings: Settings) -> Settings:
    """The settings as they are; raises `ModelError` where the optimizer can't see images."""
    model = settings.models.of("optimizer")
    if not facts(model).sees_images.value:
        raise ModelError(
            f"models.optimizer: {model.name} can't see images, and this method shows it some; name a model with"
            " vision, set models.optimizer.vision: true if it has, or leave the method out"
        )
    return settings
