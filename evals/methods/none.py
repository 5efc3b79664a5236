"""No optimization, the start of every other method: all splits are judged once by p_0, and nothing is proposed."""

from evals.methods.method import Method
from graph.outer import builder

NO_OPTIMIZATION = Method(
    "none",
    "no optimization",
    builder,
    defining=lambda settings: {"outer_rounds": 0},
    rule=lambda settings: "",
    learns_several_tasks=True,
)
