"""Head of a run's record: parameters and tags from config.yaml and run.json."""

import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from importlib.metadata import version
from pathlib import Path
from typing import Any

from blpo.config.settings_file import plain_settings
from blpo.runs.run_info import read_info
from blpo.runs.run_record import RunRecord
from blpo.tracking.event_points import milliseconds
from blpo.tracking.sent_parts import read_sent
from blpo.tracking.tracker import Parent, RecordHead
from state.errors import RunError
from state.settings import Settings, TrackerName


def record_head(run: RunRecord, tracker: TrackerName, group: str) -> RecordHead:
    """Return the head; raises `BlpoError` for a damaged run."""
    info, parent = run.info, _parent(run, tracker)
    tags = {
        "blpo.version": version("blpo"),
        "blpo.method": info.method,
        "blpo.directory": str(run.directory),
        "blpo.config": info.config_hash,
        "blpo.dataset": info.dataset,
    }
    if group:
        tags["blpo.group"] = group
    if parent is not None:
        tags |= {"blpo.parent": parent.run, "blpo.parent.thread": parent.thread, "blpo.parent.round": str(parent.round)}
    return RecordHead(
        name=run.directory.name,
        thread=info.thread_id,
        directory=run.directory,
        parameters=parameters(run.settings),
        tags=tags,
        time=milliseconds(info.created),
        parent=parent,
        group=group,
    )


def parameters(settings: Settings) -> dict[str, str]:
    """Return the settings by full name, without those of the run's place, and without empty ones."""
    sections = {name: section for name, section in plain_settings(settings).items() if name != "run"}
    return dict(_flat("", sections))


def _flat(prefix: str, section: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in section.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and value:
            yield from _flat(f"{name}.", {str(inner): each for inner, each in value.items()})
        elif value not in (None, "", [], {}):
            yield name, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _parent(run: RunRecord, tracker: TrackerName) -> Parent | None:
    """Return the origin of a fork, with its record while its directory is still there."""
    fork = (run.info.lineage or {}).get("fork")
    if fork is None:
        return None
    directory, record = Path(fork["run"]), None
    with suppress(RunError):  # moved or deleted
        if read_info(directory).thread_id == fork["thread_id"]:
            record = read_sent(directory, tracker, fork["thread_id"]).record
    return Parent(fork["thread_id"], directory.name, fork["round"], record)
