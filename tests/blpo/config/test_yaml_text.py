"""Strict reading of YAML, and equal values after writing and reading."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.config.yaml_text import parse_yaml, write_yaml
from tests.blpo.config.config_files import refusal, write_config


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is empty; write settings into it"),
        ("# nothing but a comment\n", "is empty"),
        ("- a\n- b\n", "holds no settings; it must be a mapping"),
        ("search", "holds no settings; it must be a mapping"),
        (b"\x89PNG\r\n\x1a\n\x00", "is not UTF-8 text"),
        (b"\x00\x01\x02", "holds control characters"),
        ("a: " + "x" * 300_000, "is larger than 256 KiB"),
        ("search: {seed: 1}\nsearch: {seed: 2}\n", "line 2: search is given twice; keep one"),
        ("search:\n  seed: 1\n  seed: 1\n", "line 3: seed is given twice; keep one"),
        ("search: [1\n", "line 2: while parsing a flow sequence"),
        ("a: !!python/object/apply:os.getcwd []", "could not determine a constructor for the tag"),
        ("a: &a [*a]", "an alias contains itself"),
        ("[" * 2_000, "is nested too deeply"),
        ("search: {seed: " + "9" * 5_000 + "}", "a value can't be read"),
    ],
)
def test_a_file_that_holds_no_settings(tmp_path: Path, content: str | bytes, message: str) -> None:
    path = write_config(tmp_path, content)
    text = refusal(path)
    assert text.startswith(str(path))
    assert message in text
    assert "\n" not in text


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 9)]
    assert "stands for more than 20000 values" in refusal(write_config(tmp_path, "\n".join(lines)))


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    assert "nope.yaml does not exist" in refusal(tmp_path / "nope.yaml")
    assert refusal(tmp_path) == f"{tmp_path} can't be read: Is a directory"
    assert "can't be read" in refusal("a\0b")


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)

line_ends_and_signs = st.text(
    st.sampled_from("a \n\t\r\x85\u2028\ufeff\x00#:-'\"|>%&*!`{}[],?~=.0y\N{GRINNING FACE}"), max_size=12
)

scalars = texts | line_ends_and_signs | st.integers() | st.floats(allow_nan=False) | st.booleans() | st.none()


@settings(max_examples=200, deadline=None)
@given(st.recursive(scalars, st.lists, max_leaves=5))
def test_yaml_is_read_as_it_was_write_config(content: Any) -> None:
    assert parse_yaml(write_yaml({"value": content}), "text") == {"value": content}
