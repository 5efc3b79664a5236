"""A run in Weights & Biases' own format, written without a network and read by its own reader."""

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import blpo
from blpo.tracking.sent_parts import SENT

_BLOCK = 32768


def history(run: Path) -> list[dict[str, Any]]:
    """Return the rows of the local files that `wandb sync` would send."""
    from wandb.proto.wandb_internal_pb2 import Record

    rows = []
    for file in sorted((run / "wandb").glob("offline-run-*/run-*.wandb")):
        for data in framed(file.read_bytes()):
            record = Record()
            record.ParseFromString(data)
            if record.WhichOneof("record_type") == "history":
                items = record.history.item
                rows.append({item.key or ".".join(item.nested_key): json.loads(item.value_json) for item in items})
    return rows


def framed(log: bytes) -> Iterator[bytes]:
    """Yield the records of a log in LevelDB's format: checksum, length and kind before each fragment of a record."""
    place, record = 7, b""
    while place + 7 <= len(log):
        rest = _BLOCK - place % _BLOCK
        if rest < 7:
            place += rest
            continue
        _, length, kind = struct.unpack("<IHB", log[place : place + 7])
        record += log[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # a whole record, or the last fragment
            yield record
            record = b""


async def test_an_offline_run_holds_rounds_trials_and_spending(
    tmp_path: Path, dataset: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    events: list[Any] = []
    search = ["search.outer_rounds=2", "search.inner_steps=2", "search.error_batch=12"]
    overrides = [f"data.path={dataset / 'labels.csv'}", f"run.dir={tmp_path / 'run'}", "run.tracking=wandb", *search]
    run = await blpo.optimize(overrides=overrides, on_event=events.append, progress=False)
    assert [event["text"] for event in events if event["event"] == "warning"] == []
    assert json.loads((tmp_path / "run" / SENT).read_text())["ended"]
    rows = history(tmp_path / "run")
    validation = {row["round"]: row["validation/coverage"] for row in rows if "validation/coverage" in row}
    assert validation == {t: each["validation"]["coverage"] for t, each in enumerate(run.result["rounds"])}
    assert [row["trial"] for row in rows if "trial/failed" in row] == [0, 1, 2, 3]
    calls = [row["spend/calls"] for row in rows if "spend/calls" in row]
    assert calls == sorted(calls)
    assert calls[-1] == sum(usage["issued"] for usage in run.result["calls"].values())
    [folder] = (tmp_path / "run" / "wandb").glob("offline-run-*/files")
    assert (folder / "rounds" / "00" / "judge.md").read_bytes() == (tmp_path / "run/rounds/00/judge.md").read_bytes()
    sent = {file.relative_to(folder).parts[0] for file in folder.rglob("*") if file.is_file()}
    assert sent == {"rounds", "config.yaml", "judge.yaml", "result.json", "report.html"}  # nothing about the machine
