"""How samples, trials and labels are put into words for the optimizer. All of it is data between delimiters."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blpo.prompts.template import element, neutralise
from state.loops import Trial
from state.sample import Sample
from state.settings import TaskSettings
from state.verdict import Description, Verdict


def labels_in_words(task: TaskSettings) -> str:
    """Say what a label is. A category that could be taken for two, or for part of the sentence, stands in quotes."""
    if task.kind == "ordinal":
        return f"integers from {task.min} (lowest) to {task.max} (highest)"
    return ", ".join(map(_label_in_words, task.labels))


def _label_in_words(label: str) -> str:
    plain = label == " ".join(label.split()) and "," not in label and '"' not in label
    return neutralise(label if plain else json.dumps(label, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Case:
    """One judged sample, as the optimizer is shown it."""

    sample: Sample
    verdict: Verdict
    """Under the judge prompt that is being improved."""
    description: Description | None
    """None where the optimizer is shown none."""
    after: Verdict | None = None
    """Under a trial's judge prompt; None where there is none."""
    images: tuple[int, ...] = ()
    """Numbers, from 1, of its images in the same message."""
    feedback: str | None = None
    """What the optimizer said of this case alone."""

    @property
    def right(self) -> bool:
        """Whether the verdict is the label that people gave."""
        return self.verdict.label == self.sample.label


def cases(rows: Iterable[Case]) -> str:
    """All cases, one after the other; `(none)` for no case."""
    return "\n".join(map(_case, rows)) or "(none)"


def history(trials: Sequence[Trial]) -> str:
    """H in words: each q tried with its score, oldest first."""
    return "\n".join(map(_tried, trials)) or "(nothing yet)"


def trial_cases(heading: str, trial: Trial, rows: Iterable[Case]) -> str:
    """One trial with its I2T prompt, the judge prompt it led to, its score and its cases."""
    led_to = element("judge_prompt", trial["judge_prompt"] or "(none)")
    return "\n".join((f"<trial>\n{heading}", _tried(trial), led_to, cases(rows), "</trial>"))


def objections(reasons: Sequence[str]) -> str:
    """Why people rejected earlier prompts, to stand behind a line; empty where nobody did."""
    if not reasons:
        return ""
    listed = "\n".join(element("objection", reason) for reason in reasons)
    told = (
        "People rejected earlier proposals for these reasons. The next one must meet them, so repeat what they ask for:"
    )
    return f"\n\n{told}\n<objections>\n{listed}\n</objections>"


def _case(row: Case) -> str:
    parts = [element("human", str(row.sample.label)), element("judge", _answer(row.verdict))]
    if row.after is not None:
        parts.append(element("judge_after", _answer(row.after)))
    if row.verdict.reason:
        parts.append(element("judge_reason", row.verdict.reason))
    if row.sample.text:
        parts.append(element("text", row.sample.text))
    if row.images:
        parts.append(element("images", ", ".join(map(str, row.images))))
    if row.description is not None:
        described = row.description.status == "ok"
        parts.append(element("description", row.description.text if described else f"(none: {row.description.status})"))
    if row.feedback is not None:
        parts.append(element("feedback", row.feedback))
    return "<case>\n" + "\n".join(parts) + "\n</case>"


def _answer(verdict: Verdict) -> str:
    return str(verdict.label) if verdict.status == "ok" else f"({verdict.status})"


def _tried(trial: Trial) -> str:
    score = f"failed: {trial['failure']}" if trial["score"] is None else f"{trial['score']:+.3f}"
    return f"<tried>\n{element('i2t_prompt', trial['i2t_prompt'] or '(none)')}\n{element('score', score)}\n</tried>"
