"""The record of a run on a tracker that speaks LangSmith's protocol: whole, sent once, and found again."""

import json
import shutil
from pathlib import Path

import pytest

from blpo.runs.run_info import read_info
from blpo.tracking.langsmith_tracker import LangsmithTracker
from blpo.tracking.run_sender import RunSender
from blpo.tracking.sent_parts import SENT, SentParts, read_sent
from state.run_lineage import Fork
from tests.blpo.tracking.tracked import KEY
from tests.servers.langsmith_server import LangsmithServer

METRIC = "validation/quadratic_kappa"


def sender(run: Path, group: str = "") -> RunSender:
    return RunSender(run, "langsmith", LangsmithTracker, group=group)


def test_a_record_holds_parameters_metrics_spending_prompts_and_report(run: Path, service: LangsmithServer) -> None:
    sender(run, group="a comparison").finish()
    result = json.loads((run / "result.json").read_text())
    root = service.runs[read_info(run).thread_id]
    assert root["inputs"]["search.outer_rounds"] == "1"
    assert not [name for name in root["inputs"] if name.startswith("run.")]
    assert root["extra"]["metadata"]["group"] == "a comparison"
    assert root["outputs"]["blpo.status"] == "complete"
    assert root["outputs"]["spend/calls"] == sum(usage["issued"] for usage in result["calls"].values())
    values = {f"round {t}": each["validation"]["strict"]["quadratic_kappa"] for t, each in enumerate(result["rounds"])}
    assert service.scores(METRIC) == pytest.approx(values, abs=1e-4)  # the service keeps four places
    assert service.scores("labelled/coverage").keys() == values.keys()
    assert len(service.scores("trial/failed")) == sum(len(each["trials"]) for each in result["rounds"])
    assert service.scores("test/p_value") == {"run": pytest.approx(result["test"]["p_value"], abs=1e-4)}
    for name in ("rounds/00/judge.md", "rounds/01/i2t.md", "report.html", "result.json", "judge.yaml", "config.yaml"):
        content = service.attachments[name.replace("/", "-").replace(".", "_")]
        assert content == (run / name).read_bytes()
    assert service.keys == {KEY}
    before = (len(service.runs), len(service.feedback), service.requests)
    sender(run).finish()
    assert (len(service.runs), len(service.feedback)) == before[:2]
    assert service.requests <= before[2] + 3  # project, trace, end


@pytest.mark.slow
@pytest.mark.parametrize("taken", [1, 40])
def test_parts_after_a_failure_are_sent_by_the_next_sender(
    run: Path, service: LangsmithServer, taken: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = service.take

    def failing(path: str, kind: str, body: bytes) -> tuple[int, object]:
        return take(path, kind, body) if service.requests <= taken else (500, {"detail": "broken"})

    monkeypatch.setattr(service, "take", failing)
    with pytest.raises(Exception, match=r"500|broken"):
        sender(run).finish()
    monkeypatch.setattr(service, "take", take)
    sender(run).finish()
    feedback, attachments = set(service.feedback), dict(service.attachments)
    (run / SENT).unlink()  # as if nothing had been sent
    sender(run).finish()
    assert service.feedback.keys() == feedback
    assert service.attachments == attachments
    assert service.scores(METRIC).keys() == {"round 0", "round 1"}


def test_a_run_at_work_sends_rounds_before_the_end(run: Path, service: LangsmithServer) -> None:
    (run / "result.json").rename(run / "later.json")
    sending = sender(run)
    sending.send()
    assert service.scores(METRIC).keys() == {"round 0", "round 1"}
    assert "rounds-01-judge_md" in service.attachments
    assert not service.scores("test/p_value")
    (run / "later.json").rename(run / "result.json")
    sending.finish()
    assert service.scores("test/p_value")


def test_a_copy_begins_a_record_of_its_own_and_a_fork_names_its_parent(
    run: Path, service: LangsmithServer, tmp_path: Path
) -> None:
    sender(run).finish()
    parent, copy, thread = read_info(run), tmp_path / "copy", "11111111-2222-4333-8444-555555555555"
    shutil.copytree(run, copy)
    fork = Fork(run=str(run), thread_id=parent.thread_id, round=1, changed=[])
    content = json.loads((copy / "run.json").read_text())
    (copy / "run.json").write_text(json.dumps({**content, "thread_id": thread, "lineage": {"fork": fork}}))
    sender(copy).finish()
    origin = {"thread": parent.thread_id, "run": "run", "round": 1, "record": parent.thread_id}
    assert service.runs[thread]["extra"]["metadata"]["parent"] == origin
    assert len([each for each in service.runs.values() if each["name"] == "round 0"]) == 2


def test_a_damaged_list_of_sent_parts_counts_as_none(run: Path) -> None:
    (run / SENT).write_text('{"tracker": "langsmith", "thread": "t"}')
    assert read_sent(run, "langsmith", "t") == SentParts("langsmith", "t")
    assert read_sent(run, "mlflow", "t") == SentParts("mlflow", "t")
    (run / SENT).write_text("{")
    assert read_sent(run, "langsmith", "t") == SentParts("langsmith", "t")
