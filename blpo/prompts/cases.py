"""Samples, trials and labels in words, for the optimizer. All of the words are data between delimiters."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from blpo.prompts.delimiters import element, neutralise, pair_element, reference_element, task_element
from blpo.prompts.pair_words import PLACES, pair_answer, pair_label
from state.loops import Trial
from state.ranking import agrees
from state.sample import Sample
from state.settings import Settings, TaskEntry, TaskSettings
from state.verdict import Description, Verdict


def labels_in_words(task: TaskSettings) -> str:
    """List the labels of the task. Ambiguous categories (with a comma, quote or line break) stand in quotes."""
    if task.kind == "ordinal":
        meaning = f"\n{_word_note(task)}" if task.scale else ""
        return f"integers from {task.min} (lowest) to {task.max} (highest){meaning}"
    if task.kind == "pairwise":
        return f"{', '.join(PLACES[value] for value in task.values)}\n{_pair_note(task)}"
    if task.kind == "ranking":
        return _RANKING_NOTE
    return ", ".join(map(_label_in_words, task.labels))


def labels_of(settings: Settings) -> str:
    """List the labels of a run for the optimizer: of its task, or task by task."""
    if not settings.task_names:
        return labels_in_words(settings.task)
    lines = "\n".join(_task_in_words(entry) for entry in settings.entries)
    return f"{_TASKS_NOTE}\n{lines}\n{_PARTS_NOTE}"


_TASKS_NOTE = "those of several tasks under one judge prompt. The judge is told the task at hand and its labels:"
_PARTS_NOTE = (
    "Each case names its task. A line of the judge prompt that begins with ## names the task that the text below it is"
    " for. Keep these lines, and write what is for one task alone below its line."
)


def _task_in_words(entry: TaskEntry) -> str:
    labels, *notes = labels_in_words(entry.task).split("\n")
    about = [f"It decides: {neutralise(entry.about)}"] if entry.about else []
    return "\n  ".join((f'- "{entry.name}": {labels}', *about, *notes))


def category_names(settings: Settings) -> list[str]:
    """Return the names of all categories of a run, of all its tasks."""
    tasks = [entry.task for entry in settings.entries] or [settings.task]
    return [label for task in tasks for label in task.labels]


_RANKING_NOTE = (
    "rankings of the images of an item, best first: 2>1=3 says that image 2 is the best, and that images 1 and 3 are"
    " equal. The numbers are the places of the images in the item, and have no meaning."
)


def words_of_scale(task: TaskSettings) -> str:
    """Return the words of a scale: `1 is poor, 5 is good`."""
    return neutralise(", ".join(f"{rating} is {word}" for rating, word in task.scale))


def _word_note(task: TaskSettings) -> str:
    note = f"The ratings have words, which the judge is told: {words_of_scale(task)}."
    return note if task.answer == "number" else f"{note} The judge answers the word."


def _pair_note(task: TaskSettings) -> str:
    note = f"An item is a pair, and its label names the better one of the pair{', or a tie' if task.ties else ''}."
    if task.order != "both":
        return note
    return f"{note} The judge sees every pair in both orders. An answer that changes with the order is wrong."


def _label_in_words(label: str) -> str:
    plain = label == " ".join(label.split()) and "," not in label and '"' not in label
    return neutralise(label if plain else json.dumps(label, ensure_ascii=False))


@dataclass(frozen=True, slots=True)
class Case:
    """Judged sample in a message to the optimizer."""

    sample: Sample
    verdict: Verdict
    """Verdict under the current judge prompt."""
    descriptions: tuple[Description, ...] = ()
    """Descriptions by one or more I2T prompts; empty if the message holds no descriptions."""
    after: Verdict | None = None
    """Verdict under a trial's judge prompt; None outside trials."""
    images: tuple[int, ...] = ()
    """Numbers, from 1, of the sample's images in the same message."""
    feedback: str | None = None
    """Optimizer's feedback on this case alone."""

    @property
    def right(self) -> bool:
        """True if the verdict is the human label; for a pair, in all orders; for a ranking, no two images reversed."""
        return agrees(self.verdict.label, self.sample.label)


def cases(rows: Iterable[Case]) -> str:
    """Return all cases in words, in order; `(none)` for no case."""
    return "\n".join(map(_case, rows)) or "(none)"


def history(trials: Sequence[Trial]) -> str:
    """Return H in words: the trials with q, and with the score unless the trials are pooled, oldest first."""
    return "\n".join(map(_trial, trials)) or "(nothing yet)"


def trial_cases(heading: str, trial: Trial, rows: Iterable[Case]) -> str:
    """Return a trial in words: I2T prompt, score, trial judge prompt and cases."""
    judge_prompt = element("judge_prompt", trial["judge_prompt"] or "(none)")
    return "\n".join((f"<trial>\n{heading}", _trial(trial), judge_prompt, cases(rows), "</trial>"))


def objections(reasons: Sequence[str]) -> str:
    """Return the reasons of people who rejected earlier prompts, to follow a line; empty without reasons."""
    if not reasons:
        return ""
    elements = "\n".join(element("objection", reason) for reason in reasons)
    heading = (
        "People rejected earlier proposals for these reasons. The next one must meet them, so repeat what they ask for:"
    )
    return f"\n\n{heading}\n<objections>\n{elements}\n</objections>"


def _case(row: Case) -> str:
    parts = [task_element(row.sample.task)] if row.sample.task else []
    parts += [element("human", _label(row)), element("judge", _answer(row.verdict, row.sample))]
    if row.after is not None:
        parts.append(element("judge_after", _answer(row.after, row.sample)))
    if row.verdict.reason:
        parts.append(element("judge_reason", row.verdict.reason))
    if row.sample.text:
        parts.append(element("text", row.sample.text))
    for tag, text in zip(("first", "second"), row.sample.texts or (), strict=False):
        parts.append(pair_element(tag, text))
    if row.sample.reference_text:
        parts.append(reference_element(row.sample.reference_text))
    if row.images:
        parts.append(element("images", ", ".join(map(str, row.images))))
    for description in row.descriptions:
        text = description.text if description.status == "ok" else f"(none: {description.status})"
        parts.append(element("description", text))
    if row.feedback is not None:
        parts.append(element("feedback", row.feedback))
    return "<case>\n" + "\n".join(parts) + "\n</case>"


def _label(row: Case) -> str:
    return pair_label(row.sample.label) if row.verdict.orders else str(row.sample.label)


def _answer(verdict: Verdict, sample: Sample) -> str:
    if verdict.orders:
        return pair_answer(verdict, sample)
    return str(verdict.label) if verdict.status == "ok" else f"({verdict.status})"


def _trial(trial: Trial) -> str:
    lines = [element("i2t_prompt", trial["i2t_prompt"] or "(none)")]
    if trial["score"] is not None:
        lines.append(element("score", f"{trial['score']:+.3f}"))
    elif trial["failure"] is not None:
        lines.append(element("score", f"failed: {trial['failure']}"))
    return "\n".join(("<tried>", *lines, "</tried>"))
