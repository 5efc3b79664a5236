"""Ablation of our own: BLPO's pooled round with random I2T prompts. The comparison separates pooling from asking.

A round gathers descriptions by K I2T prompts and makes one update from all of them, as BLPO does. The optimizer writes
every I2T prompt from nothing, without q_0, history or critique, as in `random_i2t`.
"""

from evals.methods.method import Method, pooled
from evals.methods.random_i2t import draw_i2t
from graph.inner import inner_loop
from graph.outer import after_approve, after_search_i2t, outer_loop
from nodes.approve import approve
from nodes.critique_judge import critique_judge
from nodes.update_judge import update_judge

RANDOM_I2T_POOLED = Method(
    "random_i2t_pooled",
    "random I2T, pooled",
    outer_loop(
        {
            "search_i2t": inner_loop({"draw_i2t": draw_i2t}, start="draw_i2t"),
            "critique_judge": critique_judge,
            "update_judge": update_judge,
            "approve": approve,
        },
        routes={"search_i2t": after_search_i2t, "approve": after_approve},
    ),
    own=pooled,
)
