"""Reads an export for EasyR1 by EasyR1's dataset: EXPORT MODEL STAGE, with EasyR1's repository in PYTHONPATH."""

import sys
from pathlib import Path

import yaml
from transformers import AutoProcessor
from verl.utils.dataset import RLHFDataset, collate_fn

_SETTINGS = ("prompt_key", "answer_key", "image_key", "max_pixels", "max_prompt_length")


def read(export: str, model: str, stage: str) -> str:
    """Read all rows, score an empty reply to each by the export's reward, and collate; return what was read."""
    processor = AutoProcessor.from_pretrained(model)
    data = yaml.safe_load((Path(export) / "easyr1.yaml").read_text(encoding="utf-8"))["data"]
    settings = {name: data[name] for name in _SETTINGS}
    rows = RLHFDataset(
        f"{export}/train.parquet", processor.tokenizer, processor, filter_overlong_prompts=False, **settings
    )
    sys.path.insert(0, export)
    from reward import compute_score  # type: ignore[import-not-found]

    for place in range(len(rows)):
        row = rows[place]
        assert len(row["multi_modal_data"]["images"]) == 1
        (score,) = compute_score([{"response": "", "response_length": 0, "ground_truth": row["ground_truth"]}])
        assert score["overall"] == 0
    batch = collate_fn([rows[place] for place in range(len(rows))])
    return f"{len(rows)} rows, a batch of tokens {tuple(batch['input_ids'].shape)}"


if __name__ == "__main__":
    print(read(*sys.argv[1:]))
