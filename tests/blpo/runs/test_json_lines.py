"""Logs of JSON lines after a kill."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.runs.json_lines import read_log_lines

VALUES = st.none() | st.integers() | st.text()
RECORDS = st.lists(st.dictionaries(st.text(), VALUES, max_size=3), min_size=1, max_size=5)


@given(RECORDS, st.booleans(), st.data())
def test_a_cut_takes_one_line_at_most(
    tmp_path_factory: pytest.TempPathFactory, records: list[dict[str, Any]], is_ascii: bool, data: st.DataObject
) -> None:
    lines = [json.dumps(record, ensure_ascii=is_ascii).encode() + b"\n" for record in records]
    place = data.draw(st.integers(0, len(records) - 1))
    size = data.draw(st.integers(1, len(lines[place]) - 2))  # at least the closing brace is gone
    file = tmp_path_factory.getbasetemp() / "log.jsonl"
    file.write_bytes(b"".join(lines[:place]) + lines[place][:size] + b"\n" + b"".join(lines[place + 1 :]))
    assert list(read_log_lines(file)) == records[:place] + records[place + 1 :]


def test_lines_without_an_object_are_left_out(tmp_path: Path) -> None:
    file = tmp_path / "log.jsonl"
    file.write_bytes(b'[1]\n{"a": 1}\r\n\n\xff\n' + b"[" * 100_000 + b'\n7\n{"b": 2}')
    assert list(read_log_lines(file)) == [{"a": 1}, {"b": 2}]
    with pytest.raises(FileNotFoundError):
        list(read_log_lines(tmp_path / "nowhere"))
