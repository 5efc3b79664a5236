"""Differences between two texts."""

from hypothesis import given
from hypothesis import strategies as st

from blpo.reports.differences import word_diff

TEXTS = st.text("ab \n.", max_size=60)


@given(TEXTS, TEXTS)
def test_the_pieces_make_both_texts(old: str, new: str) -> None:
    pieces = word_diff(old, new)
    assert "".join(piece.text for piece in pieces if piece.kind != "added") == old + "\n"
    assert "".join(piece.text for piece in pieces if piece.kind != "removed") == new + "\n"


def test_a_huge_text_is_shown_as_a_whole() -> None:
    huge = "word " * 20_000
    assert [piece.kind for piece in word_diff(huge + "old", huge + "new")] == ["removed", "added"]
    assert [piece.kind for piece in word_diff(f"old\n{huge}", f"new\n{huge}")] == ["removed", "added", "same"]
    assert [piece.kind for piece in word_diff("a\n" * 3000, "a\n" * 3000)] == ["same"]
