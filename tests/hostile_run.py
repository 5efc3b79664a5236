"""A run whose dataset, labels, prompts and answers are hostile: markup, quotes, bidi marks and a very long word."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from tests.scripted import scripted
from tests.small_set import draw_dataset, write_labels

LONG_WORD = "w" * 400
SCRIPT = f"</script></style></pre><script>alert('ran')</script><img src=x onerror=alert('ran')>{LONG_WORD}"
HOSTILE_LABELS = ['<script>alert("label")</script>', "‮לא בטוח‬ 😀 \"quoted' {{ 7*7 }}"]


def hostile_config(folder: Path, run: Path) -> dict[str, Any]:
    """Write a dataset of 30 images into `folder`, and return the config of a run on the dataset."""
    draw_dataset(folder, 30)
    _write_hostile_labels(folder)
    turn = iter(range(10**6))

    def judge(messages: Sequence[BaseMessage]) -> str:
        label = HOSTILE_LABELS[next(turn) % 2]
        return json.dumps({"reason": f"{SCRIPT} ‮ because", "label": label})

    def optimizer(messages: Sequence[BaseMessage]) -> str:
        number = next(turn)
        return (
            f"<critique>{SCRIPT}</critique><judge_prompt>{SCRIPT} {{{{ 7*7 }}}} ‮ rule {number}</judge_prompt>"
            f"<i2t_prompt>Describe {SCRIPT} {number}</i2t_prompt>"
        )

    return {
        "task": {"kind": "categorical", "labels": HOSTILE_LABELS},
        "data": {"path": str(folder / "labels.csv"), "text": "text"},
        "models": {
            "judge": {"name": scripted("hostile-judge", judge)},
            "verbalizer": {"name": scripted("hostile-verbalizer", lambda messages: f"A picture of {SCRIPT} 😀 ‮")},
            "optimizer": {"name": scripted("hostile-optimizer", optimizer)},
        },
        "prompts": {"judge": f"Judge it. {SCRIPT}", "i2t": SCRIPT},
        "search": {"outer_rounds": 2, "inner_steps": 1, "error_batch": 4, "anchors": 2, "adopt": "always"},
        "run": {"dir": str(run)},
    }


def _write_hostile_labels(folder: Path) -> None:
    rows = []
    for i, image in enumerate(sorted((folder / "images").iterdir())):
        name = f"{i:02} \"><svg onload=alert('ran')> ‮gnp.png"
        image.rename(folder / "images" / name)
        label = HOSTILE_LABELS[i % 2]
        text = f"{SCRIPT} ‮ text"
        rows.append(
            {"id": f"<b onclick=alert(1)>{i}</b>\"'&amp;", "image": f"images/{name}", "label": label, "text": text}
        )
    write_labels(folder, rows)
