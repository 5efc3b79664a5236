"""Draw of labelled examples from the train split: each label in turn, so that no label is missing."""

from collections.abc import Sequence
from dataclasses import replace
from types import MappingProxyType

from blpo.data.dataset import SPLITS, Dataset
from blpo.data.splits import seeded
from state.errors import DataError
from state.sample import Sample
from state.settings import Settings


def with_examples_drawn(dataset: Dataset, settings: Settings) -> Dataset:
    """Return the dataset with `prompts.examples` samples of train (of each task) as examples, no longer in train.

    Criteria of one image have the same examples. Raises `DataError` if train has too few samples.
    """
    count = settings.prompts.examples
    if not count:
        return dataset
    train = dataset.splits["train"]
    names = settings.task_names or ("",)
    examples: list[Sample] = []
    for name in names[:1] if settings.criteria else names:
        own = [sample for sample in train if sample.task == name]
        examples += _each_label_in_turn(own, count, settings.search.seed)
    if settings.criteria:  # the other criteria of the same items
        examples = [sample for example in examples for sample in train if sample.item == example.item]
    ids = {sample.id for sample in examples}
    rest = tuple(sample for sample in train if sample.id not in ids)
    if len({(sample.task, sample.label) for sample in rest}) < 2 * len(names):
        raise DataError(f"prompts.examples: {count} examples leave too few samples in the train split; lower it")
    splits = {name: rest if name == "train" else dataset.splits[name] for name in SPLITS}
    return replace(dataset, splits=MappingProxyType(splits), examples=tuple(examples))


def _each_label_in_turn(samples: Sequence[Sample], count: int, seed: int) -> list[Sample]:
    queues: dict[object, list[Sample]] = {}
    for sample in sorted(samples, key=lambda sample: seeded(seed, "examples", sample.id)):
        queues.setdefault(sample.label, []).append(sample)
    examples: list[Sample] = []
    while len(examples) < count and any(queues.values()):
        for label in sorted(queues, key=str):
            if queues[label] and len(examples) < count:
                examples.append(queues[label].pop())
    return examples
