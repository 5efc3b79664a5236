"""Samples that must stay out of an export: validation, test and calibration, known by id and by image.

The hash of an image is the SHA-256 of the bytes that the judge is sent, so copies with other metadata are one image.
"""

import json
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from blpo.data.dataset import Dataset
from blpo.data.images import encode_image
from blpo.training.sources import Source
from state.errors import DataError
from state.sample import Sample
from state.settings import ModelSettings

_THREADS = 4


@dataclass(frozen=True, slots=True)
class HeldOut:
    """Ids and image hashes of all samples outside the train split."""

    ids: frozenset[str]
    images: frozenset[str]

    def holds(self, sample_id: str, images: Iterable[str]) -> bool:
        """Return True for a sample that must stay out: its id or one of its images is held out."""
        return sample_id in self.ids or not self.images.isdisjoint(images)

    def require_absent(self, samples: Path) -> None:
        """Raise `DataError` if samples.jsonl of a written export names a held out sample."""
        with samples.open(encoding="utf-8") as lines:
            for line in map(json.loads, lines):
                if self.holds(line["sample"], line["images"]):
                    raise DataError(f"{line['sample']}: is outside the train split, and stands in the export")


def held_out(sources: Sequence[Source], model: ModelSettings) -> HeldOut:
    """Return what must stay out of all sources. `model` has the pixel limits. Raises `DataError` for a bad image."""
    samples = {source.id_of(sample.id): sample for source in sources for sample in _outside(source.dataset)}
    images = [source for sample in samples.values() for source in sample.images]
    with ThreadPoolExecutor(_THREADS) as threads:
        hashes = threads.map(lambda source: encode_image(source, model.max_pixels, model.max_side).sha256, images)
        return HeldOut(frozenset(samples), frozenset(hashes))


def _outside(dataset: Dataset) -> tuple[Sample, ...]:
    return (*dataset.splits["validation"], *dataset.splits["test"], *dataset.calibration)
