"""Folder of verdicts in Parquet files, one a part. The folder is the memory: a finished file is never judged again.

Files appear whole. The folder `_judging` in it holds a copy of the judge, the rows of a block, and the costs so far;
readers of Parquet folders pass over names with an underscore.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from blpo.bulk.ledger import Spent
from blpo.bulk.parts import Part
from blpo.bulk.verdict_rows import Row, table_of
from blpo.data.arrow_errors import arrow_errors
from blpo.data.object_storage import SUFFIX, file_names, file_system, is_object, read_whole, whole_output
from blpo.deployment.judge_identity import measuring_of
from blpo.runs.judge_file import JudgeFile
from blpo.storage.locks import lock_folder
from state.errors import DataError, RunError

_AT_ONCE = 16
_NOTES = b"blpo_part"
"""Key of the notes on a part in the metadata of its file."""


@dataclass(frozen=True, slots=True)
class PartNotes:
    """Facts about a finished part."""

    errors: int
    """Rows without an answer; they are judged again."""
    ignored: int
    """Labels that are no labels of the judge."""


@dataclass(frozen=True, slots=True)
class OutFolder:
    """Folder at a path or an address."""

    name: str

    def file(self, *parts: str) -> str:
        """Return the path or address of a file in the folder."""
        return "/".join((self.name.rstrip("/"), *filter(None, parts)))

    def finished(self, parts: Sequence[Part], every: Sequence[Part]) -> dict[Part, PartNotes]:
        """Return the finished ones of `parts`; raises `RunError` if the folder has verdicts of others than `every`."""
        by_name = {part.name: part for part in every}
        names = [name for name in file_names(self.name) if name.endswith(SUFFIX) and name[0] not in "._"]
        if others := [name for name in names if name not in by_name]:
            raise RunError(
                f"{self.name}: holds verdicts of other inputs ({others[0]}); give the inputs of the first command, to"
                " which more may be added, or another folder"
            )
        present = set(names)
        done = [part for part in parts if part.name in present]
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            return dict(zip(done, pool.map(self._notes, (part.name for part in done)), strict=True))

    def _notes(self, name: str) -> PartNotes:
        with arrow_errors(self.file(name)):
            files, path = file_system(self.file(name))
            metadata = pyarrow.parquet.read_schema(path, filesystem=files).metadata or {}
            if _NOTES not in metadata:
                raise DataError(f"{self.file(name)}: was not written by blpo judge; give another folder")
            return PartNotes(**json.loads(metadata[_NOTES]))

    def read(self, part: Part, columns: Sequence[str] | None = None) -> pyarrow.Table:
        """Return the verdicts of a finished part; raises `DataError`."""
        file = self.file(part.name)
        with arrow_errors(file):
            files, path = file_system(file)
            with pyarrow.parquet.ParquetFile(path, filesystem=files) as content:
                names = [name for name in columns or () if name in content.schema_arrow.names]
                return content.read(names if columns else None)

    def holds(self, part: Part) -> bool:
        """Return True if the part is finished, perhaps with errors."""
        files, path = file_system(self.file(part.name))
        with arrow_errors(self.name):
            return bool(files.get_file_info(path).is_file)

    def write(self, part: Part, rows: Sequence[Row], schema: pyarrow.Schema, notes: PartNotes) -> None:
        """Write the verdicts of a part whole, with the file and the row (from 1) of each; raises `StoreError`."""
        of_row = max(1, len(rows) // part.rows)
        places = [{"file": part.file, "row": part.start + place // of_row + 1} for place in range(len(rows))]
        table = table_of([{**place, **row} for place, row in zip(places, rows, strict=True)], with_places(schema))
        metadata = {**(table.schema.metadata or {}), _NOTES: json.dumps(asdict(notes)).encode()}
        with whole_output(self.file(part.name)) as stream:
            pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), stream, compression="zstd")

    @contextmanager
    def locked(self, shard: str) -> Iterator[None]:
        """Make the folder, and keep a shard's work to this process; in an object storage nothing is locked.

        Raises `RunError` for a folder that is in use, and `OSError`.
        """
        if is_object(self.name):
            yield
            return
        folder = Path(self.file("_judging", shard))
        folder.mkdir(parents=True, exist_ok=True)
        with lock_folder(folder):
            yield

    def bind(self, judge: JudgeFile, block_rows: int | None, default: int) -> int:
        """Keep the judge and the rows of a block with the verdicts; return the rows.

        Raises `RunError` if the folder was begun with another judge or another size.
        """
        job = self._job()
        if job is None:
            size = block_rows or default
            self._put(judge.dump(), "judge.yaml")
            self._put(json.dumps({"format": 1, "block_rows": size, "judge": _digest(judge)}), "job.json")
            return size
        if job["judge"] != _digest(judge):
            raise RunError(f"{self.name}: was begun with another judge (_judging/judge.yaml); give another folder")
        size = int(job["block_rows"])
        if block_rows not in (None, size):
            raise RunError(f"{self.name}: was begun with --block-rows {size}; give the same, or another folder")
        return size

    def _job(self) -> Mapping[str, Any] | None:
        content = read_whole(self.file("_judging", "job.json"))
        try:
            return None if content is None else json.loads(content)
        except ValueError:
            raise RunError(f"{self.file('_judging', 'job.json')}: is damaged; give another folder") from None

    def _put(self, text: str, *names: str) -> None:
        with whole_output(self.file("_judging", *names)) as stream:
            stream.write(text.encode())

    def spent(self, shard: str) -> Spent:
        """Return the costs of earlier commands under a budget."""
        content = read_whole(self.file("_judging", shard, "spent.json"))
        return Spent() if content is None else Spent(**json.loads(content))

    def save(self, shard: str, spent: Spent) -> None:
        """Keep the costs."""
        self._put(json.dumps(asdict(spent)), shard, "spent.json")


def _digest(judge: JudgeFile) -> str:
    return sha256(json.dumps(measuring_of(judge), sort_keys=True).encode()).hexdigest()


def with_places(schema: pyarrow.Schema) -> pyarrow.Schema:
    """Return the columns of a file of verdicts: the file and the row of the input, then those of the verdict."""
    places = [pyarrow.field("file", pyarrow.string()), pyarrow.field("row", pyarrow.int64())]
    return pyarrow.schema([*places, *schema], schema.metadata)
