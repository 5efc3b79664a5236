"""BLPO (Pan et al. 2026): our search unchanged, the yardstick of the comparison.

A round learns the most helpful I2T prompt for the judge prompt's update; see `graph.outer`.
"""

from evals.methods.method import Method
from graph.outer import builder

BLPO_METHOD = Method("blpo", "BLPO", builder, learns_several_tasks=True)
