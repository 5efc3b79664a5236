"""Do the trainers read the exports? Each export is read by the trainer's own loader, in an environment of the trainer.

    python -m benchmarks.training_loaders trl --python TRL_ENV/bin/python
    python -m benchmarks.training_loaders llamafactory --python LLAMAFACTORY_ENV/bin/python [--source LLAMAFACTORY]
    python -m benchmarks.training_loaders easyr1 --python EASYR1_ENV/bin/python --source EASYR1

`--python` is a Python with the trainer installed (EasyR1: transformers, torch, datasets, qwen-vl-utils, codetiming).
EasyR1 is no package: `--source` is a copy of its repository, and without a copy the script says so. The images and a
tiny model are made here; nothing is downloaded.
"""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.trained_judge import draw_colours, texts_of
from benchmarks.trained_judge import export as export_for_trl

STAGES = {"trl": ("sft", "grpo"), "llamafactory": ("sft",), "easyr1": ("grpo",)}
_TRL = """
import os, sys
os.chdir(sys.argv[1])
from trl import DatasetMixtureConfig, ModelConfig, ScriptArguments, TrlParser, get_dataset
from trl import GRPOConfig, SFTConfig
from trl.data_utils import prepare_multimodal_messages
from trl.scripts.grpo import GRPOScriptArguments
script, config = (GRPOScriptArguments, GRPOConfig) if sys.argv[3] == "grpo" else (ScriptArguments, SFTConfig)
parser = TrlParser((script, config, ModelConfig, DatasetMixtureConfig))
arguments = ["--config", "trl.yaml", "--bf16", "false", "--use_cpu", "true"]
_, training, _, data = parser.parse_args_and_config(arguments)
rows = get_dataset(data)["train"]
for row in rows:
    messages = prepare_multimodal_messages(row["prompt"], row["images"])
    assert [part["image"].size for part in messages[0]["content"] if part["type"] == "image"]
print(len(rows), "rows, learning rate", training.learning_rate)
"""
_EASYR1 = """
import sys
sys.path.insert(0, sys.argv[4])
from transformers import AutoProcessor
from verl.utils.dataset import RLHFDataset
processor = AutoProcessor.from_pretrained(sys.argv[2])
rows = RLHFDataset(
    sys.argv[1] + "/train.parquet", processor.tokenizer, processor, prompt_key="prompt", answer_key="answer",
    image_key="images", max_prompt_length=1024, filter_overlong_prompts=False,
)
sys.path.insert(0, sys.argv[1])
from reward import compute_score
for place in range(len(rows)):
    row = rows[place]
    assert len(row["multi_modal_data"]["images"]) == 1
    (score,) = compute_score([{"response": "", "response_length": 0, "ground_truth": row["ground_truth"]}])
    assert score["overall"] == 0
print(len(rows), "rows of tokens", tuple(row["input_ids"].shape))
"""
_LLAMAFACTORY = """
import os, sys
if sys.argv[4] != "None":
    sys.path.insert(0, sys.argv[4] + "/src")
os.environ["DISABLE_VERSION_CHECK"] = "1"
from types import SimpleNamespace
from datasets import load_dataset
from llamafactory.data.converter import get_dataset_converter
from llamafactory.data.parser import get_dataset_list
folder = sys.argv[1]
(entry,) = get_dataset_list(["blpo_judge"], folder)
rows = load_dataset("json", data_files=os.path.join(folder, entry.dataset_name), split="train")
convert = get_dataset_converter(entry.formatting, entry, SimpleNamespace(media_dir=folder))
for row in map(convert, rows):
    assert row["_prompt"][0]["content"].count("<image>") == len(row["_images"]) == 1 and row["_response"][0]["content"]
    assert os.path.isfile(row["_images"][0])
print(len(rows), "conversations")
"""
_READERS = {"trl": _TRL, "llamafactory": _LLAMAFACTORY, "easyr1": _EASYR1}
_MAKE_MODEL = (
    "import sys; from pathlib import Path; from benchmarks.tiny_vlm import make_tiny_vlm;"
    "make_tiny_vlm(Path(sys.argv[1]), sys.argv[2:])"
)


def read_exports(framework: str, python: str, source: Path | None, folder: Path) -> int:
    """Export for a trainer, and read every stage in the trainer's environment; return the exit code."""
    config = draw_colours(folder / "colours", 40, seed=0)
    texts = texts_of(export_for_trl(config, folder / "texts", "sft"))[:4]
    subprocess.run([python, "-W", "ignore", "-c", _MAKE_MODEL, str(folder / "model"), *texts], check=True)
    code = 0
    for stage in STAGES[framework]:
        out = folder / f"{framework}-{stage}"
        command = ["train", "export", str(config), "--for", framework, "--stage", stage, "--out", str(out)]
        subprocess.run([sys.executable, "-m", "blpo", *command], check=True, stdout=subprocess.DEVNULL)
        places = [str(out), str(folder / "model"), stage, str(source)]
        reader = [python, "-W", "ignore", "-c", _READERS[framework], *places]
        done = subprocess.run(reader, stdout=subprocess.PIPE, text=True, check=False)
        last = (done.stdout.strip().splitlines() or ["nothing"])[-1]
        print(f"{'ok ' if done.returncode == 0 else 'NO '} {framework} {stage}: {last}", flush=True)
        code = code or done.returncode
    return code


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the exports of a trainer, and return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.training_loaders", description=__doc__)
    parser.add_argument("framework", choices=sorted(STAGES))
    parser.add_argument("--python", default=sys.executable, help="a Python with the trainer")
    parser.add_argument("--source", type=Path, help="a copy of the trainer's repository")
    options = parser.parse_args(arguments)
    if options.framework == "easyr1" and not (options.source and (options.source / "verl").is_dir()):
        print("easyr1: not read: --source names no copy of EasyR1's repository", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory() as folder:
        return read_exports(options.framework, options.python, options.source, Path(folder))


if __name__ == "__main__":
    sys.exit(main())
