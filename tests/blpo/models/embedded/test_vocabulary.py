"""Vocabulary and scales of the embedded models."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blpo.models.embedded.scales import SCALES, AttributeScale
from blpo.models.embedded.vocabulary import ATTRIBUTES, BY_NAME, LEVELS, level, mentioned

NAMES = [attribute.name for attribute in ATTRIBUTES]


@given(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6), st.sampled_from(list(SCALES.values())))
def test_scales_rise(first: float, second: float, scale: AttributeScale) -> None:
    low, high = sorted((first, second))
    assert 0 <= scale.value(low) <= scale.value(high) <= 100
    assert scale.value(scale.middle) == pytest.approx(50)


def test_a_measure_that_is_not_finite_counts_as_the_middle() -> None:
    assert AttributeScale(3, 1).value(float("nan")) == 50


class TestVocabulary:
    def test_every_attribute_has_a_scale_and_one_name(self) -> None:
        assert sorted(SCALES) == sorted(NAMES) == sorted(BY_NAME)
        words = [word for attribute in ATTRIBUTES for word in (attribute.name, *attribute.aliases)]
        assert len(set(words)) == len(words) and words == [word.lower() for word in words]

    def test_level_words(self) -> None:
        assert [level(value) for value in (0, 19.9, 20, 39, 40, 60, 80, 100)] == [
            *("very low", "very low", "low", "low"),
            *("medium", "high", "very high", "very high"),
        ]
        assert {level(value) for value in range(101)} == set(LEVELS)

    def test_the_longest_name_counts_in_order_of_mention(self) -> None:
        text = "Describe LOCAL\n contrast, the grain, focus on the center; then noise and contrast."
        assert mentioned(text) == ("local contrast", "noise", "focus on the centre", "contrast")

    @pytest.mark.parametrize("text", ["", "Describe the image.", "noisemaker, de-noise", "ſharpneſſ", "contrast-free"])
    def test_parts_of_words_are_no_mention(self, text: str) -> None:
        assert mentioned(text) == ()

    @given(st.lists(st.sampled_from(NAMES), unique=True))
    def test_names_are_found_where_they_are_listed(self, names: list[str]) -> None:
        assert mentioned("State the " + ", the ".join(names) + ".") == tuple(names)
