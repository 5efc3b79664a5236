"""HEIC images: decoded with pillow-heif, and named without it."""

import os
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from blpo.data.heif_images import is_heif
from tests.blpo.data.dataset_folders import png
from tests.blpo.data.pictures import encode, encoded_bytes, image_bytes, scenery
from tests.small_set import COMMAND, ENVIRONMENT, draw_dataset

HEADER = b"\0\0\0\x1cftypmif1\0\0\0\0mif1heicmiaf" + b"\0" * 40


def test_heic_is_known_by_its_brands() -> None:
    assert is_heif(HEADER)
    assert not is_heif(HEADER.replace(b"heic", b"avif"))
    for data in (b"", b"ftyp", png(1), image_bytes(scenery(), "AVIF"), HEADER[:9]):
        assert not is_heif(data)


@pytest.mark.slow
def test_without_a_decoder_heic_is_named_with_the_extra(tmp_path: Path) -> None:
    folder = draw_dataset(tmp_path / "set", 12)
    (folder / "images" / "phone.HEIC").write_bytes(HEADER)
    with (folder / "labels.csv").open("a") as file:
        file.write("s99,images/phone.HEIC,3\n")
    for name in ("config.yaml", "labels.csv"):
        (folder / name).rename(tmp_path / name)
    environment = {**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(no_decoder(tmp_path)), ENVIRONMENT["PYTHONPATH"]])}
    command = [*COMMAND, "init", "new", "--data", "set", "--yes"]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert "1 file is left out (images/phone.HEIC). HEIC images need pillow-heif" in result.stderr
    assert "pip install -e '.[heif]'" in result.stderr
    (tmp_path / "labels.csv").replace(folder / "labels.csv")
    command = [*COMMAND, "check", "--set", "data.path=set"]
    result = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert result.returncode == 2
    assert "images/phone.HEIC: can't be decoded: HEIC images need pillow-heif; install it with" in result.stdout


def no_decoder(folder: Path) -> Path:
    """Return a folder for PYTHONPATH that hides pillow-heif from an interpreter."""
    place = folder / "hiding"
    place.mkdir()
    (place / "sitecustomize.py").write_text("import sys; sys.modules['pillow_heif'] = None\n")
    return place


def test_heic_is_decoded_upright_with_the_extra() -> None:
    decoder = pytest.importorskip("pillow_heif")
    decoder.register_heif_opener()
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = BytesIO()
    scenery(60, 40).save(stream, "HEIF", exif=exif.tobytes())
    assert is_heif(stream.getvalue())
    with Image.open(BytesIO(encoded_bytes(encode(stream.getvalue())))) as image:
        assert (image.format, image.size) == ("PNG", (40, 60))
