"""No optimization, the start of every other method: all splits are judged once by p_0, and nothing is proposed."""

from evals.methods.method import Method, with_search
from graph.outer import builder

NO_OPTIMIZATION = Method("none", "no optimization", builder, lambda settings: with_search(settings, outer_rounds=0))
