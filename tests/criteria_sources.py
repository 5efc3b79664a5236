"""Small public sets with several criteria, in the format of their authors, with drawn images."""

import json
import struct
from collections.abc import Mapping
from pathlib import Path

from blpo.data.public.tf_records import Feature, masked_checksum
from tests.public_sources import noisy_image, write_csv, write_images, write_zip


def agiqa3k(folder: Path, size: int = 60) -> Path:
    """Write scores of six images a prompt. Images in a zip archive."""
    rows, members = [], {}
    for i in range(size):
        name = f"{('AttnGAN_normal', 'sd1.5_highcorr')[i % 2]}_{i:03}.jpg"
        members[f"AGIQA-3K/{name}"] = noisy_image(i, "JPEG", 20 + 9 * (i % 5))
        scores = {"mos_quality": f"{4.48 - 0.9 * (i % 5):.9f}", "std_quality": "0.223270101"}
        more = {"mos_align": f"{0.02 + 0.7 * (i % 6):.9f}", "std_align": "0.615607722"}
        words = {"adj1": "", "adj2": "baroque" if i % 2 else "", "style": ""}
        rows.append({"name": name, "prompt": f"statue {i // 6}", **words, **scores, **more})
    folder.mkdir(parents=True)
    write_csv(folder / "data.csv", rows)
    write_zip(folder / "AGIQA-3K.zip", members)
    return folder


def evalmuse(folder: Path, size: int = 60) -> Path:
    """Write the ratings of three people for each image, and their answers on two elements."""
    rows, members = [], {}
    for i in range(size):
        path = f"{('SDXL-Turbo', 'IF')[i % 2]}/{i:05}.png"
        members[path] = noisy_image(i, noise=20 + 9 * (i % 5))
        rows.append(
            {
                "prompt_id": f"{i // 4:05}",
                "prompt": f"a lady with {i // 4} books",
                "type": "real",
                "img_path": path,
                "total_score": [5 - i % 5, 5 - i % 5, max(1, 4 - i % 5)],
                "element_score": {"a lady (human)": [1, 1, 0], f"{i // 4} (counting)": [0, 0, int(i % 5 < 2)]},
                "promt_meaningless": [0, 0, 0],
                "split_confidence": [0, 0, 0],
                "attribute_confidence": [1, 1, 1],
                "fidelity_label": [],
            }
        )
    folder.mkdir(parents=True)
    (folder / "train_list.json").write_text(json.dumps(rows))
    write_zip(folder / "images.zip", members)
    return folder


def richhf18k(folder: Path, size: int = 40) -> Path:
    """Write records of scores, and a shard of Pick-a-Pic with most of the images."""
    names = ("aesthetics_score", "artifact_score", "misalignment_score", "overall_score")
    folder.mkdir(parents=True)
    numbers = {"train": range(size), "dev": range(size, size + 10), "test": range(size + 10, size + 20)}
    for split, own in numbers.items():
        records: list[Mapping[str, Feature]] = [
            {
                "filename": f"{'train' if split == 'dev' else split}/{_uid(i)}.png".encode(),
                **{name: (2 * (i % 5) + place) / 12 for place, name in enumerate(names)},
                "artifact_map": noisy_image(i),
                "prompt_misalignment_label": b"1 1 0",
            }
            for i in own
        ]
        (folder / f"{split}.tfrecord").write_bytes(b"".join(map(tf_record, records)))
    rows = [
        {
            "caption": f"caption {i}",
            "jpg_0": noisy_image(2 * i, "JPEG"),
            "jpg_1": noisy_image(2 * i + 1, "JPEG"),
            "image_0_uid": _uid(2 * i),
            "image_1_uid": _uid(2 * i + 1),
        }
        for i in range((size + 14) // 2)
    ]
    write_images(folder / "data" / "train-00000-of-00645-b66ac786bf6fb553.parquet", rows)
    return folder


def tf_record(features: Mapping[str, Feature]) -> bytes:
    """Return a record of a TFRecord file with an Example; the checksum of the data is not computed."""
    entries = (_field(1, _field(1, name.encode()) + _field(2, _feature(value))) for name, value in features.items())
    data = _field(1, b"".join(entries))
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_checksum(head)) + data + bytes(4)


def _uid(number: int) -> str:
    return f"{number:08}-b190-40de-a9ab-777011e782dd"


def _feature(value: Feature) -> bytes:
    if isinstance(value, bytes):
        return _field(1, _field(1, value))
    if isinstance(value, int):
        return _field(3, _field(1, _varint(value)))
    return _field(2, _field(1, struct.pack("<f", value)))


def _field(number: int, data: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _varint(value: int) -> bytes:
    parts = []
    while value > 0x7F:
        parts.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*parts, value])
