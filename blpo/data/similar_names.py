"""Names that look equal: another spelling of a label or of a file's name."""

import os
import re
import unicodedata

_INVISIBLE = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\u00ad\u200b-\u200f\u2060\ufeff]")
_DASHES = re.compile(r"[\u2010-\u2015\u2212]")
_SEPARATORS = re.compile(r"[\\/]")
_QUOTES = "'\"`‘’“” "
_AT_ENDS = "'\"`‘’“”.,;:!()[] "
_BETWEEN_WORDS = re.compile(r"(?<=[^\W\d_])[-_/ ]+(?=[^\W\d_])")


def spelled_alike(name: str) -> str:
    """Return one spelling for names that look equal: Unicode form, kinds of spaces and dashes, spaces at the ends."""
    text = unicodedata.normalize("NFKC", _DASHES.sub("-", _INVISIBLE.sub("", name)))
    return " ".join(text.split())


def read_alike(name: str) -> str:
    """Return one spelling for names that read equal: as `spelled_alike`, in any case."""
    return spelled_alike(spelled_alike(name).casefold())


def nearly_alike(name: str) -> str:
    """Return one spelling for names that differ in marks at the ends and between words: `not_safe`, `'not safe'.`."""
    return _BETWEEN_WORDS.sub(" ", read_alike(name).strip(_AT_ENDS))


class SimilarFiles:
    """Files of folders by names that look equal. Every folder is listed once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, bool], dict[str, list[str]]] = {}

    def below(self, folder: str, relative: str) -> list[str]:
        r"""Return files or folders below `folder` with a name like `relative`; in any case only if none is closer.

        `/` and `\\` both separate. No result leads out of `folder`, except by a link.
        """
        parts = [part for part in _SEPARATORS.split(relative) if spelled_alike(part) not in ("", ".")]
        if not parts:
            return []
        unquoted = [*parts[:-1], parts[-1].rstrip(_QUOTES)]
        unquoted[0] = unquoted[0].lstrip(_QUOTES)
        return (
            self._matches(folder, parts, any_case=False)
            or self._matches(folder, parts, any_case=True)
            or (self._matches(folder, unquoted, any_case=False) if unquoted != parts else [])
        )

    def _matches(self, folder: str, parts: list[str], *, any_case: bool) -> list[str]:
        places = [folder]
        for part in parts:
            key = read_alike(part) if any_case else spelled_alike(part)
            places = [
                os.path.join(place, name) for place in places for name in self._listed(place, any_case).get(key, ())
            ]
        return places

    def _listed(self, folder: str, any_case: bool) -> dict[str, list[str]]:
        if (folder, any_case) not in self._names:
            names: dict[str, list[str]] = {}
            for name in _names_in(folder):
                names.setdefault(read_alike(name) if any_case else spelled_alike(name), []).append(name)
            self._names[folder, any_case] = names
        return self._names[folder, any_case]


def _names_in(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:  # a file, or a folder without permission
        return []
