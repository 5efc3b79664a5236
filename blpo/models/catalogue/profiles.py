"""Model profiles shipped with langchain-openai (data of models.dev), read without importing langchain-openai.

The public way to a profile, `ChatOpenAI(...).profile`, imports the OpenAI client: a second of CPU. So the data file
alone is loaded. Tests compare the facts with the public way. A langchain-openai without the file has no profiles.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

_DATE = re.compile(r"-20\d\d-\d\d-\d\d$")


@dataclass(frozen=True, slots=True)
class Profile:
    """Facts of a profile; None: the profile does not say."""

    sees_images: bool | None = None
    reasons: bool | None = None
    takes_temperature: bool | None = None


def profile_of(name: str) -> Profile:
    """Return the profile of a vendor's model, such as `o3`; a dated version has the profile of the model."""
    profiles = shipped_profiles()
    content = profiles.get(name) or profiles.get(undated(name), {})
    return Profile(content.get("image_inputs"), content.get("reasoning_output"), content.get("temperature"))


def undated(name: str) -> str:
    """Return the name without the date of a dated version: `o3` for `o3-2025-04-16`."""
    return _DATE.sub("", name)


@cache
def shipped_profiles() -> Mapping[str, Mapping[str, Any]]:
    """Return the profiles by model name, in the form of `langchain_core.language_models.ModelProfile`."""
    package = find_spec("langchain_openai")
    path = Path(package.origin).parent / "data" / "_profiles.py" if package and package.origin else None
    spec = spec_from_file_location("_langchain_openai_profiles", path) if path and path.is_file() else None
    if spec is None or spec.loader is None:
        return {}
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    profiles: Mapping[str, Mapping[str, Any]] = getattr(module, "_PROFILES", {})
    return profiles
