"""Methods of the comparison, by name and in the order of tables."""

from evals.methods.all_methods import METHODS

__all__ = ["METHODS"]
