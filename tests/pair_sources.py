"""Small public sets of pairs in the format of their authors: the true columns and file names, with drawn images.

The preferred image has little noise, and the other image has much.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from tests.public_sources import Row, cell, noisy_image, write_csv, write_images, write_zip

CLEAN, NOISY = 12.0, 60.0
RATERS = tuple(f"user{n}" for n in range(5))


def side(number: int, *, better: bool, kind: str = "JPEG") -> bytes:
    return noisy_image(number, kind, CLEAN if better else NOISY)


def is_preferred(image: bytes, numbers: Sequence[int], kind: str = "JPEG") -> bool:
    """Return True for the better image of any of `numbers`."""
    return any(image == side(number, better=True, kind=kind) for number in numbers)


def hpdv2(folder: Path, prompts: int = 60, key: str = "rank", train: int = 4) -> Path:
    """Write four images of a prompt, ranked by five people. One person always swaps the two best images."""
    (folder / "test").mkdir(parents=True)
    rows: list[Row] = []
    for i in range(prompts):
        paths = [f"{i:05}-{j}.jpg" for j in range(4)]
        ranks = [1 + (i + j) % 4 for j in range(4)]
        for path, rank in zip(paths, ranks, strict=True):
            (folder / "test" / path).write_bytes(noisy_image(4 * i + rank, "JPEG", 10.0 * rank))
        odd = [{1: 2, 2: 1}.get(rank, rank) for rank in ranks]
        annotations = [{key: odd if n == 0 else ranks, "user_hash": rater} for n, rater in enumerate(RATERS)]
        about = {"prompt": f"a temple, {i}", "image_path": paths, "rank": ranks}
        rows.append({**about, "raw_annotations": annotations})
    (folder / "test.json").write_text(json.dumps(rows))
    if train:
        (folder / "train").mkdir()
        rows = []
        for i in range(train):
            paths = [f"t{i}-{j}.jpg" for j in range(2)]
            for j, path in enumerate(paths):
                (folder / "train" / path).write_bytes(side(9000 + 2 * i + j, better=j == i % 2))
            preference = [int(j == i % 2) for j in range(2)]
            rows.append({"prompt": f"a boat, {i}", "file_path": paths, "human_preference": preference})
        (folder / "train.json").write_text(json.dumps(rows))
    return folder


def mmrb2(folder: Path, size: int = 24) -> Path:
    """Write both halves as the authors' build does. The last edit has two images before."""
    (folder / "images").mkdir(parents=True)
    (folder / "input_images").mkdir()
    for half in ("t2i", "edit"):
        pairs = []
        for i in range(size):
            name, chosen = f"{half}_{i}_imagen4_gemini", "AB"[i % 2]
            for j in range(2):
                image = side(1000 * (half == "edit") + 2 * i + j, better=j == i % 2)
                (folder / "images" / f"{name}_{j}.jpg").write_bytes(image)
            prompt: list[list[str]] = [["text", f"a lion on a hill, {i}"]]
            if half == "edit":
                count = 2 if i == size - 1 else 1
                names = [f"source_{i // 2}_{n}.jpg" for n in range(count)]
                for source in names:
                    (folder / "input_images" / source).write_bytes(noisy_image(7000 + i // 2, "JPEG", 30))
                prompt = [*(["image", f"input_images/{source}"] for source in names), *prompt]
            pairs.append(
                {
                    "id": name,
                    "response_a": _reply("imagen4", f"images/{name}_0.jpg"),
                    "response_b": _reply("gemini", f"images/{name}_1.jpg"),
                    "chosen": chosen,
                    "human_annotations": [6, 5, 3] if chosen == "A" else [1, 2, 4],
                    "prompt_source": "oneigbench",
                    "prompt_metadata": {"id": i},
                    "prompt_content": prompt,
                }
            )
        (folder / f"{half}.json").write_text(json.dumps({"pairs": pairs}))
    return folder


def _reply(model: str, path: str) -> dict[str, Any]:
    return {"model_name": model, "response_content": [["image", path]]}


VOTES = ("leftvote", "rightvote", "leftvote", "tievote", "rightvote", "bothbad_vote")


def genaibench(folder: Path, size: int = 48) -> Path:
    """Write both halves, one file each. Two of six votes are ties."""
    for half, names in (("image_generation", ("left_image", "right_image")), ("image_edition", ())):
        rows = []
        for i in range(size):
            vote = VOTES[i % 6]
            images = [cell(side(3000 + 2 * i + j, better=vote == ("leftvote", "rightvote")[j])) for j in range(2)]
            row: Row = {"left_model": "SDXL", "right_model": "Kandinsky", "vote_type": vote}
            if names:
                row |= {"prompt": f"a taxi, {i // 2}", **dict(zip(names, images, strict=True))}
            else:
                texts = {"source_prompt": f"a taxi, {i // 2}", "target_prompt": f"a red taxi, {i // 2}"}
                outputs = dict(zip(("left_output_image", "right_output_image"), images, strict=True))
                before = cell(noisy_image(6000 + i // 2, "JPEG", 30))
                row |= {**texts, "instruct_prompt": "make it red", "source_image": before, **outputs}
            rows.append(row)
        write_images(folder / half / "test_v1-00000-of-00001.parquet", rows)
    return folder


def vlrewardbench(folder: Path, size: int = 40) -> Path:
    """Write two replies to a question about an image. The better reply says right."""
    rows = [
        {
            "id": f"RLAIF-V-{i}",
            "query": f"<image>\nWhat is in picture {i}?",
            "response": [f"{word} {i}." for word in (("right", "wrong"), ("wrong", "right"))[i % 3 == 0]],
            "image": cell(noisy_image(i // 2, "JPEG", 20 + i // 2), None),
            "human_ranking": ([0, 1], [1, 0])[i % 3 == 0],
            "models": ["GPT-4o", "LLaVA"],
            "query_source": "RLAIF-V",
            "judge": "human",
        }
        for i in range(size)
    ]
    write_images(folder / "data/test-00000-of-00001.parquet", rows)
    return folder


def multicrit(folder: Path, prompts: int = 30) -> Path:
    """Write two replies with a preference for each criterion. A row is repeated, as in the set."""
    parts = {
        "open_ended": (
            "open-ended",
            ("completeness", "visual-grounding", "hallucination", "expressiveness", "clarity"),
        ),
        "reasoning": ("reasoning", ("grounding", "logic", "hallucination", "exploration", "efficiency")),
    }
    for split, (name, criteria) in parts.items():
        rows = [
            {
                "image": cell(noisy_image(i, "JPEG", 20 + i), f"{i}.jpg"),
                "question_id": f"{split}-{i}--{criterion}",
                "image_path": f"images/{i}.jpg",
                "question": f"What happens in picture {i}?",
                "pred_a": f"first {i}, right by {', '.join(criteria[1 - i % 2 :: 2])}",
                "pred_b": f"second {i}, right by {', '.join(criteria[i % 2 :: 2])}",
                "model_a": "gpt-4o",
                "model_b": "qwen",
                "split": name,
                "criterion": criterion,
                "preference": "model_a" if (i + c) % 2 else "model_b",
                "prompt_id": f"{split}-{i}",
            }
            for i in range(prompts)
            for c, criterion in enumerate(criteria)
        ]
        write_images(folder / f"data/{split}-00000-of-00001.parquet", [*rows, rows[0]])
    return folder


def pickapic(folder: Path, size: int = 600) -> Path:
    """Write shards of all five splits, with ties, unlabelled rows and a pair of equal images."""
    labels = (1.0, 0.0, 0.5, 1.0, 0.0, 0.5)
    for n, split in enumerate(("train", "validation", "test", "validation_unique")):
        rows = []
        for i in range(size if split == "train" else 12):
            label, number = labels[i % 6], 20_000 * (n + 1) + 2 * i
            rows.append(
                {
                    "are_different": i != 7,
                    "best_image_uid": f"{split}-{i}-{int(label == 0.0)}",
                    "caption": f"{split} caption {i}",
                    "has_label": i % 12 != 11,
                    "image_0_uid": f"{split}-{i}-0",
                    "image_1_uid": f"{split}-{i}-{int(i != 7)}",
                    "jpg_0": side(number, better=label == 1.0),
                    "jpg_1": side(number + 1, better=label == 0.0),
                    "label_0": label,
                    "label_1": 1 - label,
                    "model_0": "dreamlike-art/dreamlike-photoreal-2.0",
                    "model_1": "stabilityai/stable-diffusion-xl",
                    "ranking_id": 1000 * n + i,
                    "user_id": i % 5,
                    "num_example_per_prompt": 1,
                }
            )
        file = folder / "data" / f"{split}-00000-of-00001-0123456789abcdef.parquet"
        file.parent.mkdir(parents=True, exist_ok=True)
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows), file, row_group_size=50)
    return folder


def rated(folder: Path, scenes: int = 15, each: int = 4, raters: int = 3) -> Path:
    """Write rated and ranked images of scenes, with ratings of several people and a config."""
    (folder / "images").mkdir(parents=True)
    rows: list[Row] = []
    ratings: list[Row] = []
    for i in range(scenes * each):
        scene, place = divmod(i, each)
        rating = 1 + (place + scene) % each
        path = f"images/{i:03}.png"
        (folder / path).write_bytes(noisy_image(i, "PNG", 60 - 12 * rating))
        about = {"image": path, "label": rating + 0.25 * (scene % 2), "rank": each + 1 - rating}
        rows.append({**about, "scene": f"s{scene}", "text": f"scene {scene}"})
        votes = [min(max(rating + (rater == 2) * (place == 0), 1), 5) for rater in range(raters)]
        ratings += [{"image": path, "rater": f"r{n}", "rating": vote} for n, vote in enumerate(votes)]
    write_csv(folder / "labels.csv", rows)
    write_csv(folder / "ratings.csv", ratings)
    raters_section = "  raters: {file: ratings.csv, by: rater, label_from: column}\n"
    (folder / "config.yaml").write_text(f"data:\n  path: labels.csv\n  group: scene\n{raters_section}")
    return folder


def zipped(folder: Path, name: str) -> None:
    """Replace a folder of images by an archive."""
    files = sorted((folder / name).iterdir())
    write_zip(folder / f"{name}.zip", {f"{name}/{file.name}": file.read_bytes() for file in files})
    for file in files:
        file.unlink()
    (folder / name).rmdir()
