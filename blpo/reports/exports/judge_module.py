"""A judge as one Python file: alone, or with a door for the evaluations of another library.

The files are made from templates/*.jinja. All values are written as Python literals with unprintable characters
escaped, so that a prompt or a label is never code.
"""

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import parse_qsl, urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from blpo.deployment.input_labels import UnusableImage
from blpo.inference.answer_forms import AnswerForm, answer_form
from blpo.inference.answers import MOST_REPEATED
from blpo.inference.prompt_parts import prompt_shown
from blpo.inference.question import (
    CONTEXT_NAMES,
    CONTEXT_NOTES,
    JUDGED_IMAGE,
    LIST_TEXT_NOTE,
    PAIR_TEXT_NOTE,
    REFERENCE_TEXT_NOTE,
    TEXT_NOTE,
    TWO_TEXTS_NOTE,
)
from blpo.models.openai.parameters import request_fields, schema_arguments
from blpo.models.server_address import address_and_query, served_name
from blpo.models.verdict_format import LABEL, Place, answer_template, label_form, labels_of, verdict_schema
from blpo.prompts.template import template
from blpo.reports.exports.literals import literal
from blpo.reports.exports.standalone import standalone_text
from blpo.runs.judge_file import JudgeFile
from state.errors import ConfigError
from state.sample import Sample
from state.settings import ModelSettings, TaskSettings

Door = Literal["python", "openevals", "langsmith", "mlflow"]
DOORS: tuple[Door, ...] = get_args(Door)
WITH_SCORES: tuple[Door, ...] = ("openevals", "langsmith")
"""Doors that give a category a score."""

_KEYS = {"openai": "OPENAI_API_KEY", "vllm": "VLLM_API_KEY"}
"""Environment variables of keys, by provider of an openai client."""
_CREDENTIALS = {"authorization", "api-key", "x-api-key"}
_SECRET = ("key", "token", "secret", "passw", "sig")
STANDALONE = (
    "blpo.data.png_chunks",
    "blpo.data.heif_images",
    "blpo.data.metadata",
    "blpo.data.image_conversion",
    "blpo.data.other_content",
    "blpo.data.image_encoding",
    "blpo.prompts.delimiters",
    "blpo.models.foreign_text",
    "blpo.models.thinking",
    "blpo.models.answer_wrapping",
    "blpo.models.permutation_reading",
    "blpo.models.verdict_reading",
    "blpo.models.server_sayings",
    "blpo.models.error_json",
    "blpo.models.server_errors",
)
"""Modules in the text of an exported judge."""
SCORES = "blpo.models.label_scores"
"""Further module for a judge with log-probabilities."""
IMAGE_NAMES = "state.image_names"
"""Further module for a judge of several images with one label."""
SENTENCES = "blpo.models.sentences"
"""Further module for a judge of pairs."""


@dataclass(frozen=True, slots=True)
class JudgeOfTasks:
    """A judge of several tasks, and the one task of an export."""

    file: JudgeFile
    name: str

    @property
    def form(self) -> AnswerForm:
        """Form of the answer about one image."""
        return answer_form(self.file.settings, self._sample)

    @property
    def prompt(self) -> str:
        """Text of the judge prompt that the judge sees about the task."""
        return prompt_shown(self.file.judge_prompt, self._sample, self.file.settings)

    @property
    def test(self) -> dict[str, Any] | None:
        """Figures of the test of the task; None without a test."""
        return next(task.test for task in self.file.tasks if task.name == self.name)

    @property
    def _sample(self) -> Sample:
        return Sample(f"{self.name}/item", (UnusableImage("item", "is no image"),), None, task=self.name)


class Code(str):
    """Source text, inserted unchanged."""

    __slots__ = ()


def judge_module(judge: JudgeFile, door: Door, exported_from: str, whole: JudgeOfTasks | None = None) -> str:
    """Return the source of a file with this judge.

    `whole` is the judge of several tasks of which `judge` is one. Raises `ConfigError` for a secret in the address, for
    pairs in a random order or apart, and for examples.
    The file of a judge on an OpenAI-compatible server needs no blpo. For other judges the file calls `blpo.load_judge`.
    """
    _refuse_secrets(judge.model)
    _refuse_task(judge.task)
    if judge.examples:
        raise ConfigError("an exported file has no examples, and this judge sees some: judge with blpo judge")
    served = judge.model.name.partition(":")[0] in _KEYS
    content = {
        "base": "served.jinja" if served else "inside.jinja",
        "is_served": served,
        "is_program": door == "python",
        "exported_from": exported_from,
        "validation": judge.validation,
        "test": judge.test and judge.test.model_dump(),
        "verdict": judge.verdict,
        "task": judge.task,
        "task_name": whole.name if whole else "",
        "is_pair": judge.task.kind == "pairwise",
        "is_several": judge.image_names is not None,
        "further": tuple(name for name in judge.further_columns or () if name != "before"),
        "scores": _scores(judge.task),
        "Code": Code,
        **(_served(judge, whole) if served else {"model": judge.model.name, "judge_yaml": _yaml(judge, whole)}),
    }
    if whole is not None:
        content["test"] = whole.test
    return _environment().get_template(f"{door}.jinja").render(content).strip() + "\n"


