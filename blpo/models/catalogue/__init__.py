"""Facts of models, with the source of every fact: call `facts`."""

from blpo.models.catalogue.image_formulas import ImageFormula
from blpo.models.catalogue.list_prices import AS_OF, LIST_PRICES
from blpo.models.catalogue.model_facts import Fact, ModelFacts, facts

__all__ = ["AS_OF", "LIST_PRICES", "Fact", "ImageFormula", "ModelFacts", "facts"]
