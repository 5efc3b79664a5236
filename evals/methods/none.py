"""No optimization: p_0 is judged on all splits once, and nothing is proposed. What every other method starts from."""

from evals.methods.method import Method, with_search
from graph.outer import builder

NONE = Method("none", "no optimization", builder, lambda settings: with_search(settings, outer_rounds=0))
