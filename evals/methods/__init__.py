"""Methods of the comparison, by name and in the order of tables."""

from evals.methods.all_methods import METHODS, installed_methods

__all__ = ["METHODS", "installed_methods"]
