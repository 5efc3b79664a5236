"""Sizes of a dataset and its prompts for an estimate, without models and without requests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import mean
from typing import Literal

from blpo.costs.dataset_sizes import DatasetSizes
from blpo.costs.frame_sizes import case_notes, frame, further_labels
from blpo.costs.token_sizes import tokens
from blpo.data.image_encoding import fitted_size
from blpo.data.images import image_size
from blpo.data.run_dataset import dataset_of
from blpo.inference.answer_forms import asks_once
from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.prompt_parts import prompt_shown
from blpo.inference.question import as_shown
from blpo.models.catalogue import facts
from state.sample import Sample
from state.settings import Settings

MOST_MEASURED = 200
"""Maximum number of samples with measured images, spread over the dataset. Other samples count as the mean."""


@dataclass(frozen=True, slots=True)
class Workload:
    """Sizes in samples and in tokens."""

    sizes: DatasetSizes
    judge_images: float
    """Mean tokens of all images in a request to the judge; of a panel to the first member."""
    verbalizer_images: float
    text: float
    """Mean tokens of all texts of a sample."""
    judge_prompt: int
    """Tokens of p_0."""
    i2t_prompt: int
    """Tokens of q_0."""
    judge_frame: float
    """Mean tokens of the text around the judge prompt."""
    verbalizer_frame: float
    shown: float = 1.0
    """Share of the judge prompt that a message to the judge shows."""
    further_labels: int = 0
    """Tokens of an answer for all criteria, beyond an answer with one label."""
    case_notes: int = 0
    """Tokens of the notes on several tasks in a message to the optimizer."""
    named_images: int = 0
    """Most images of a sample with one label whose images have names; 0 for other samples."""
    images_by_role: Mapping[str, float] = field(default_factory=dict)
    """Mean tokens of all images in a request to a member of a panel, by role; empty for one judge."""


def workload_of(settings: Settings) -> Workload:
    """Measure dataset and prompts of a run; raises `DataError` or `ConfigError` for unreadable ones."""
    dataset = dataset_of(settings)
    samples = [sample for split in dataset.splits.values() for sample in split]
    if asks_once(settings):
        samples = list({sample.item: sample for sample in samples}.values())
    chosen_samples = samples[:: -(-len(samples) // MOST_MEASURED)]
    pixels = {id(source): image_size(source) for sample in chosen_samples for source in sample.all_images}
    judge_prompt, i2t_prompt = initial_prompts(settings)
    sizes = DatasetSizes.of(settings, dataset)
    shown = 1 + _images_of_examples(settings)
    images = {
        role: shown * _tokens_a_request(chosen_samples, pixels, settings, role) for role in settings.models.judge_roles
    }
    return Workload(
        sizes=sizes,
        judge_images=next(iter(images.values())),
        verbalizer_images=mean(_tokens_of(chosen_samples, pixels, settings, "verbalizer")),
        text=mean(_text(sample) for sample in samples),
        judge_prompt=tokens(judge_prompt),
        i2t_prompt=tokens(i2t_prompt),
        named_images=max(len(sample.image_names) for sample in samples),
        shown=_share_shown(judge_prompt, chosen_samples, sizes.shape.updates, settings),
        judge_frame=mean(frame(settings, sample, "judge") for sample in chosen_samples),
        verbalizer_frame=mean(frame(settings, sample, "verbalize") for sample in chosen_samples),
        further_labels=further_labels(settings),
        case_notes=case_notes(settings),
        images_by_role=images if settings.models.judges else {},
    )


def _share_shown(judge_prompt: str, samples: Sequence[Sample], updates: int, settings: Settings) -> float:
    """Return the mean share of p that the judge sees: of p_0, or of a p whose parts are equally long if that is more.

    `updates` is the number of parts.
    """
    shown = mean(tokens(prompt_shown(judge_prompt, sample, settings)) for sample in samples) / tokens(judge_prompt)
    return max(shown, min(1.0, 2 / updates))


def _images_of_examples(settings: Settings) -> int:
    """Return the images of examples in a request to the judge, each as large as a sample's images in the mean."""
    return settings.prompts.examples if settings.prompts.examples_as == "images" else 0


def _text(sample: Sample) -> int:
    text = f"<text>{sample.text}</text>" if sample.text else ""
    reference = f"<reference>{sample.reference_text}</reference>" if sample.reference_text else ""
    return tokens(text + "".join(f"<second>{each}</second>" for each in sample.texts or ()) + reference)


def _tokens_a_request(
    samples: Sequence[Sample], pixels: Mapping[int, tuple[int, int]], settings: Settings, role: str
) -> float:
    """Return the mean tokens of images in a request to a judge: of a whole sample, or of its parts."""
    sizes, images = _tokens_of(samples, pixels, settings, role), [len(sample.images) for sample in samples]
    tasks = [settings.of_task(sample.task).task for sample in samples]
    requests = [task.questions_of(number) for task, number in zip(tasks, images, strict=True)]
    shown = [_PARTS.get(task.order, number) for task, number in zip(tasks, images, strict=True)]
    tokens_by_sample = zip(sizes, requests, shown, images, strict=True)
    return sum(size * count * part / number for size, count, part, number in tokens_by_sample) / sum(requests)


_PARTS = {"apart": 1, "pairs": 2}
"""Images of a sample in a request, by `task.order`; all in other orders."""


def _tokens_of(
    samples: Sequence[Sample],
    pixels: Mapping[int, tuple[int, int]],
    settings: Settings,
    role: str,
) -> list[int]:
    """Return the tokens of all images that a role sees, by sample; `pixels` are sizes by the `id` of the source."""
    model = settings.models.of(role)
    count = facts(model).image_formula.value.tokens
    kind: Literal["judge", "verbalizer"] = "verbalizer" if role == "verbalizer" else "judge"
    shown = [as_shown(sample, settings, kind) for sample in samples]
    sizes = [[pixels[id(source)] for source in sample.all_images] for sample in shown]
    return [sum(count(*fitted_size(*size, model.max_pixels, model.max_side)) for size in each) for each in sizes]
