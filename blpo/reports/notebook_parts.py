"""Parts of a run for notebooks: prompt differences in colour, the curve of validation, images of disagreements."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from blpo.data.run_dataset import dataset_of
from blpo.reports.charts import validation_chart
from blpo.reports.differences import word_diff
from blpo.reports.disagreements import Disagreement
from blpo.reports.gallery import is_sensitive
from blpo.reports.label_source import label_source
from blpo.reports.named_pictures import run_pictures
from blpo.reports.page import render_part
from blpo.runs.run_record import RunRecord
from blpo.runs.wording import counted, plain, single_line
from state.errors import RunError
from state.round_result import RoundResult

_SIDE = 160
"""Longer side of a picture, in pixels."""


@dataclass(frozen=True, slots=True, repr=False)
class NotebookPart:
    """A part of a run. A notebook shows HTML, a terminal text."""

    html: str
    text: str

    def __repr__(self) -> str:
        """Return the text."""
        return self.text

    def _repr_html_(self) -> str:
        return self.html


def prompt_changes(run: RunRecord, prompt: Literal["judge", "i2t"]) -> NotebookPart:
    """Return the changes from the first to the selected prompt; raises `RunError` for a run without a judged round."""
    rounds = _rounds(run)
    key: Literal["judge_prompt", "i2t_prompt"] = "judge_prompt" if prompt == "judge" else "i2t_prompt"
    pieces = word_diff(rounds[0][key], rounds[run.result["best_round"]][key])
    marks = {"same": "{}", "added": "[+{}+]", "removed": "[-{}-]"}
    text = "".join(marks[piece.kind].format(piece.text) for piece in pieces)
    return NotebookPart(render_part("notebook_diff.html", pieces=pieces), plain(text).rstrip())


def validation_curve(run: RunRecord) -> NotebookPart:
    """Return the metric on validation by round; raises `RunError` for a run without a judged round."""
    _rounds(run)
    chart = validation_chart([("validation", run)])
    if chart is None:
        raise RunError(f"{run.directory}: the metric is undefined in every round")
    return NotebookPart(render_part("notebook_chart.html", chart=chart), "\n".join([chart.title, *chart.values]))


def images_of(run: RunRecord, disagreements: Sequence[Disagreement], blur: bool | None) -> NotebookPart:
    """Return the images of disagreements; raises `DataError` if the dataset of the run can't be read.

    `blur` blurs the images; None: if the labels suggest unsafe images.
    """
    samples = dataset_of(run.settings).by_id
    source = label_source(run.settings)
    chosen = (samples[each.id] for each in disagreements if each.id in samples)
    pictures = run_pictures(chosen, run.settings, _SIDE)
    html = render_part(
        "notebook_images.html",
        items=[(each, pictures.get(each.id, ())) for each in disagreements],
        source=source,
        is_blurred=is_sensitive(run.settings) if blur is None else blur,
    )
    lines = [
        single_line(f"{each.id} ({each.split}): {source.short} {each.label}, judge {each.answer}")
        for each in disagreements
    ]
    return NotebookPart(html, "\n".join([counted(len(lines), "disagreement"), *lines]))


def _rounds(run: RunRecord) -> Sequence[RoundResult]:
    if not run.result["rounds"]:
        raise RunError(f"{run.directory} has no judged round yet; go on with it: blpo resume {run.directory}")
    return run.result["rounds"]
