"""Tokens of each kind of call, from the frames of the prompts and the lengths of prompts and replies."""

from dataclasses import dataclass, replace

from blpo.costs.call_counts import CallCounts, batch_size
from blpo.costs.token_sizes import tokens
from blpo.costs.workload import Workload
from blpo.inference.descriptions import MAX_WORDS, most_words
from blpo.models.catalogue import facts
from blpo.prompts.template import template
from state.ranking import MOST_IMAGES
from state.settings import PriceSettings, Settings


@dataclass(frozen=True, slots=True)
class Replies:
    """Assumed lengths of replies in tokens."""

    verdict: int
    description: int
    critique: int
    thinking: int
    """Reasoning of a reasoning model before each reply; billed as output."""


SHORT = Replies(verdict=20, description=40, critique=60, thinking=100)
LONG = Replies(verdict=120, description=MAX_WORDS * 4 // 3, critique=800, thinking=4000)

_CASE = 40
"""Tokens of the tags, the label and the verdict around a case."""
_REPAIR = 60
"""Tokens of the message that asks for a repair."""


def long_replies(settings: Settings, named_images: int = 0) -> Replies:
    """Return the longest replies to expect in a run; the description of several images is longer.

    `named_images` is the number of `Workload.named_images`.
    """
    tasks = [settings.of_task(name).task for name in settings.task_names or ("",)]
    words = [most_words(task, MOST_IMAGES if task.kind == "ranking" else named_images) for task in tasks]
    return replace(LONG, description=max(words) * 4 // 3)


@dataclass(frozen=True, slots=True)
class Load:
    """Calls and tokens of one role."""

    calls: int
    input_tokens: int
    output_tokens: int

    def usd(self, price: PriceSettings | None) -> float | None:
        """Return the cost in US dollars; None if the price is not known."""
        if price is None:
            return None
        return (self.input_tokens * price.input + self.output_tokens * price.output) / 1e6


@dataclass(frozen=True, slots=True)
class CallSizes:
    """Tokens of each kind of call, for prompts and replies of certain lengths."""

    settings: Settings
    work: Workload
    replies: Replies
    judge_prompt: int
    i2t_prompt: int

    def loads(self, counts: CallCounts, *, repairing: bool = False) -> dict[str, Load]:
        """Return the load of each role, and of each member of a panel.

        With `repairing`, every call also reads the bad reply.
        """
        models = self.settings.models
        judges = {
            role: [(counts.judge * models.of(role).votes // models.answers, *self._judge(role))]
            for role in models.judge_roles
        }
        kinds = {
            **judges,
            "verbalizer": [(counts.verbalize, *self._verbalize())],
            "optimizer": [
                (counts.critique_judge, *self._critique_judge()),
                (counts.update_judge, *self._update_judge()),
                (counts.critique_i2t, *self._critique_i2t()),
                (counts.update_i2t, *self._update_i2t()),
            ],
        }
        return {role: self._load(role, kind, repairing) for role, kind in kinds.items()}

    def _load(self, role: str, kinds: list[tuple[int, float, int]], repairing: bool) -> Load:
        model = self.settings.models.of(role)
        thinking = self.replies.thinking if facts(model).reasons.value else 0
        input_tokens = output_tokens = 0.0
        for calls, question, answer in kinds:
            reply = answer + thinking
            input_tokens += calls * (question + (answer + _REPAIR if repairing else 0))
            output_tokens += calls * (reply if model.max_tokens is None else min(reply, model.max_tokens))
        return Load(sum(calls for calls, _, _ in kinds), round(input_tokens), round(output_tokens))

    def _judge(self, role: str) -> tuple[float, int]:
        work = self.work
        images = work.images_by_role.get(role, work.judge_images)
        question = self._talk() + images + work.text + work.judge_frame + work.shown * self.judge_prompt
        return question, self.replies.verdict + work.further_labels

    def _talk(self) -> float:
        """Mean tokens of the own answer and those of all other judges, which half of the calls of a discussion read."""
        models = self.settings.models
        return models.answers * self.replies.verdict / 2 if models.calls > models.answers else 0

    def _verbalize(self) -> tuple[float, int]:
        work = self.work
        question = work.verbalizer_images + work.text + work.verbalizer_frame + self.i2t_prompt
        return question, self.replies.description

    def _cases(self, descriptions: float = 1) -> float:
        reasons = self.work.sizes.questions * self.replies.verdict
        case = _CASE + reasons + self.work.text + descriptions * self.replies.description
        cases = batch_size(self.work.sizes, self.settings.search)
        return self.work.case_notes + cases * case

    def _history(self) -> float:
        """Mean tokens of H over the steps of a round."""
        return (self._steps + 1) / 2 * (self.i2t_prompt + 20)

    @property
    def _steps(self) -> int:
        """K of a round; for the low estimate K of a later round."""
        return self.settings.search.steps_of_round(1 if self.replies is SHORT else 0)

    @property
    def _is_pooled(self) -> bool:
        return self.settings.search.trials == "pooled"

    @property
    def _part(self) -> int:
        """Tokens of the text that one update rewrites: the judge prompt, or one of its parts."""
        return -(-self.judge_prompt // self.work.sizes.shape.updates)

    def _critique_judge(self) -> tuple[float, int]:
        updates = self.work.sizes.shape.updates
        descriptions = max(self._steps, 1) if self._is_pooled else 1
        share = 1 if updates == 1 else 2 / updates  # of the parts one is about all cases, each other about its own
        question = tokens(template("critique_judge")) + self._part + share * self._cases(descriptions)
        return question, self.replies.critique

    def _update_judge(self) -> tuple[float, int]:
        return tokens(template("update_judge")) + self._part + self.replies.critique, self._part

    def _critique_i2t(self) -> tuple[float, int]:
        if self._is_pooled:
            descriptions = (self._steps - (1 if self.replies is SHORT else 0)) / 2
            question = tokens(template("critique_i2t_pooled")) + self.judge_prompt + self._history()
            return question + self._cases(max(descriptions, 0)), self.replies.critique
        trials = (1 if self.replies is SHORT else 2) * (self.judge_prompt + self.i2t_prompt + self._cases())
        question = tokens(template("critique_i2t")) + self.judge_prompt + self._history() + trials
        return question, self.replies.critique

    def _update_i2t(self) -> tuple[float, int]:
        if self._is_pooled:
            question = tokens(template("update_i2t_pooled")) + self._history() + self.replies.critique
            return question, self.i2t_prompt
        question = tokens(template("update_i2t")) + self._history() + self.i2t_prompt + self.replies.critique
        return question, self.i2t_prompt
