"""A dataset folder while it is made: beside its final place, where it appears whole or not at all."""

import csv
import json
import os
import re
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from data.images import decoded_format
from data.public.record import Form, Record
from state.errors import DataError
from state.sample import ImageSource, SplitName
from state.yaml_text import write_yaml

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "JPEG2000": ".jp2"}
"""By format; others are their format's name."""

_FIRST = ("id", "label", "split", "group", "text")
_PAIRS_LATER = """\
# These are PAIRS: two images, of which people prefer one. Judging pairs as such (asking in both orders, ties) is not
# built yet. Until then the judge is shown both images in one message and answers a or b; the embedded judge looks at
# the first one only.
"""


@contextmanager
def made_beside(out: Path) -> Iterator[Path]:
    """Yield an empty folder that becomes `out` when the block ends, and is removed when it raises.

    Raises `DataError` where `out` is there and not an empty folder.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()) or (out.is_dir() and any(out.iterdir())):
        raise DataError(f"{out}: is there already and not empty; name a new folder with --out")
    out.parent.mkdir(parents=True, exist_ok=True)
    draft = out.parent / f".{out.name}.{os.urandom(4).hex()}.part"
    draft.mkdir()
    try:
        yield draft
        os.replace(draft, out)  # fails where somebody has put something there meanwhile
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def write_image(source: ImageSource, record: Record, position: int, folder: Path) -> str:
    """Copy one image as it is stored, having decoded it in full; returns its path in the folder.

    Raises `DataError` for an image that can't be read or decoded.
    """
    data = source.read()
    kind = decoded_format(data, source.name)
    suffix = SUFFIXES.get(kind, f".{kind.lower()}")
    part = "ab"[position] if len(record.images) > 1 else ""
    stem = _file_stem(record.id, suffix) + (f"-{part}" if part else "")
    (folder / "images").mkdir(exist_ok=True)
    path = f"images/{stem}{suffix}"
    if (folder / path).exists():  # `a` and `a.png` are two ids
        path = f"images/{stem}-{sha256(record.id.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}{suffix}"
    with (folder / path).open("xb") as file:
        file.write(data)
    return path


def write_labels(
    folder: Path, records: Sequence[Record], splits: Mapping[str, SplitName], images: Mapping[str, Sequence[str]]
) -> None:
    """Write labels.csv: id, image (or image_a, image_b), label, split, group, text and what the source has besides."""
    names = ("image_a", "image_b") if len(records[0].images) > 1 else ("image",)
    shipped = ("source_split",) if any(record.shipped for record in records) else ()
    extra = tuple(dict.fromkeys(name for record in records for name in record.extra))
    with (folder / "labels.csv").open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)  # ends lines by \r\n, and so quotes texts that hold either
        writer.writerow(("id", *names, *_FIRST[1:], *shipped, *extra))
        for r in records:
            own = (r.id, *images[r.id], r.label, splits[r.id], r.group, r.text, *([r.shipped] if shipped else []))
            writer.writerow((*own, *(r.extra.get(name) for name in extra)))


def write_config(folder: Path, form: Form, splits: Iterable[SplitName], is_grouped: bool, seed: int) -> None:
    """Write config.yaml, with which `check` and `optimize` work at once."""
    data: dict[str, Any] = {"path": "labels.csv", "image": ["image_a", "image_b"] if form.is_pair else "image"}
    if is_grouped:
        data["group"] = "group"
    lines = [f"# {form.title}, as `blpo data prepare` made it; source.json says how.\n"]
    lines += [_PAIRS_LATER] if form.is_pair else []
    if {"train", "test"} <= set(splits):
        data["split"] = {"column": "split"}
    else:
        lines.append(
            "# labels.csv says test for every row, as the paper tests on this set. `blpo judge JUDGE .` does "
            "that;\n# check and optimize need three splits, which are drawn here.\n"
        )
        data["split"] = {"train": 0.4, "validation": 0.3, "test": 0.3}
    task = form.task.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})
    content = {"task": {"kind": form.task.kind, **task}, "data": data, "prompts": {"judge": form.prompt}}
    text = "".join(lines) + write_yaml({**content, "search": {"seed": seed}})
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def write_card(folder: Path, card: Mapping[str, object]) -> None:
    """Write source.json."""
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / "source.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def _file_stem(name: str, suffix: str) -> str:
    """A file name that every system can hold, different for different ids."""
    stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:80]
    if plain == stem:
        return plain
    return f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
