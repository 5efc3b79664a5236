"""Confidences that models state in words."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blpo.models.confidence_reading import stated_confidence


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ('{"confidence": 85}', 0.85),
        ('{"confidence": 0.85}', 0.85),
        ('{"confidence": 1}', 0.01),
        ('{"confidence": 1.0}', 1.0),
        ('{"confidence": "90%"}', 0.9),
        ('```json\n{"confidence": 100}\n```', 1.0),
        ('<think>{"confidence": 3}</think> {"confidence": 70}', 0.7),
        ('first {"confidence": 20}, no: {"confidence": 60}', 0.6),
        ("73", 0.73),
        (" 73 %.", 0.73),
        ('{"label": 3}', None),
        ('{"confidence": 101}', None),
        ('{"confidence": -1}', None),
        ('{"confidence": true}', None),
        ('{"confidence": NaN}', None),
        ("I am fairly sure.", None),
        ("4 or 5", None),
        ("", None),
    ],
)
def test_confidences_are_read_or_unknown(text: str, share: float | None) -> None:
    assert stated_confidence(text) == (None if share is None else pytest.approx(share))


@settings(max_examples=30)
@given(st.text())
def test_any_text_is_read_without_an_error(text: str) -> None:
    share = stated_confidence(text)
    assert share is None or 0 <= share <= 1
