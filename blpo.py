"""Align a frozen multimodal judge with people's labels.

    result = await blpo.optimize("config.yaml")
    judge = blpo.load_judge("runs/mine")  # or any judge.yaml
    verdicts = await judge(["a.png", "b.png"])

`optimize` runs the graph of `graph.outer` with checkpoints, writes the run directory, and returns the content of
result.json; `resume` goes on with a run that was stopped or killed.
"""

from driver.drive import OnEvent
from driver.fork import fork
from driver.runs import Config, optimize, resume
from reports.judge import Judge, load_judge

__all__ = ["Config", "Judge", "OnEvent", "fork", "load_judge", "optimize", "resume"]
