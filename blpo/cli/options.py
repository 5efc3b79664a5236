"""Arguments and options of several commands."""

import json
import os
from pathlib import Path
from typing import Annotated

import typer

from state.errors import ConfigError


def _refuse_folder(config: str | None) -> str | None:
    """Return the config; raises `ConfigError` for a folder with a config, because a folder is no config."""
    inside = os.path.join(config or "", "config.yaml")
    if config and os.path.isfile(inside):
        raise ConfigError(f"{config} is a folder; give the config in it, {inside}")
    return config


ConfigArgument = Annotated[
    str | None,
    typer.Argument(
        metavar="CONFIG",
        help="A YAML file; without it the built-in sample.",
        show_default=False,
        callback=_refuse_folder,
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Set any setting, e.g. search.seed=3; may be repeated."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print result.json on stdout, and nothing else.")]
Gates = Annotated[
    list[str] | None,
    typer.Option(
        "--gate",
        metavar="GATE",
        help="Bound to keep on the test split: 'macro_f1>=0.8', 'TASK:recall.unsafe>=0.95'; may be repeated.",
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress on stderr.")]
RunArgument = Annotated[Path, typer.Argument(metavar="RUN", help="The directory of a run.", show_default=False)]


def with_run_dir(overrides: list[str] | None, run_dir: Path | None) -> list[str]:
    """Return the overrides with the run directory, relative to the working directory and not to the config."""
    return [*(overrides or []), *([] if run_dir is None else [f"run.dir={json.dumps(str(run_dir.absolute()))}"])]
