"""Process that sends a run to its tracker: `python -m blpo.tracking.sender_process RUN TRACKER GROUP`.

`blpo.tracking.sending` alone starts the process. A process of its own keeps the tracker's imports, waits, threads,
settings and output away from the run. The process looks into the run directory every few seconds. The line "end" on
stdin says that the run has ended: the process sends the rest and ends. At the end of stdin without this line the parent
is gone, and the process ends at once; a resume of the run sends the rest.

The process writes JSON lines on stdout: {} after every step, {"warning": TEXT} for a person.
"""

import json
import os
import sys
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from shlex import quote
from typing import Any, TextIO, cast

from blpo.tracking.open_tracker import failure_text, open_tracker, tracker_place
from blpo.tracking.run_sender import RunSender
from state.settings import TrackerName

INTERVAL = 2.0
"""Seconds between two looks into the run directory."""
RETRY = 20.0
"""Seconds after a failure."""


def main(arguments: list[str]) -> int:
    """Send until the run has ended; return the exit code."""
    tell, ended = partial(_tell, _own_stdout()), threading.Event()
    threading.Thread(target=_listen, args=(ended,), daemon=True).start()
    directory, name, group = Path(arguments[0]), cast(TrackerName, arguments[1]), arguments[2]
    sender = RunSender(directory, name, partial(open_tracker, name), group=group, on_step=tell)
    attempt, is_warned, pause = partial(_failure, name), False, 0.0
    while not ended.wait(pause):
        failure = attempt(sender.send)
        if failure and not is_warned and not ended.is_set():
            tell(warning=f"{tracker_place(name)}: {failure}; the run goes on, and sends again later")
            is_warned = True
        pause = RETRY if failure else INTERVAL
    if failure := attempt(sender.finish):
        tell(
            warning=f"{tracker_place(name)}: {failure}; the record lacks parts of the run, so send them by: blpo resume"
            f" {quote(str(directory))}"
        )
    return 0


def _failure(name: TrackerName, work: Callable[[], None]) -> str:
    """Do some work; return the reason of its failure, and an empty text without one."""
    try:
        work()
    except Exception as error:  # a tracker's library may raise anything, and no run may suffer
        return failure_text(name, error)
    return ""


def _own_stdout() -> TextIO:
    """Return the stdout of the process, and send all further output of libraries and their processes to stderr."""
    messages = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    return messages


def _tell(messages: TextIO, **message: Any) -> None:
    messages.write(json.dumps(message) + "\n")
    messages.flush()


def _listen(ended: threading.Event) -> None:
    """Wait for the end of the run in a thread, because a request may hold up the process."""
    if sys.stdin.readline() == "end\n":
        ended.set()
        sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    os._exit(code)  # without the exit handlers of libraries, which may wait for a server
