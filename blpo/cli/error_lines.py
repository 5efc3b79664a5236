"""Failure of a command: one line on stderr and an exit code, no traceback."""

import os
import re
import sys
import traceback
from collections.abc import Sequence

import typer

from blpo.cli.terminal_lines import fitted
from blpo.runs.wording import single_line
from state.errors import BlpoError, DataError

_MOST_PROBLEMS = 10
"""Problems of a dataset in the output. Further problems are counted."""
_FURTHER = re.compile(r"and (\d+) more")

INTERRUPTED = 130


def explain(error: BaseException) -> int:
    """Print the error and return the exit code; `BLPO_DEBUG=1` shows the traceback too."""
    if os.environ.get("BLPO_DEBUG") == "1":
        traceback.print_exception(error)
    match error:
        case BrokenPipeError():
            _close_stdout()
            return 1
        case KeyboardInterrupt():
            return INTERRUPTED
        case typer.TyperException():
            return _usage(error)
        case BlpoError():
            for line in str(error).splitlines():
                say(line)
            _list_problems(error)
            return error.exit_code
        case OSError():
            _close_stdout()
            say(_in_words(error))
            return 1
    say(f"internal error: {type(error).__name__}: {error} (at {_place(error)}); BLPO_DEBUG=1 shows the traceback")
    return 1


def say(message: str) -> None:
    """Print a line on stderr."""
    print(fitted(f"blpo: {single_line(message)}", sys.stderr), file=sys.stderr)


def _usage(error: typer.TyperException) -> int:
    message = error.format_message().replace("Value error, ", "")
    if message.startswith("Usage:"):  # the help page, shown because no command was given
        print(message, file=sys.stderr)
    else:
        context = getattr(error, "ctx", None)
        say(f"{message.rstrip('.')} (see {context.command_path if context else 'blpo'} --help)")
    return error.exit_code


def _list_problems(error: BlpoError) -> None:
    problems = [p for p in error.problems if p not in str(error)] if isinstance(error, DataError) else []
    for line in folded_problems(problems):
        print(fitted(f"  {single_line(line)}", sys.stderr), file=sys.stderr)


def folded_problems(problems: Sequence[str]) -> list[str]:
    """Return the first ten problems, and a line with a count of the rest."""
    further = _FURTHER.fullmatch(problems[-1]) if problems else None
    if further:  # a bounded list ends with its own count
        problems = problems[:-1]
    more = len(problems) - _MOST_PROBLEMS + (int(further[1]) if further else 0)
    return [*problems[:_MOST_PROBLEMS], *([f"and {more} more"] if more > 0 else [])]


def _in_words(error: OSError) -> str:
    return f"{error.filename or 'writing the output'}: {error.strerror or error}"


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].filename}:{frames[-1].lineno}" if frames else "an unknown place"


def _close_stdout() -> None:
    """Replace a stdout without a reader, so that the interpreter does not flush the closed pipe at exit."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
