"""A dataset folder while it is made: beside its final place, where it appears whole or not at all."""

import csv
import json
import os
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from hashlib import sha256
from itertools import count
from pathlib import Path
from typing import Any

from blpo.config.yaml_text import write_yaml
from blpo.data.images import decoded_format
from blpo.data.public.record import Form, Record
from blpo.storage.whole_files import put_in_place
from state.errors import DataError
from state.sample import ImageSource, SplitName

SUFFIXES = {"JPEG": ".jpg", "MPO": ".jpg", "JPEG2000": ".jp2"}
"""By format; others are their format's name."""

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
        put_in_place(draft, out)  # fails where somebody has put something there meanwhile
    finally:
        shutil.rmtree(draft, ignore_errors=True)


class ImageFolder:
    """Copies images into a folder's images/, as they are stored."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        # By the source's identity: the pairs of one prompt share their images.
        self._paths: dict[int, tuple[ImageSource, str]] = {}

    def write(self, record: Record) -> list[str]:
        """Copy a record's images, each once, having decoded it in full; returns their paths in the folder.

        Raises `DataError` for an image that can't be read or decoded.
        """
        named = zip(record.images, record.names or (record.id,), strict=True)
        return [self._one(source, name) for source, name in named]

    def keep(self, paths: Collection[str]) -> None:
        """Remove all images but these."""
        for _, path in self._paths.values():
            if path not in paths:
                (self._folder / path).unlink()

    def _one(self, source: ImageSource, name: str) -> str:
        if id(source) not in self._paths:
            data = source.read()
            path = self._free_path(name, decoded_format(data, source.name))
            path.parent.mkdir(exist_ok=True)
            path.write_bytes(data)
            self._paths[id(source)] = source, f"images/{path.name}"
        return self._paths[id(source)][1]

    def _free_path(self, name: str, kind: str) -> Path:
        """A new file; `a` and `a.png` are two names, and one name may have two images."""
        suffix = SUFFIXES.get(kind, f".{kind.lower()}")
        stem = self._folder / "images" / file_stem(name, suffix)
        paths = (Path(f"{stem}-{n}{suffix}" if n > 1 else f"{stem}{suffix}") for n in count(1))
        return next(path for path in paths if not path.exists())


def write_labels(
    folder: Path, records: Sequence[Record], splits: Mapping[str, SplitName], images: Mapping[str, Sequence[str]]
) -> None:
    """Write labels.csv: id, image (or image_a, image_b), label, split, group, text and what the source has besides."""
    names = ("image_a", "image_b") if len(records[0].images) > 1 else ("image",)
    shipped = ("source_split",) if any(record.shipped for record in records) else ()
    extra = tuple(dict.fromkeys(name for record in records for name in record.extra))
    with (folder / "labels.csv").open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)  # ends lines by \r\n, and so quotes texts that hold either
        writer.writerow(("id", *names, "label", "split", "group", "text", *shipped, *extra))
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


def file_stem(name: str, suffix: str) -> str:
    """A file name that every system can hold, different for different ids."""
    stem = name[: -len(suffix)] if name.lower().endswith(suffix) else name
    plain = re.sub(r"[^a-z0-9_-]+", "-", stem.lower()).strip("-")[:80]
    if plain == stem:
        return plain
    return f"{plain}-{sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
