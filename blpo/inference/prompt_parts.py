"""Parts of the judge prompt that one update rewrites: the whole prompt, or each part of a prompt for several tasks.

With `prompts.parts: per_task` the optimizer rewrites the part of a task from the cases of the task, and the common part
from all cases. A part for which the optimizer gives no usable text stays as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from blpo.inference.answer_forms import asks_once
from blpo.prompts.cases import category_names, labels_in_words, labels_of
from blpo.prompts.parts import join_parts, part_for, split_parts
from state.loops import UpdateState
from state.sample import Sample
from state.settings import Settings

COMMON = ""
"""Name of the common part; of the whole prompt where one update rewrites all of it."""
_COMMON_NOTE = (
    "This is the common part of a prompt that has a further part for each task. Write only what holds for all tasks."
)


@dataclass(frozen=True, slots=True)
class PromptPart:
    """A part of p_t with what its update needs."""

    name: str
    """Name of the task; `COMMON` for the common part or the whole prompt."""
    text: str
    labels: str
    """Labels of the part's tasks in words."""
    categories: tuple[str, ...]
    max_tokens: int
    """Longest new text."""

    def has(self, sample: Sample) -> bool:
        """Return True for a sample that the part is rewritten from."""
        return self.name in (COMMON, sample.task)


def prompt_parts(state: UpdateState, settings: Settings) -> list[PromptPart]:
    """Return the parts of p_t to rewrite; the whole prompt as one part unless `prompts.parts` is `per_task`."""
    p, room = state["judge_prompt"], settings.search.max_prompt_tokens
    if not rewrites_parts(settings):
        return [PromptPart(COMMON, p, labels_of(settings), tuple(category_names(settings)), room)]
    common, parts = split_parts(p, settings.task_names)
    room //= len(parts) + 1
    whole = PromptPart(COMMON, common, f"{labels_of(settings)}\n{_COMMON_NOTE}", tuple(category_names(settings)), room)
    own = [_own_part(name, text, settings, room) for name, text in parts.items()]
    return [whole, *own]


def rewrites_parts(settings: Settings) -> bool:
    """Return True if the parts of the judge prompt are rewritten one by one."""
    return bool(settings.task_names) and settings.prompts.parts == "per_task"


def prompt_shown(judge_prompt: str, sample: Sample, settings: Settings) -> str:
    """Return the text of p that the judge sees about a sample: all of it, or the common part and the task's own."""
    if not rewrites_parts(settings) or asks_once(settings):
        return judge_prompt
    return part_for(judge_prompt, sample.task, settings.task_names)


def joined(texts: Mapping[str, str]) -> str:
    """Return one text of the texts by part: of all critiques, or the new prompt."""
    return join_parts(texts.get(COMMON, ""), {name: text for name, text in texts.items() if name != COMMON})


def by_part(text: str, parts: Sequence[PromptPart]) -> dict[str, str]:
    """Return the texts by part of a joined text; parts without a text are left out."""
    if len(parts) == 1:
        return {COMMON: text}
    common, own = split_parts(text, [part.name for part in parts if part.name != COMMON])
    return {name: each for name, each in {COMMON: common, **own}.items() if each}


def without_other_parts(text: str, settings: Settings) -> str:
    """Return the new text of a part without parts of other tasks, which belong elsewhere."""
    return split_parts(text, settings.task_names)[0] if rewrites_parts(settings) else text


def _own_part(name: str, text: str, settings: Settings, room: int) -> PromptPart:
    entry = settings.entry_of(name)
    about = f"\nThe task decides: {entry.about}" if entry.about else ""
    return PromptPart(name, text, f"{labels_in_words(entry.task)}{about}", entry.task.labels, room)
