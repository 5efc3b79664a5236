"""Files of an export beside the data: recipe, the trainer's configuration, reward, README, and the trained judge."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from blpo.config.settings_file import dump_settings
from blpo.config.yaml_text import write_yaml
from blpo.training.exported import Exported
from blpo.training.frameworks import FRAMEWORKS, FrameworkName
from blpo.training.recipe import RECIPE, Recipe, recipe_text
from blpo.training.reward_file import REWARD_FILE, reward_file
from state.settings import ModelSettings, RunSettings, Settings

JUDGE = "judge"
"""Name of the served model."""
_SERVER = "http://localhost:8000/v1"
_CHARACTERS_A_TOKEN = 4
_MOST_TOKENS = 8000


def write_files(
    folder: Path,
    name: FrameworkName,
    recipe: Recipe,
    exported: Exported,
    settings: Mapping[str, Settings],
    prompts: Mapping[str, str],
) -> None:
    """Write all files beside the data.

    By source, `settings` are the judge's with the pixel limit of the recipe, and `prompts` the prompt of the export.
    """
    framework = FRAMEWORKS[name]
    configs = {source: "config.yaml" if len(settings) == 1 else f"configs/{source}.yaml" for source in settings}
    files = {
        RECIPE: recipe_text(recipe),
        framework.config: write_yaml(framework.settings(recipe, exported.examples, exported.images)),
        **{file: dump_settings(trained_judge(settings[source], prompts[source])) for source, file in configs.items()},
        **framework.further(recipe.stage),
        **({REWARD_FILE: reward_file()} if recipe.stage == "grpo" else {}),
    }
    readme = _environment().get_template("readme.md.jinja")
    values = {
        "name": name,
        "framework": framework,
        "recipe": recipe,
        "exported": exported,
        "judge": JUDGE,
        "configs": configs,
    }
    files["README.md"] = readme.render(values, rate=f"{recipe.rate:g}", tasks=exported.by_task).strip() + "\n"
    for file, text in files.items():
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")


def trained_judge(settings: Settings, prompt: str) -> Settings:
    """Return the settings of a run that judges by the trained model on a local server, under the prompt of the export.

    The frame, the images and the order of the parts are those of the training.
    """
    own = settings.models.of("judge")
    judge = ModelSettings(
        name=f"vllm:{JUDGE}",
        base_url=_SERVER,
        max_pixels=own.max_pixels,
        max_side=own.max_side,
        part_order=own.part_order,
    )
    models = settings.models.model_copy(
        update={
            "judge": judge,
            "optimizer": settings.models.of("optimizer"),
            "verbalizer": None,
            "judges": (),
            "panel": None,
        }
    )
    tokens = min(max(settings.search.max_prompt_tokens, len(prompt) // _CHARACTERS_A_TOKEN + 1), _MOST_TOKENS)
    search = {**settings.search.explicit, "metric": settings.search.metric, "max_prompt_tokens": tokens}
    prompts = settings.prompts.model_copy(update={"judge": prompt, "judge_file": None})
    changes = {"models": models, "prompts": prompts, "search": type(settings.search)(**search), "run": RunSettings()}
    return settings.model_copy(update=changes)


def _environment() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent / "templates")
    return Environment(loader=loader, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
