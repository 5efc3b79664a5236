"""An export and its counts."""

from dataclasses import dataclass
from pathlib import Path

SAMPLES = "samples.jsonl"
"""The samples of an export: a line for each example, with the hashes of its judged images."""


@dataclass(frozen=True, slots=True)
class Exported:
    """An export, and its counts."""

    folder: Path
    examples: int
    by_task: dict[str, int]
    """Examples of each task; a single task has the name ""."""
    reasons: int
    """Examples whose right answer has a reason of the judge."""
    left_out: int
    """Samples of train that share an image with a held out sample."""
    images: int
    """Most images of a message."""
