"""Checks of valid settings before use: no setting holds a secret, and all prompt files exist."""

import os
import re
from urllib.parse import urlsplit

from blpo.config.setting_paths import PATHS, is_database_url
from blpo.config.setting_problems import SettingProblem
from state.settings import POSTGRES, Settings

_SECRET_PARAMETER = re.compile(r"(^|[?&])[^=&]*(key|token|secret|passw|sig)[^=&]*=", re.IGNORECASE)


def secrets_in(settings: Settings) -> list[SettingProblem]:
    """Return a problem for every setting with a secret. No problem quotes the secret."""
    problems, models = [], settings.models
    named = {role: models.of(role) for role in models.judge_roles}
    for role, model in {**named, "verbalizer": models.verbalizer, "optimizer": models.optimizer}.items():
        if model is not None and model.base_url is not None and _holds_secret(model.base_url):
            text = "holds a user name, a password or a key; take it out, secrets are read from the environment alone"
            problems.append(SettingProblem(f"models.{role}.base_url", text))
    if is_database_url(settings.run.checkpoints or ""):
        text = f"write {POSTGRES}, and put the database's URL into the environment variable BLPO_DATABASE_URL"
        problems.append(SettingProblem("run.checkpoints", text))
    return problems


def paths_with_nul(settings: Settings) -> list[SettingProblem]:
    """Return a problem for every path with a NUL character, which no file system takes."""
    return [
        SettingProblem(f"{section}.{name}", "holds a NUL character; take it out")
        for section, name in PATHS
        if "\0" in (getattr(getattr(settings, section), name, None) or "")
    ]


def missing_files(settings: Settings) -> list[SettingProblem]:
    """Return a problem for every missing prompt file."""
    files = {f"prompts.{name}": getattr(settings.prompts, name) for name in ("judge_file", "i2t_file")}
    return [
        SettingProblem(key, f"{path} is no file")
        for key, path in files.items()
        if path is not None and not os.path.isfile(path)
    ]


def _holds_secret(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "@" in url
    return "@" in parts.netloc or bool(_SECRET_PARAMETER.search(parts.query))
