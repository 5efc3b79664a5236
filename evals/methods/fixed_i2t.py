"""Ablation (Pan et al. 2026): BLPO whose I2T prompt stays q_0, as with any fixed captioner.

A round is one trial, critique and update of the judge prompt from descriptions by q_0; the inner loop learns nothing.
"""

from evals.methods.method import Method, more_rounds, with_search
from graph.outer import builder

FIXED_I2T = Method("fixed_i2t", "fixed I2T", builder, lambda s: with_search(more_rounds(s), inner_steps=0))
