"""Progress of a run, a line for every finished trial and round."""

import sys
import time
from contextlib import suppress

from blpo.runs.run_progress import Progress, follow
from blpo.runs.wording import counted, duration, metric_name, single_line
from state.events import Event, TrialEvent

_PHASES = {
    "collect_errors": "drawing a batch of errors",
    "verbalize": "describing images",
    "critique_judge": "criticising the judge prompt",
    "update_judge": "rewriting the judge prompt",
    "critique_i2t": "criticising the I2T prompt",
    "update_i2t": "rewriting the I2T prompt",
    "evaluate_test": "judging the test split",
}


class ProgressLines:
    """Handler of events: writes the progress of a run to stderr, in scripts and notebooks."""

    def __init__(self) -> None:
        self._start = time.monotonic()
        self._progress = Progress()

    def __call__(self, event: Event) -> None:
        """Take an event, and write the line of the event, if any. A closed stderr ends no run."""
        self._progress = follow(self._progress, event)
        line = progress_line(event, self._progress)
        if line and sys.stderr is not None:
            with suppress(OSError, ValueError):
                print(timed_line(time.monotonic() - self._start, line), file=sys.stderr, flush=True)


def timed_line(seconds: float, line: str) -> str:
    """Return a line of progress behind the time since the start."""
    return f"{duration(seconds):>6}  {single_line(line)}"


def trial_place(step: int, progress: Progress) -> str:
    """Return the place of a trial in its round: trials of q_0 to q_K, or description 1 to K."""
    if progress.is_pooled:
        return f"description {step + 1} of {max(progress.inner_steps, 1)}"
    return f"trial {step} of {progress.inner_steps}"


def phase_in_words(progress: Progress) -> str:
    """Return the work of the current node in words."""
    if progress.phase == "judge":
        return "judging train and validation" if progress.step is None else "judging by the trial's prompt"
    return _PHASES.get(progress.phase, progress.phase)


def _outcome(event: TrialEvent) -> str:
    if event["failure"] is not None:
        return f"failed: {event['failure']}"
    return "done" if event["score"] is None else f"score {event['score']:+.3f}"


def progress_line(event: Event, progress: Progress) -> str | None:
    """Return the line of an event; None for an event without a line."""
    match event["event"]:
        case "started":
            return f"run {event['run']}"
        case "warning":
            return f"warning: {event['text']}"
        case "judged":
            both = f", {event['labelled']:z.3f} on train and validation" if "labelled" in event else ""
            metric = metric_name(event["metric"])
            fell = f"; not adopted: {', '.join(event['fallen'])} fell" if "fallen" in event else ""
            return f"round {event['round']}: {metric} {event['validation']:z.3f} on validation{both}{fell}"
        case "errors":
            batch = f"{event['drawn']} drawn, beside {event['anchors']} right ones"
            return f"round {event['round']}: {event['wrong']} wrong verdicts, {batch}"
        case "trial":
            return f"round {event['round']}, {trial_place(event['step'], progress)}: {_outcome(event)}"
        case "replayed":
            reason = f"no checkpoints to go on from in {event['checkpoints']}"
            return f"replaying the run from its response store, at no cost ({reason})"
        case "asked_again":
            requests = counted(event["requests"], "failed request")
            return f"asking {requests} again, from the first step with a failed request"
        case "decided":
            return f"round {event['round']}: {event['prompt']} prompt, {event['decision']} by a person"
        case "phase" if event["phase"] == "evaluate_test":
            return "judging the test split"
    return None