def missing_here(door: Door) -> str:
    """Return a hint to install the library that the file needs; empty if the library is there."""
    if door == "python" or find_spec(door) is not None:
        return ""
    return f"the file needs {door}, which is not installed here; install it with: pip install -e '.[exports]'"


def _yaml(judge: JudgeFile, whole: JudgeOfTasks | None) -> str:
    return judge.dump() if whole is None else whole.file.dump()


def _served(judge: JudgeFile, whole: JudgeOfTasks | None) -> dict[str, Any]:
    model, provider = judge.model, judge.model.name.partition(":")[0]
    scale = judge.task.answer_scale
    form = None if whole is None else whole.form
    schema = verdict_schema(scale, model.reason) if form is None else form.schema
    key = LABEL if form is None else form.key
    missing = f'it is no JSON object whose "{LABEL}" is {label_form(scale)}' if form is None else form.missing
    structure = schema_arguments(schema, model.structured_output)["extra_body"] if model.structured_output else {}
    address, query = address_and_query(model.base_url or "")
    return {
        "judge_prompt": judge.judge_prompt if whole is None else whole.prompt,
        "key": key,
        "task_note": "" if form is None else form.task_note,
        "frame": _frame("judge_pair" if judge.task.kind == "pairwise" else "judge", key, model.reason),
        "scale": scale,
        "ratings": scale.label_by_answer if judge.task.answer == "word" else {},
        "image_names": judge.image_names,
        "frame_of_several": _frame("judge_images", key, model.reason),
        "list_text_note": LIST_TEXT_NOTE,
        "orders": ("ab", "ba") if judge.task.order == "both" else ("ab",),
        "context_names": CONTEXT_NAMES,
        "context_notes": CONTEXT_NOTES,
        "judged_image": JUDGED_IMAGE,
        "reference_text_note": REFERENCE_TEXT_NOTE,
        "pair_text_note": PAIR_TEXT_NOTE,
        "two_texts_note": TWO_TEXTS_NOTE,
        "repair": template("repair"),
        "label_form": label_form(scale) if key == LABEL else missing.partition(" with ")[2],
        "missing": missing,
        "place": "above" if model.part_order == "image_first" else "below",
        "text_note": TEXT_NOTE,
        "most_repeated": MOST_REPEATED,
        "model": served_name(model),
        "base_url": address or None,
        "query": dict(parse_qsl(query)),
        "key_variable": _KEYS[provider],
        "needs_key": provider == "openai" and not _CREDENTIALS & {name.lower() for name in model.headers},
        "headers": model.headers,
        "fields": {name: value for name, value in request_fields(model).items() if value is not None},
        "structure": structure,
        "timeout": model.timeout,
        "max_retries": model.max_retries,
        "max_concurrency": model.max_concurrency,
        "max_pixels": model.max_pixels,
        "max_side": model.max_side,
        "labels": labels_of(schema) if model.logprobs and key == LABEL else [],
        "own_modules": Code(standalone_text([*STANDALONE, *_further_modules(judge)])),
    }


def _frame(name: str, key: str, reason: Place) -> str:
    """Return the frame with the form of the answer; the other places stay to be filled."""
    answer = template(answer_template(key, reason))
    return template(name).replace("{{answer_form}}", answer.replace("{{label_forms}}", "{{label_form}}"))


def _further_modules(judge: JudgeFile) -> list[str]:
    pair = [SENTENCES] if judge.task.kind == "pairwise" else []
    names = [IMAGE_NAMES] if judge.image_names is not None else []
    return [*pair, *names, *([SCORES] if judge.model.logprobs else [])]


def _scores(task: TaskSettings) -> dict[str, float | None]:
    """Return the score of each category: 1 for the positive category, 0 for the others; None without a positive one.

    Pairs score 1 for a, 0 for b and 1/2 for a tie: the mean is the share of a.
    """
    if task.kind == "pairwise":
        return {label: {"a": 1, "b": 0}.get(label, 0.5) for label in map(str, task.values)}
    return {label: None if task.positive is None else int(label == task.positive) for label in task.labels}


def _refuse_task(task: TaskSettings) -> None:
    if task.kind == "pairwise" and task.order == "random":
        raise ConfigError(
            "task.order: random draws an order from the id of a pair, and a file of its own knows no ids; judge with"
            " blpo judge, or optimize with task.order: both"
        )
    if task.kind == "pairwise" and task.order == "apart":
        raise ConfigError("task.order: apart labels each of the two alone: export the judge of single images instead")


def _refuse_secrets(model: ModelSettings) -> None:
    parts = urlsplit(model.base_url or "")
    named = [name for name, _ in parse_qsl(parts.query) if any(word in name.lower() for word in _SECRET)]
    if parts.username or parts.password or named:
        where = f"?{named[0]}=" if named else "a user or password"
        raise ConfigError(
            f"model.base_url holds {where}: a secret must not be in a file; take it out of judge.yaml, and give it"
            " in the environment (a header of the model's settings, or the key)"
        )


@cache
def _environment() -> Environment:
    return Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=False,  # no markup: `finalize` makes literals
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_literal,
    )


def _literal(value: object) -> str:
    return value if isinstance(value, Code) else literal(value)
