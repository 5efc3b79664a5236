"""Dataset folder of a prepared public set: made beside its final place, so that only a complete folder appears."""

import csv
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from blpo.config.yaml_text import write_yaml
from blpo.data.public.public_set import Record, SetDescription
from blpo.storage.whole_files import whole_folder
from state.errors import DataError
from state.sample import SplitName

_PAIRS_NOTE = """\
# These are PAIRS: two images, of which people prefer one. Judging pairs as such (asking in both orders, ties) is not
# built yet. Until then the judge is shown both images in one message and answers a or b; the embedded judge looks at
# the first one only.
"""


@contextmanager
def draft_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder. At the end of the block the folder becomes `out`; an error removes the folder.

    Raises `DataError` if `out` exists and is no empty folder.
    """
    if out.is_symlink() or (out.exists() and not out.is_dir()) or (out.is_dir() and any(out.iterdir())):
        raise DataError(f"{out}: exists and is not empty; name a new folder with --out")
    with whole_folder(out) as draft:  # fails at the end if another process has filled `out` meanwhile
        yield draft


def write_labels(
    folder: Path, records: Sequence[Record], splits: Mapping[str, SplitName], images: Mapping[str, Sequence[str]]
) -> None:
    """Write labels.csv: id, image (or image_a, image_b), label, split, group, text and the source's further columns."""
    names = ("image_a", "image_b") if len(records[0].images) > 1 else ("image",)
    shipped = ("source_split",) if any(record.shipped for record in records) else ()
    extra = tuple(dict.fromkeys(name for record in records for name in record.extra))
    with (folder / "labels.csv").open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file)  # lines end by \r\n, so texts with \r or \n are quoted
        writer.writerow(("id", *names, "label", "split", "group", "text", *shipped, *extra))
        for r in records:
            fields = (r.id, *images[r.id], r.label, splits[r.id], r.group, r.text, *([r.shipped] if shipped else []))
            writer.writerow((*fields, *(r.extra.get(name) for name in extra)))


def write_config(
    folder: Path, description: SetDescription, splits: Iterable[SplitName], is_grouped: bool, seed: int
) -> None:
    """Write config.yaml for `check` and `optimize`."""
    data: dict[str, Any] = {"path": "labels.csv", "image": ["image_a", "image_b"] if description.is_pair else "image"}
    if is_grouped:
        data["group"] = "group"
    lines = [f"# {description.title}, as `blpo data prepare` made it; source.json says how.\n"]
    lines += [_PAIRS_NOTE] if description.is_pair else []
    if {"train", "test"} <= set(splits):
        data["split"] = {"column": "split"}
    else:
        lines.append(
            "# In labels.csv every row is a test row, because the paper tests on this set. `blpo judge JUDGE .`\n"
            "# judges all rows. check and optimize need three splits, so the settings below draw splits.\n"
        )
        data["split"] = {"train": 0.4, "validation": 0.3, "test": 0.3}
    task = description.task.model_dump(mode="json", exclude_defaults=True, exclude={"kind"})
    content = {"task": {"kind": description.task.kind, **task}, "data": data, "prompts": {"judge": description.prompt}}
    text = "".join(lines) + write_yaml({**content, "search": {"seed": seed}})
    (folder / "config.yaml").write_text(text, encoding="utf-8")


def write_source_card(folder: Path, card: Mapping[str, object]) -> None:
    """Write source.json."""
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / "source.json").write_text(text + "\n", encoding="utf-8", errors="backslashreplace")
