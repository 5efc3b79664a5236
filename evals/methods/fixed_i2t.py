"""Ablation (Pan et al. 2026): BLPO with the fixed I2T prompt q_0, like a fixed captioner.

A round is one trial: critique and update of the judge prompt from descriptions by q_0. The inner loop learns nothing.
"""

from evals.methods.method import IMPROVING, Method, rounds_for_the_budget
from graph.outer import builder

FIXED_I2T = Method(
    "fixed_i2t",
    "fixed I2T",
    builder,
    own=lambda settings: {**IMPROVING, "error_batch": 20, "anchors": 20},
    defining=lambda settings: {**rounds_for_the_budget(settings), "inner_steps": 0},
)
