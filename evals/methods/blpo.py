"""BLPO (Pan et al. 2026): our search as it is, the yardstick of the others.

In each round the I2T prompt is learned that lets the judge prompt's update help most; see `graph.outer`.
"""

from evals.methods.method import Method
from graph.outer import builder

BLPO = Method("blpo", "BLPO", builder)
