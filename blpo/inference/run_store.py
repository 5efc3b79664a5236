"""Place of a run's answers: a file in the run directory, or a team's database."""

from pathlib import Path

from blpo.storage.response_store import ResponseStore
from blpo.storage.team_store import TeamRun, TeamStore
from state.settings import Settings

StorePlace = Path | TeamRun
"""The SQLite file of a response store, or a run of a team's database."""


def store_place(settings: Settings, directory: Path, thread: str) -> StorePlace:
    """Return the place of the answers of the run in `directory` with the LangGraph thread `thread`."""
    return TeamRun(thread, directory) if settings.run.in_postgres else store_path(directory)


def store_path(directory: Path) -> Path:
    """Return the file of the response store of a run directory."""
    return directory / "responses.sqlite"


def images_folder(place: StorePlace) -> Path:
    """Return the folder of encoded images in the run directory."""
    return (place.directory if isinstance(place, TeamRun) else place.parent) / "images"


async def open_store(place: StorePlace) -> ResponseStore:
    """Open or create the response store; raises `RunError` and `ConfigError`."""
    return await (TeamStore.open_run(place) if isinstance(place, TeamRun) else ResponseStore.open(place))


async def open_store_to_read(place: StorePlace) -> ResponseStore:
    """Open an existing response store, and leave the file unchanged; raises `RunError` for a missing store."""
    return await (TeamStore.open_run(place) if isinstance(place, TeamRun) else ResponseStore.open_to_read(place))
