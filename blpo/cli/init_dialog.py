"""Dialog on stderr and stdin: questions with defaults."""

import sys
from collections.abc import Callable
from typing import TypeVar

from blpo.cli.error_lines import say
from blpo.runs.wording import single_line
from state.errors import BlpoError

_T = TypeVar("_T")


class Dialog:
    """Dialog with a person, or without: then every question takes its default."""

    def __init__(self, asks: bool) -> None:
        self._asks = asks
        self.assumptions: list[str] = []
        """Names and defaults of questions that nobody was asked."""

    def answer(
        self, name: str, question: str, option: str | None, parse: Callable[[str], _T], default: tuple[str, _T]
    ) -> _T:
        """Return the value of the option, else the person's answer, else the default (its text, its value)."""
        if option is not None:
            return parse(option)
        while True:
            text = self._line(f"{question} [{default[0]}]: ")
            if not text:
                if not self._asks:
                    self.assumptions.append(f"{name} {default[0]}")
                return default[1]
            try:
                return parse(text)
            except BlpoError as error:
                say(str(error))

    def _line(self, prompt: str) -> str:
        if not self._asks:
            return ""
        sys.stderr.write(single_line(prompt) + " ")
        sys.stderr.flush()
        line = sys.stdin.readline()
        self._asks = bool(line)  # at the end of stdin, take the defaults
        if not line:
            sys.stderr.write("\n")
        return line.strip()
