"""Runs with a tracker: the record follows, and a tracker that fails costs a warning and nothing else."""

import json
import socket
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.config.settings_file import load_settings
from blpo.config.tracker_requirements import require_tracker
from blpo.runs.run_record import RunRecord
from blpo.tracking.open_tracker import failure_text, tracker_place
from blpo.tracking.sent_parts import SENT
from state.errors import ConfigError
from state.events import Event
from tests.blpo.tracking.tracked import KEY, settings
from tests.servers.langsmith_server import langsmith_server
from tests.short_runs import comparable


def warnings(events: list[Event]) -> list[str]:
    return [event["text"] for event in events if event["event"] == "warning"]


@pytest.mark.slow
async def test_an_unreachable_tracker_costs_a_warning_and_a_resume_sends_the_rest(
    dataset: Path, plain: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    monkeypatch.setenv("LANGSMITH_ENDPOINT", f"http://someone:s3cretlogin@127.0.0.1:{port}")
    monkeypatch.setenv("LANGSMITH_API_KEY", KEY)
    events: list[Event] = []
    overrides = settings(dataset, tmp_path / "run", "run.tracking=langsmith")
    tracked = await blpo.optimize(overrides=overrides, on_event=events.append, progress=False)
    sentences = warnings(events)
    assert sentences[-1] == (
        f"langsmith at http://***@127.0.0.1:{port}: no connection; the record lacks parts of the run, so send them by:"
        f" blpo resume {tmp_path / 'run'}"
    )
    result = RunRecord.read(plain).result
    assert comparable(tracked.result) == comparable(result)

    with langsmith_server() as service:
        monkeypatch.setenv("LANGSMITH_ENDPOINT", service.url)
        events.clear()
        await blpo.resume(plain, on_event=events.append, progress=False)
        assert service.requests == 0  # nothing is sent without run.tracking
        await blpo.resume(tmp_path / "run", on_event=events.append, progress=False)
        assert warnings(events) == []
        assert service.scores("test/p_value")
        assert service.attachments["report_html"] == (tmp_path / "run" / "report.html").read_bytes()
        assert service.keys == {KEY}
        requests = service.requests
        await blpo.resume(tmp_path / "run", on_event=events.append, progress=False)
        assert service.requests == requests  # the record is whole
    assert not (plain / SENT).exists()
    assert "tracking" not in json.loads((plain / "events.jsonl").read_text().splitlines()[0])
    content = b"".join(file.read_bytes() for file in (tmp_path / "run").rglob("*") if file.is_file())
    assert KEY.encode() not in content
    assert b"s3cretlogin" not in content


@pytest.mark.parametrize(
    ("name", "variables", "said"),
    [
        ("mlflow", {}, "mlflow needs the environment variable MLFLOW_TRACKING_URI, such as http://127.0.0.1:5000"),
        ("langsmith", {}, "langsmith needs the environment variable LANGSMITH_API_KEY"),
        ("mlflow", {"MLFLOW_TRACKING_URI": "http://127.0.0.1:5000"}, None),
        ("langsmith", {"LANGSMITH_API_KEY": KEY}, None),
    ],
)
def test_a_tracker_needs_its_variable(
    name: str, variables: dict[str, str], said: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("MLFLOW_TRACKING_URI", "LANGSMITH_API_KEY"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    config = load_settings({"run": {"tracking": name}})
    if said is None:
        require_tracker(config)
    else:
        with pytest.raises(ConfigError, match=said):
            require_tracker(config)


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "wandb").mkdir()  # the folder of an earlier run is no package
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    with pytest.raises(
        ConfigError, match=r"wandb needs the extra 'wandb'; install it with: pip install -e '.\[wandb\]'"
    ):
        require_tracker(load_settings({"run": {"tracking": "wandb"}}))


def test_an_unknown_tracker_is_refused_without_its_login() -> None:
    with pytest.raises(ConfigError, match=r"run.tracking: must be 'mlflow', 'wandb' or 'langsmith'"):
        load_settings({"run": {"tracking": "http://127.0.0.1"}})


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://u:pa55word@127.0.0.1:5000/x?token=abcdefgh", "mlflow at http://***@127.0.0.1:5000/x"),
        ("http://u:pa55/word@more@127.0.0.1", "mlflow at http://***@127.0.0.1"),
        ("sqlite:///runs.db", "mlflow at sqlite:///runs.db"),
        ("", "mlflow"),
    ],
)
def test_no_message_shows_a_login(address: str, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    assert tracker_place("mlflow") == said
    secrets = [part for part in ("pa55word", "pa55/word@more", "abcdefgh") if part in address]
    text = failure_text("mlflow", ValueError(f"can't use {address}, that is {' '.join(secrets[:2])}"))
    assert text.startswith("can't use ")
    assert not [secret for secret in secrets if secret in text]


def test_a_long_failure_is_a_short_line(monkeypatch: pytest.MonkeyPatch) -> None:
    error: Any = RuntimeError("a\nb" * 1000)
    assert len(failure_text("wandb", error)) <= 200
    assert failure_text("wandb", RuntimeError("(host='x'): Max retries exceeded with url: /")) == "no connection"
