"""Columns of a prepared labels.csv, and their names in the section `data` of the config."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from blpo.data.public.public_set import Record
from state.sample import SplitName

_PAIR_OF_IMAGES = ("image_a", "image_b")
_PAIR_OF_TEXTS = ("text_a", "text_b")
_QUESTION = "question"
_BEFORE = "before"


@dataclass(frozen=True, slots=True)
class LabelColumns:
    """Columns that a set's records need."""

    images: tuple[str, ...]
    has_texts: bool
    """True for two texts about one image; `question` is then the text that both reply to."""
    has_before: bool
    has_ratings: bool
    """True if ratings.csv holds the labels of several raters."""
    has_splits: bool
    has_source_splits: bool
    is_grouped: bool
    """True if the groups of the records apply."""

    @classmethod
    def of(
        cls, records: Sequence[Record], splits: Mapping[str, SplitName | None], *, is_grouped: bool
    ) -> "LabelColumns":
        """Return the columns of at least one record."""
        return cls(
            _PAIR_OF_IMAGES if len(records[0].images) > 1 else ("image",),
            any(record.texts for record in records),
            any(record.before for record in records),
            any(record.ratings for record in records),
            any(splits.values()),
            any(record.shipped for record in records),
            is_grouped,
        )

    def of_record(self, record: Record, paths: Sequence[str], split: SplitName | None) -> dict[str, object]:
        """Return the cells of a record. `paths` are the paths of its images."""
        names = (*self.images, *([_BEFORE] if self.has_before else []))
        cells: dict[str, object] = {"id": record.id, **dict(zip(names, paths, strict=True))}
        if record.texts is not None:
            cells |= dict(zip(_PAIR_OF_TEXTS, record.texts, strict=True))
        cells["label"] = record.label
        if self.has_splits:
            cells["split"] = split
        cells |= {"group": record.group, _QUESTION if self.has_texts else "text": record.text}
        if self.has_source_splits:
            cells["source_split"] = record.shipped
        return cells | dict(record.extra)

    def settings(self) -> dict[str, Any]:
        """Return the section `data` of the config, without the splits."""
        data: dict[str, Any] = {"path": "labels.csv"}
        data["image"] = list(self.images) if len(self.images) > 1 else self.images[0]
        if self.has_texts:
            data |= {"text": list(_PAIR_OF_TEXTS), "question": _QUESTION}
        if self.has_before:
            data["before"] = _BEFORE
        if self.is_grouped:
            data["group"] = "group"
        if self.has_ratings:
            data["raters"] = {"file": "ratings.csv", "by": "rater", "label_from": "column"}
        return data
