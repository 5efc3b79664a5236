"""A run for each of several tasks, beside one run for all tasks: BLPO's search, with a judge prompt for each task.

The runs have the samples, the splits, the frame and the first prompt of the run for all tasks, and share one budget in
equal parts.
"""

from evals.methods.method import Method
from graph.outer import builder

SEPARATE_RUNS = Method(
    "separate_runs",
    "BLPO, a run a task",
    builder,
    learns_several_tasks=True,
    runs_each_task=True,
)
