"""Labelling of a run's samples: choice, pages, images, and saving as corrections or ratings."""

from starlette.responses import Response

from blpo.runs.run_record import RunRecord
from blpo.view.calls import Call
from blpo.view.labelling.label_page import VERDICTS, answer, label_page, work_of
from blpo.view.labelling.label_set import LabelSet
from blpo.view.labelling.label_sets import LabelSets
from blpo.view.labelling.outcome import agreed, save_corrections, save_ratings
from blpo.view.pages import Frame, site_page

_SETS = LabelSets()
"""Samples of the runs that were opened last."""


def run_label_page(call: Call) -> str:
    """Return the page of a sample, or the choice of rater and part."""
    frame, _, labels = _open(call, call.site.patience)
    if "rater" not in call.query:
        return site_page(
            "label_choice.html",
            frame,
            labels=labels,
            parts=list(labels.orders),
            verdicts=VERDICTS,
            raters=[each.rater for each in labels.log.raters],
        )
    return label_page(frame, labels, work_of(call, labels), call.asked("id"))


def run_label(call: Call) -> Response:
    """Write an answer."""
    _, _, labels = _open(call)
    return answer(call, labels, work_of(call, labels))


def run_image(call: Call) -> Response:
    """Return an image of a sample, upright and without metadata."""
    _, _, labels = _open(call)
    return image_response(call, labels)


def image_response(call: Call, labels: LabelSet) -> Response:
    """Return the image that a request names."""
    data, kind = labels.image(call.asked("id"), call.number("place"))
    return Response(data, media_type=kind, headers={"Cache-Control": "private, max-age=600"})


def run_labels_page(call: Call) -> str:
    """Return the answers by rater, and the ways to save them."""
    frame, _, labels = _open(call, call.site.patience)
    return labels_page(frame, labels)


def labels_page(frame: Frame, labels: LabelSet, **saved: object) -> str:
    """Return the answers by rater; `saved` tells the files that were just written."""
    raters = [each for each in labels.log.raters if each.labels or each.flags]
    outcome = agreed(raters, labels.samples)
    changes = [name for name, label in outcome.labels.items() if label != labels.samples[name].label]
    return site_page(
        "labels.html",
        frame,
        labels=labels,
        raters=raters,
        outcome=outcome,
        changed=len(changes),
        flags=sorted({name for each in raters for name in each.flags}),
        is_run=frame.run is not None,
        has_tasks=bool(labels.settings.task_names),
        **{"corrections": None, "files": [], "written": None, **saved},
    )


def save_run_corrections(call: Call) -> str:
    """Write the next version of the labels."""
    frame, record, labels = _open(call)
    return labels_page(frame, labels, corrections=save_corrections(record.directory, labels))


def save_run_ratings(call: Call) -> str:
    """Write the ratings."""
    frame, _, labels = _open(call)
    return labels_page(frame, labels, files=save_ratings(labels))


def _open(call: Call, patience: float | None = None) -> tuple[Frame, RunRecord, LabelSet]:
    path = call.site.run(call.path["run"])
    frame = Frame(call.site, "runs", call.site.runs.run(path), "label")
    record, labels = _SETS.of_run(path, frame.address, patience)
    return frame, record, labels
