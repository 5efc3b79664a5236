"""Labels in forms that are not read: exports of labelling tools, spreadsheets, binary tables; each with a way out."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from blpo.data.part_names import part_name

_AS_TABLE = "write a labels.csv with the columns image and label"
_SHEET = "is a spreadsheet; save the sheet with the labels as labels.csv (UTF-8)"
_BINARY = "is a table in a form that is not read; save the table as labels.parquet or labels.csv"
_BY_SUFFIX = {
    **dict.fromkeys((".xlsx", ".xlsm", ".xlsb", ".xls", ".ods", ".numbers", ".gsheet"), _SHEET),
    **dict.fromkeys((".feather", ".arrow", ".orc", ".avro", ".pkl", ".pickle", ".h5", ".rds", ".sav"), _BINARY),
    **dict.fromkeys((".sqlite", ".sqlite3", ".db"), "is a database; export the table of labels as labels.csv"),
    **dict.fromkeys((".gz", ".zip", ".xz", ".bz2", ".zst", ".7z"), "is compressed; unpack the file"),
}
_CVAT = f"is an export of CVAT; export the task as 'ImageNet' (a folder for every label), or {_AS_TABLE}"
_VOC = f"is an annotation of objects in an image (Pascal VOC); {_AS_TABLE}"
_COCO = f"is an export in COCO's format, which labels objects; {_AS_TABLE}"
_LABEL_STUDIO = f"is an export of Label Studio; export CSV, and correct the column of paths, or {_AS_TABLE}"
_LABELBOX = f"is an export of Labelbox; {_AS_TABLE}"
_ARGILLA = f"is an export of Argilla; {_AS_TABLE}"
_VIA = f"is an export of VGG Image Annotator; {_AS_TABLE}"
_CHAT = f"is training data for a chat model; {_AS_TABLE}"
_TEXT_LIST = f"is no table; {_AS_TABLE}"
_SHARD = "is a part of a dataset; name its folder in data.path, or the dataset of the hub as hub:OWNER/NAME"
_TAR = "is an archive; unpack the images, and write a labels.csv with the columns image and label"
_MOST_BYTES = 64 * 2**20
_START = 4096
_IMAGE_NAME = re.compile(rb"\w\.(?:png|jpe?g|webp|gif|tiff?|bmp|avif)\b", re.IGNORECASE)


def suffix_problem(file: Path) -> str:
    """Return the reason why a file with this suffix is no table, and what to do; empty for any other suffix."""
    return _BY_SUFFIX.get(file.suffix.lower(), "")


def content_problem(start: bytes) -> str:
    """Return the reason why a file that begins with these bytes is no text; empty for any other beginning."""
    if start.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        return f"{_SHEET}; the suffix does not change the content"
    return "is compressed; unpack the file" if start.startswith((b"\x1f\x8b", b"BZh", b"\xfd7zXZ")) else ""


def export_problem(content: object) -> str:
    """Return the tool that exported JSON, and what to do; empty for JSON of another kind. `content`: parsed JSON."""
    if isinstance(content, dict):
        return _object_problem(content)
    row = next((row for row in content if isinstance(row, dict)), {}) if isinstance(content, list) else {}
    return _row_problem(row)


def foreign_labels(folder: Path) -> Iterator[str]:
    """Yield a line for every file of the folder with labels in a form that is not read.

    Of the folders below, such as annotations/, the first .xml, .json and .parquet file is inspected.
    """
    below = [next(iter(sorted(folder.glob(f"*/*{suffix}"))), None) for suffix in (".xml", ".json", ".parquet")]
    for file in (*sorted(folder.glob("*")), *(file for file in below if file is not None)):
        if not file.name.startswith(".") and file.is_file() and (problem := _file_problem(file)):
            yield f"{file}: {problem}"


def _file_problem(file: Path) -> str:
    suffix = file.suffix.lower()
    if suffix in (".gz", ".zip", ".xz", ".bz2", ".zst", ".7z", ".db"):  # images.zip, Thumbs.db
        return suffix_problem(file) if "label" in file.name.lower() else ""
    if suffix in (".txt", ".lst", ".dat", ".yaml", ".yml", ".toml"):
        return _TEXT_LIST if _names_images(file) else ""
    if suffix == ".parquet":
        return _SHARD if part_name(file.stem).count else ""
    if suffix == ".tar":
        return _TAR
    if suffix == ".xml":
        return _xml_problem(file)
    return _json_problem(file) if suffix in (".json", ".jsonl", ".ndjson") else suffix_problem(file)


def _names_images(file: Path) -> bool:
    """Return True if the first lines of a file name images."""
    with file.open("rb") as stream:
        return bool(_IMAGE_NAME.search(stream.read(_START)))


def _xml_problem(file: Path) -> str:
    with file.open("rb") as stream:
        start = stream.read(_START)
    return _CVAT if b"<annotations" in start else _VOC if b"<annotation" in start else ""


def _json_problem(file: Path) -> str:
    try:
        with file.open(encoding="utf-8-sig") as stream:
            text = stream.read(_MOST_BYTES) if file.suffix.lower() == ".json" else stream.readline(_MOST_BYTES)
        content = json.loads(text)
    except (OSError, ValueError, RecursionError):
        return ""
    return export_problem(content if file.suffix.lower() == ".json" else [content])


def _object_problem(content: dict[str, Any]) -> str:
    if isinstance(content.get("images"), list) and ("annotations" in content or "categories" in content):
        return _COCO
    first = next(iter(content.values()), None)
    is_via = "_via_img_metadata" in content or (isinstance(first, dict) and "regions" in first)
    return _VIA if is_via else _row_problem(content)


def _row_problem(row: dict[str, Any]) -> str:
    if "data_row" in row or "Labeled Data" in row:
        return _LABELBOX
    if "data" in row and ("annotations" in row or "completions" in row):
        return _LABEL_STUDIO
    if isinstance(row.get("messages", row.get("conversations")), list):
        return _CHAT
    if "fields" in row and ("responses" in row or "suggestions" in row):
        return _ARGILLA
    return ""
