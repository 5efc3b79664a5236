"""Sample images for tests of judges."""

from pathlib import Path

import pytest
from PIL import Image

from blpo.data.image_sources import file_sample
from state.sample import Sample


@pytest.fixture
def samples(tmp_path: Path) -> list[Sample]:
    for i in range(6):
        Image.new("RGB", (40, 30), (40 * i, 0, 0)).save(tmp_path / f"{i}.png")
    return [file_sample(tmp_path / f"{i}.png") for i in range(6)]
