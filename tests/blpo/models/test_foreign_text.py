"""Texts of models that no file can hold, at every level of JSON."""

import json

from hypothesis import given
from hypothesis import strategies as st

from blpo.models.foreign_text import clean_text
from blpo.models.verdict_reading import parse_verdict
from state.settings import TaskSettings

ANY_TEXT = st.text(st.characters(codec=None, exclude_categories=()))


@given(ANY_TEXT)
def test_a_clean_text_fits_utf_8_and_any_database(text: str) -> None:
    clean = clean_text(text)
    assert clean.encode("utf-8").decode("utf-8") == clean
    assert "\0" not in clean
    assert clean_text(clean) == clean


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_an_honest_text_stays_as_it_is(text: str) -> None:
    assert clean_text(text) == text


@given(ANY_TEXT)
def test_the_reason_inside_the_json_of_a_reply_is_clean(reason: str) -> None:
    reply = json.dumps({"reason": reason, "label": 4})
    status, label, reason_text = parse_verdict(reply, TaskSettings())
    assert (status, label, reason_text) == ("ok", 4, clean_text(reason))
