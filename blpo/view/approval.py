"""The question about a new prompt, and a person's answer. The answer goes to `blpo resume` in a process of its own."""

from starlette.responses import Response

from blpo.reports.differences import word_diff
from blpo.reports.evidence import dataset_samples
from blpo.reports.gallery import is_sensitive
from blpo.reports.label_source import label_source
from blpo.reports.named_pictures import run_pictures
from blpo.runs.run_record import RunRecord
from blpo.runs.run_writer import prompt_in_question
from blpo.view.calls import Call, go
from blpo.view.pages import Frame, site_page
from blpo.view.run_list import ListedRun
from nodes.approve import read_answer
from state.approval import MOST_REASON, Question
from state.errors import AnswerError


def question_page(call: Call, listed: ListedRun, record: RunRecord, question: Question) -> str:
    """Return the question as differences, with the samples behind it."""
    samples, missing = dataset_samples(record)
    changes = [*question["fixes"], *question["breaks"]]
    ids = dict.fromkeys(change["id"] for change in changes)
    return site_page(
        "question.html",
        Frame(call.site, "runs", listed),
        question=question,
        title=prompt_in_question(question),
        diff_pieces=word_diff(question["old"], question["new"]),
        pictures_by_id=run_pictures((samples[key] for key in ids if key in samples), record.settings),
        missing=missing,
        is_sensitive=is_sensitive(record.settings),
        source=label_source(record.settings),
        most_reason=MOST_REASON,
    )


def answer_question(call: Call) -> Response:
    """Check the answer and go on with the run; raises `AnswerError` for an unusable or a late answer."""
    path = call.site.run(call.path["run"])
    result = RunRecord.read(path).result
    question = result.get("question")
    if question is None or call.field("question") != question_mark(question):
        raise AnswerError(f"{path.name} does not ask this question any more; open the run again")
    decision = call.field("decision")
    fields = {"edit": ("text",), "reject": ("reason",)}.get(decision, ())
    answer = read_answer({"decision": decision, **{name: call.field(name) for name in fields}}, question)
    options = ["--approve"]
    if answer.text is not None:
        options = ["--edit", str(call.site.processes.write(f"{path.name}.edit.md", answer.text))]
    elif answer.reason is not None:
        options = [f"--reject={answer.reason}"]
    call.site.processes.begin(path.name, ["resume", str(path), *options])
    return go(Frame(call.site, run=call.site.runs.run(path)).address)


def question_mark(question: Question) -> str:
    """Return a text that tells a question from the other questions of the run."""
    return f"{question['round']} {question['prompt']}"
