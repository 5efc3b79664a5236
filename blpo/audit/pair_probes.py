"""Probes of judges of pairs: the position of the two, and a total order of several images."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

from blpo.audit.changes import answer_text
from blpo.audit.results import MOST_EXAMPLES, ChangedVerdict, ProbeResult
from blpo.deployment.verdict_lines import image_places
from blpo.metrics.probe_rates import ProbeRates, order_violation, wilson_interval
from blpo.metrics.rankings import SHARES_OF_FIRST
from state.sample import ImageSource, Sample
from state.verdict import Verdict

SWAP, TRANSITIVITY = "swap", "transitivity"
SWAP_ASSUMPTION = "The order in which the two of a pair are shown says nothing about them."
TRANSITIVITY_ASSUMPTION = "If the first is better than the second and the second than the third, so is the first."
MOST_IMAGES = 5
"""Images of a group that are compared with each other."""
_ROUNDING_ERROR = 1e-9


def swap_result(samples: Sequence[Sample], verdicts: Sequence[Verdict]) -> ProbeResult:
    """Return how often the answer about a pair changes with its order; `up` are answers "first" in both orders."""
    rows = [(s, v) for s, v in zip(samples, verdicts, strict=True) if v.status == "ok" and len(v.orders) == 2]
    flips = [(s, v) for s, v in rows if v.orders[0].label != v.orders[1].label]
    up = sum((v.orders[0].label, v.orders[1].label) == ("a", "b") for _, v in flips)
    down = sum((v.orders[0].label, v.orders[1].label) == ("b", "a") for _, v in flips)
    rates = ProbeRates(len(rows), len(flips), up, down)
    return ProbeResult(
        assumption=SWAP_ASSUMPTION,
        n=rates.n,
        errors=sum(verdict.status == "error" for verdict in verdicts),
        flips=rates.flips,
        rate=rates.rate,
        ci95=None if rates.interval is None else list(rates.interval),
        up=up,
        down=down,
        p_value=rates.p_value,
        examples=[_example(sample, verdict) for sample, verdict in flips[:MOST_EXAMPLES]],
    )


def groups_of_images(samples: Sequence[Sample]) -> dict[str, list[Sample]]:
    """Return samples of one image, three or more in a group that shares a text or `data.group`, by group."""
    groups: defaultdict[str, dict[str, Sample]] = defaultdict(dict)
    for sample in samples:
        if len(sample.images) != 2 or sample.texts is not None:
            continue
        group = sample.group or sample.text
        for image in sample.images if group else ():
            groups[str(group)].setdefault(_image_name(image), replace(sample, images=(image,)))
    return {name: list(members.values())[:MOST_IMAGES] for name, members in groups.items() if len(members) >= 3}


def pairs_of(group: str, items: Sequence[Sample]) -> list[Sample]:
    """Return all pairs of the images of a group, as new samples without a label."""
    return [
        replace(
            items[i],
            id=f"{group} {i + 1} {j + 1} transitivity",
            images=(*items[i].images, *items[j].images),
            label=None,
        )
        for i, j in combinations(range(len(items)), 2)
    ]


def transitivity_result(groups: Sequence[tuple[str, Sequence[Sample], Sequence[Verdict]]]) -> ProbeResult:
    """Return how many groups no total order explains. A group has a name, images, and verdicts of their pairs."""
    counted = [(name, items, verdicts) for name, items, verdicts in groups if all(v.status == "ok" for v in verdicts)]
    violations = [order_violation(_wins(len(items), verdicts)) for _, items, verdicts in counted]
    broken = [
        (name, items)
        for (name, items, verdicts), value in zip(counted, violations, strict=True)
        if value - _ties(len(items), verdicts) > _ROUNDING_ERROR
    ]
    interval = wilson_interval(len(broken), len(counted))
    return ProbeResult(
        assumption=TRANSITIVITY_ASSUMPTION,
        n=len(counted),
        errors=len(groups) - len(counted),
        flips=len(broken),
        rate=len(broken) / len(counted) if counted else None,
        ci95=None if interval is None else list(interval),
        violation=sum(violations) / len(counted) if counted else None,
        examples=[_circle(name, items) for name, items in broken[:MOST_EXAMPLES]],
    )


def _ties(size: int, verdicts: Sequence[Verdict]) -> float:
    """Return the share of answers that any order contradicts: the weaker side of each pair alone."""
    shares = [_share(verdict) for verdict in verdicts]
    return sum(min(share, 1 - share) for share in shares) / (size * (size - 1) / 2)


def _wins(size: int, verdicts: Sequence[Verdict]) -> list[list[float]]:
    wins = [[0.0] * size for _ in range(size)]
    for (i, j), verdict in zip(combinations(range(size), 2), verdicts, strict=True):
        wins[i][j] = _share(verdict)
        wins[j][i] = 1 - wins[i][j]
    return wins


def _share(verdict: Verdict) -> float:
    """Return the share of answers that prefer the first image."""
    answers = [SHARES_OF_FIRST[str(order.label)] for order in verdict.orders] or [SHARES_OF_FIRST[str(verdict.label)]]
    return sum(answers) / len(answers)


def _image_name(image: ImageSource) -> str:
    return image.name.rpartition(": ")[2]


def _example(sample: Sample, verdict: Verdict) -> ChangedVerdict:
    first, second = answer_text(verdict).split(", ")
    return ChangedVerdict(id=sample.id, images=image_places(sample), before=first, after=second, reason=verdict.reason)


def _circle(name: str, items: Sequence[Sample]) -> ChangedVerdict:
    images = [place for item in items for place in image_places(item)]
    return ChangedVerdict(id=name, images=images, before="a total order", after="a circle", reason="")
