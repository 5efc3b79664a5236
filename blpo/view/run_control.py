"""Start, stop and resume of runs from a page. A page names a config of the folder, and never an address or a key."""

import re
from pathlib import Path
from urllib.parse import quote

from starlette.responses import Response

from blpo.config.settings_file import load_settings
from blpo.view.calls import Call, go
from blpo.view.pages import Frame, site_page
from state.errors import ConfigError

_NAME = re.compile(r"\w[\w.-]{0,79}")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_LIMITS = ("calls", "tokens", "usd")


def start_page(call: Call) -> str:
    """Return the form for a new run."""
    return site_page("start.html", Frame(call.site, "start"), configs=call.site.configs)


def start_run(call: Call) -> Response:
    """Begin a run; raises `ConfigError` for a bad config, and for a name that can't be used."""
    site = call.site
    config = site.inside(site.folder, call.field("config"))
    path = new_run(site.home, call.field("name").strip())
    options = _limits(call)
    if call.field("approval") in ("judge", "all"):
        options += ["--set", f"approval={call.field('approval')}"]
    load_settings(config, options[1::2])
    site.processes.begin(path.name, ["optimize", str(config), "--run-dir", str(path), *options])
    return go(run_address(path.name))


def stop_run(call: Call) -> Response:
    """Stop a run after the current step, or at once the second time."""
    path = call.site.run(call.path["run"])
    call.site.processes.stop(path.name)
    return go(run_address(path.name))


def resume_run(call: Call) -> Response:
    """Go on with a run, perhaps with raised limits."""
    path = call.site.run(call.path["run"])
    call.site.processes.begin(path.name, ["resume", str(path), *_limits(call)])
    return go(run_address(path.name))


def new_run(home: Path, name: str) -> Path:
    """Return the directory of a new run; raises `ConfigError` for a bad name, and for a name in use."""
    if not _NAME.fullmatch(name):
        raise ConfigError("a run's name has letters, digits, '.', '-' and '_', and at most 80 of them")
    if (home / name).exists():
        raise ConfigError(f"{name} is there already; choose another name")
    return home / name


def run_address(name: str) -> str:
    """Return the address of a run by name, also of a run that is about to begin."""
    return f"/runs/{quote(name, safe='')}"


def _limits(call: Call) -> list[str]:
    """Return the limits of the form as options."""
    options: list[str] = []
    for name in _LIMITS:
        text = call.field(name).strip()
        if text and not _NUMBER.fullmatch(text):
            raise ConfigError(f"limits.{name}: {text!r} is no number")
        if text:
            options += ["--set", f"limits.{name}={text}"]
    return options
