"""Judges by their settings, for tests without a server."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from blpo.inference.open_models import OpenModels, open_models
from state.settings import LimitSettings, ModelSettings, ModelsSettings, Settings

GOOD = json.dumps({"reason": "fine", "label": 4})


def model(name: str, **settings: Any) -> ModelSettings:
    return ModelSettings(name=name, **settings)


@asynccontextmanager
async def judging(judge: ModelSettings) -> AsyncIterator[OpenModels]:
    roles = ModelsSettings(judge=judge, optimizer=judge)
    settings = Settings(models=roles, limits=LimitSettings(max_failure_rate=1))
    async with open_models(settings) as models:
        yield models
