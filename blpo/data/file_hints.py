"""Hints at a file that a missing path may mean: the same name in another folder, or with a suffix."""

import os
import re
from collections import defaultdict
from pathlib import PurePath
from urllib.parse import unquote

from blpo.data.similar_names import read_alike

_UPLOAD = re.compile(r"^[0-9a-f]{8}-")
"""Begin of a name that Label Studio gives to an uploaded file."""
_MOST_FILES = 200_000
"""Files of a folder that are listed for hints."""


class FileHints:
    """Files below a folder by name. The folder is listed at the first question."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._names: dict[str, list[str]] | None = None

    def for_path(self, path: str) -> str:
        """Return `; did you mean 'a/b.png'?` for the only file with the name of `path`; empty if there is none."""
        if self._names is None:
            self._names = self._listed()
        name = PurePath(unquote(path.replace("\\", "/"))).name
        for spelling in (name, _UPLOAD.sub("", name), PurePath(name).stem):
            files = self._names.get(read_alike(spelling), [])
            if files:
                return f"; did you mean {files[0]!r}?" if len(files) == 1 else ""
        return ""

    def _listed(self) -> dict[str, list[str]]:
        names: dict[str, list[str]] = defaultdict(list)
        count = 0
        for place, folders, files in os.walk(self._folder):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            count += len(files)
            if count > _MOST_FILES:
                return {}
            for file in (name for name in files if not name.startswith(".")):
                path = os.path.relpath(os.path.join(place, file), self._folder).replace(os.sep, "/")
                for name in {read_alike(file), read_alike(PurePath(file).stem)}:
                    names[name].append(path)
        return names
