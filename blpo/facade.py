"""Align a frozen multimodal judge with people's labels.

    result = await blpo.optimize("config.yaml")
    judge = blpo.load_judge("runs/mine")  # or any judge.yaml
    verdicts = await judge(["a.png", "b.png"])

`optimize` runs the graph of `graph.outer` with checkpoints, writes the run directory, and returns the content of
result.json; `resume` goes on with a run that was stopped or killed, and `fork` begins a new one at a past round. Each
makes report.html at its end, also of a run that failed; `report` makes it again.
"""

from blpo.deployment.judge import Judge, load_judge
from blpo.deployment.judge_set import judge_set
from blpo.deployment.summary import Summary
from blpo.deployment.table_input import InputColumns
from blpo.reports.at_the_end import with_report
from blpo.reports.disagreements import Disagreement, disagreements
from blpo.reports.relabelling import correct
from blpo.reports.run_page import write_report as report
from blpo.runs import fork as forks
from blpo.runs import lifecycle
from blpo.runs.drive import OnEvent
from blpo.runs.lifecycle import Config

__all__ = [
    "Config",
    "Disagreement",
    "InputColumns",
    "Judge",
    "OnEvent",
    "Summary",
    "correct",
    "disagreements",
    "fork",
    "judge_set",
    "load_judge",
    "optimize",
    "report",
    "resume",
]

optimize = with_report(lifecycle.optimize)
resume = with_report(lifecycle.resume)
fork = with_report(forks.fork)
