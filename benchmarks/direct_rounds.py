"""Rounds of scored trials with the embedded models, without messages, calls or a store: a search in a second.

The functions are the models' own: the judge's rule, the optimizer's regression and its next I2T prompt. The draws and
the scores are those of `search.trials: scored`. The random choices of the optimizer differ from those of a run, because
in a run the message is the seed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from random import Random

from benchmarks.sample_values import SampleValues
from blpo.data.dataset import Dataset
from blpo.inference.initial_prompts import initial_prompts
from blpo.metrics.gain import Gain
from blpo.metrics.task_metrics import gain_on
from blpo.models.embedded.i2t_prompt_revision import criticise_descriptions, next_i2t_prompt
from blpo.models.embedded.judge_prompt_revision import criticise_judge_prompt, rewrite_judge_prompt
from blpo.models.embedded.message_reading import MessageCase
from blpo.models.embedded.rubric import Rule
from blpo.models.embedded.rubric_text import parse_rubric
from blpo.models.embedded.rubric_verdict import LabelSet
from blpo.models.embedded.verbalizer_model import GENERAL
from blpo.models.embedded.vocabulary import mentioned
from nodes.collect_errors import draw
from state.sample import Sample
from state.settings import Settings
from state.settings.search_settings import SCORE_SIZE

_ROOM = 6000
"""Characters of a prompt."""
_NO_GAIN = Gain(-1.0, 0.0)


@dataclass(frozen=True, slots=True)
class DirectTrial:
    """A trial: q, p' = J(q, p), and the score of p'."""

    i2t_prompt: str
    judge_prompt: str
    score: Gain
    cases: tuple[MessageCase, ...]


@dataclass
class DirectSearch:
    """Search with scored trials on a dataset of single images with one task."""

    settings: Settings
    dataset: Dataset
    values: SampleValues
    _random: Random = field(init=False)

    def __post_init__(self) -> None:
        """Seed the optimizer's choices."""
        self._random = Random(self.settings.search.seed)

    def rounds(self, number: int) -> Iterator[list[DirectTrial]]:
        """Yield the trials of up to `number` rounds; fewer if no verdict is wrong."""
        p, q = initial_prompts(self.settings)
        for t in range(number):
            errors, anchors, scored_on = self._draws(p, t)
            if not errors:
                return
            trials: list[DirectTrial] = []
            for _ in range(self.settings.search.inner_steps + 1):
                trials.append(self._trial(p, q, [*errors, *anchors], scored_on))
                best = max(trials, key=lambda trial: trial.score.difference)
                q = self._next(p, trials, best)
            yield trials
            q, p = best.i2t_prompt, best.judge_prompt if best.score.is_clear else p

    def _draws(self, p: str, t: int) -> tuple[list[Sample], list[Sample], list[Sample]]:
        """Draw errors and anchors of train, and the samples of the score."""
        search, seed = self.settings.search, f"{self.settings.search.seed}/{t}"
        labelled = (*self.dataset.splits["train"], *self.dataset.splits["validation"])
        train = [(s.id, (s.label, self.values.verdict(p, s).label)) for s in self.dataset.splits["train"]]
        wrong, right = ([row for row in train if (row[1][0] == row[1][1]) is is_right] for is_right in (False, True))
        errors = draw(wrong, search.error_batch, f"{seed}/errors", spread=True)
        anchors = draw(right, search.anchors, f"{seed}/anchors", spread=True)
        unseen = [(s.id, None) for s in labelled if s.id not in {*errors, *anchors}]
        scored_on = draw(unseen, SCORE_SIZE * (len(errors) + len(anchors)), f"{seed}/score", spread=False)
        return self._samples(errors), self._samples(anchors), self._samples(scored_on)

    def _samples(self, ids: Sequence[str]) -> list[Sample]:
        return [self.dataset.by_id[sample_id] for sample_id in ids]

    def _trial(self, p: str, q: str, batch: Sequence[Sample], scored_on: Sequence[Sample]) -> DirectTrial:
        cases = tuple(self._case(p, q, sample) for sample in batch)
        candidate = rewrite_judge_prompt(p, criticise_judge_prompt(p, cases, self._labels), _ROOM)
        before, after = ([self.values.verdict(prompt, s) for s in scored_on] for prompt in (p, candidate))
        return DirectTrial(q, candidate, gain_on(before, after, scored_on, self.settings) or _NO_GAIN, cases)

    def _next(self, p: str, trials: Sequence[DirectTrial], best: DirectTrial) -> str:
        """Return the next q: from the best and the last trial."""
        compared = [best.cases] if trials[-1] is best else [best.cases, trials[-1].cases]
        critique = criticise_descriptions(p, compared, self._labels)
        return next_i2t_prompt([trial.i2t_prompt for trial in trials], critique, _ROOM, self._random, self._labels)

    def _case(self, p: str, q: str, sample: Sample) -> MessageCase:
        """Return the case as the optimizer reads it: the attributes of the judge's reason and of the description."""
        in_reason = [sentence.attribute for sentence in parse_rubric(p) if isinstance(sentence, Rule)]
        values, verdict = self.values.of(sample), self.values.verdict(p, sample)
        names = dict.fromkeys((*in_reason, *(mentioned(q) or GENERAL)))
        return MessageCase(str(sample.label), str(verdict.label), {name: float(round(values[name])) for name in names})

    @property
    def _labels(self) -> LabelSet:
        return self.values.labels
