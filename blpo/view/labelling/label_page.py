"""One sample at a time, keyboard first: the page, and the answers. Without script every key is a button."""

from dataclasses import dataclass
from urllib.parse import urlencode

from starlette.responses import Response

from blpo.runs.answer_words import answer_words
from blpo.view.calls import BadForm, Call, go
from blpo.view.labelling.answer_log import RaterAnswers, rater_name
from blpo.view.labelling.label_set import LabelSet, task_titles
from blpo.view.pages import Frame, site_page
from state.errors import DataError
from state.sample import Label, Sample

VERDICTS = {"after": "after my answer", "never": "never", "before": "at once"}
"""Settings of the judge's verdict, in words."""


@dataclass(frozen=True)
class Work:
    """A rater's pass over the samples of a part."""

    rater: str
    part: str
    verdict: str
    """A key of `VERDICTS`."""
    order: tuple[str, ...]
    answers: RaterAnswers

    @property
    def done(self) -> int:
        """Number of answered samples of the part."""
        return sum(name in self.answers.labels for name in self.order)

    @property
    def query(self) -> dict[str, str]:
        """Settings of the pass, as a query."""
        return {"rater": self.rater, "of": self.part, "verdict": self.verdict}

    def after(self, name: str) -> str:
        """Return the next sample without an answer after `name`, round the end; empty if all have one."""
        start = self.order.index(name) + 1 if name in self.order else 0
        rest = [*self.order[start:], *self.order[:start]]
        return next((each for each in rest if each not in self.answers.labels and each != name), "")


def work_of(call: Call, labels: LabelSet) -> Work:
    """Return the pass that a request is about; raises `DataError` without a rater's name, `RunError` for no part."""
    value_of = call.field if call.form else call.asked
    rater = rater_name(value_of("rater"))
    verdict = value_of("verdict", "after")
    part = value_of("of", next(iter(labels.orders)))
    order = labels.order(part)
    return Work(rater, part, verdict if verdict in VERDICTS else "after", order, labels.log.of(rater))


def label_page(frame: Frame, labels: LabelSet, work: Work, name: str) -> str:
    """Return the page of the sample `name`, or of the first without an answer."""
    if not work.order:
        raise DataError("there is nothing to label here; choose another part")
    name = name if name in work.order else work.after("")
    sample = labels.samples[name] if name else None
    last = next((each for each in reversed(work.answers.history) if each in labels.samples), "")
    return site_page(
        "label.html",
        frame,
        labels=labels,
        work=work,
        sample=sample,
        place=work.order.index(name) + 1 if name else 0,
        own=work.answers.labels.get(name),
        is_flagged=name in work.answers.flags,
        keys=labels.keys(sample) if sample else [],
        title=task_titles(labels.settings).get(sample.task, "") if sample else "",
        images=labels.image_names(sample) if sample else [],
        texts=labels.texts(sample) if sample else [],
        verdict_now=_verdict(labels, name) if work.verdict == "before" else None,
        last=_last(labels, work, last) if last else None,
        next_name=work.after(name) if name else "",
        earlier=_neighbour(work, name, -1),
        later=_neighbour(work, name, 1),
        address=lambda other: f"{labels.address}/label?{urlencode({**work.query, 'id': other})}",
        image_address=lambda other, index: f"{labels.address}/image?{urlencode({'id': other, 'place': index})}",
        saving=f"{labels.address}/labels",
    )


def answer(call: Call, labels: LabelSet, work: Work) -> Response:
    """Write an answer, an undo or a flag, and go to the next sample; raises `BadForm` for anything else."""
    name, action = call.field("id"), call.field("do")
    sample = labels.samples.get(name)
    if action == "undo":
        if work.answers.history:
            labels.log.undo(work.rater)
            name = work.answers.history[-1]
        return go(f"{labels.address}/label", **work.query, id=name)
    if sample is None or name not in work.order:
        raise BadForm("this sample is not among those to label; open the page again")
    if action == "flag":
        labels.log.flag(work.rater, name, name not in work.answers.flags)
        return go(f"{labels.address}/label", **work.query, id=name)
    labels.log.label(work.rater, name, _label(labels, sample, call.field("label")))
    following = work.after(name)
    return go(f"{labels.address}/label", **work.query, **({"id": following} if following else {}))


def _label(labels: LabelSet, sample: Sample, text: str) -> Label:
    values = {str(value): value for value in labels.task(sample).values}
    if text not in values:
        raise BadForm(f"{text!r} is no label of the task")
    return values[text]


def _neighbour(work: Work, name: str, step: int) -> str:
    place = work.order.index(name) + step if name in work.order else -1
    return work.order[place] if 0 <= place < len(work.order) else ""


def _verdict(labels: LabelSet, name: str) -> tuple[str, str] | None:
    """Return the judge's answer in words, and its reason."""
    row = labels.verdicts.get(name)
    return (answer_words(row), row.reason) if row else None


def _last(labels: LabelSet, work: Work, name: str) -> dict[str, object]:
    """Return the last answer, with the judge's verdict unless the rater never wants to see one."""
    verdict = None if work.verdict == "never" else _verdict(labels, name)
    return {"name": name, "label": work.answers.labels.get(name), "verdict": verdict}
