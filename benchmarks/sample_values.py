"""Attributes of a dataset's images as the embedded judge measures them, and the judge's verdicts, without calls."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from blpo.data.images import encode_image
from blpo.metrics.agreement import agreement
from blpo.metrics.readings import reading
from blpo.models.embedded.perception import perceive_cached
from blpo.models.embedded.rubric_verdict import LabelSet, decide
from state.sample import Sample
from state.settings import Settings
from state.verdict import Verdict


@dataclass(frozen=True)
class SampleValues:
    """Measurements and verdicts of a run's embedded judge, each computed once. Samples have one image."""

    settings: Settings
    _values: dict[str, Mapping[str, float]] = field(default_factory=dict)
    _verdicts: dict[tuple[str, str], Verdict] = field(default_factory=dict)

    @property
    def labels(self) -> LabelSet:
        """All labels of the task."""
        task = self.settings.task
        return range(task.min, task.max + 1) if task.kind == "ordinal" else tuple(task.labels)

    def of(self, sample: Sample) -> Mapping[str, float]:
        """Return the attributes of a sample's image, 0 to 100."""
        if sample.id not in self._values:
            model = self.settings.models.of("judge")
            image = encode_image(sample.images[0], model.max_pixels, model.max_side)
            self._values[sample.id] = perceive_cached(b64decode(image.base64))
        return self._values[sample.id]

    def verdict(self, judge_prompt: str, sample: Sample) -> Verdict:
        """Return f(x; p)."""
        key = judge_prompt, sample.id
        if key not in self._verdicts:
            self._verdicts[key] = Verdict(sample.id, "ok", decide(judge_prompt, self.labels, self.of(sample))[0])
        return self._verdicts[key]

    def metric(self, judge_prompt: str, samples: Sequence[Sample]) -> float:
        """Return the search metric of a judge prompt; 0 where the metric is undefined."""
        answers = [self.verdict(judge_prompt, sample).label for sample in samples]
        humans = [sample.label for sample in samples if sample.label is not None]
        return reading(agreement(answers, humans, self.settings.task), self.settings.search.metric) or 0.0
