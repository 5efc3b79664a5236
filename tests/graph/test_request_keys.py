"""Requests of tasks with one image stay byte-equal: keys and bodies of small runs, as once recorded."""

import json
import sqlite3
import struct
import zlib
from collections import defaultdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

import blpo
from tests.servers.chat_server import ChatServer
from tests.servers.embedded_answers import embedded_answer
from tests.small_set import write_labels

TASKS: dict[str, dict[str, Any]] = {
    "ordinal": {"kind": "ordinal", "min": 1, "max": 5},
    "categorical": {"kind": "categorical", "labels": ["busy", "calm, even", "plain"]},
}
SEARCHES: dict[str, dict[str, Any]] = {
    "pooled": {"outer_rounds": 2, "inner_steps": 2, "error_batch": 8},
    "scored": {
        "trials": "scored",
        "score_on": "batch",
        "outer_rounds": 1,
        "inner_steps": 1,
        "error_batch": 4,
        "anchors": 2,
    },
}
KEYS: dict[tuple[str, str], dict[str, str]] = {
    ("categorical", "pooled"): {
        "judge": "72 c5611e2fdaa218db",
        "optimizer": "10 502df031a83d2bbc",
        "verbalizer": "32 ae559e44b47d5218",
    },
    ("categorical", "scored"): {
        "judge": "78 ebfde1ee33ddd891",
        "optimizer": "6 f0d2290b664a57dd",
        "verbalizer": "12 aa852b3e5e67596f",
    },
    ("ordinal", "pooled"): {
        "judge": "72 ec1859aeae95c1fe",
        "optimizer": "10 5ac38b877074a1e8",
        "verbalizer": "32 71376d2f46991844",
    },
    ("ordinal", "scored"): {
        "judge": "72 f80f8dd67e11b286",
        "optimizer": "5 a96031f9e92952b6",
        "verbalizer": "12 2b69a6a4b69c45b9",
    },
}
"""By task and search: number and digest of the sorted request keys of a role."""
BODIES = {"categorical": "114 eae802a07732d67e", "ordinal": "114 5e9dc7cd82aa093c"}
"""By task: number and digest of the sorted request bodies of a pooled run, without the bytes of images."""


def draw_images(folder: Path, kind: str, size: int = 36) -> Path:
    """Write PNG files whose bytes are the same on every machine, with labels and, for categories, texts."""
    (folder / "images").mkdir(parents=True)
    rows = []
    for i in range(size):
        (folder / "images" / f"{i:02}.png").write_bytes(_png(i))
        place = i % 5 if i % 7 else (i + 2) % 5
        label = str(5 - place) if kind == "ordinal" else TASKS[kind]["labels"][place // 2]
        text = {} if kind == "ordinal" else {"text": f"a field of grain, take {i % 3} <text>"}
        rows.append({"id": f"s{i}", "image": f"images/{i:02}.png", "label": label, **text})
    write_labels(folder, rows)
    return folder


def _png(number: int, side: int = 24) -> bytes:
    """Return an uncompressed PNG, with equal bytes under every version of zlib."""
    grain = 4 + 23 * (number % 5)
    places = [(x, y) for y in range(side) for x in range(3 * side)]
    pixels = [128 - number + (x * x * 7 + y * 13 + x * y * 29) % grain - grain // 2 for x, y in places]
    lines = b"".join(b"\0" + bytes(pixels[3 * side * y : 3 * side * (y + 1)]) for y in range(side))
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(lines, 0)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def settings(tmp_path: Path, kind: str, search: dict[str, Any]) -> dict[str, Any]:
    data = {"path": str(draw_images(tmp_path / "set", kind))}
    return {"task": TASKS[kind], "data": data, "search": search, "run": {"dir": str(tmp_path / "run")}}


def digest(texts: list[str]) -> str:
    return f"{len(texts)} {sha256(chr(10).join(sorted(texts)).encode()).hexdigest()[:16]}"


def request_keys(directory: Path) -> dict[str, str]:
    with sqlite3.connect(directory / "responses.sqlite") as db:
        rows = db.execute("SELECT DISTINCT role, key FROM calls").fetchall()
    db.close()
    by_role = defaultdict(list)
    for role, key in rows:
        by_role[role].append(key)
    return {role: digest(keys) for role, keys in sorted(by_role.items())}


@pytest.mark.parametrize("search", SEARCHES)
@pytest.mark.parametrize("kind", TASKS)
async def test_request_keys_are_as_before(kind: str, search: str, tmp_path: Path) -> None:
    await blpo.optimize(settings(tmp_path, kind, SEARCHES[search]))
    assert request_keys(tmp_path / "run") == KEYS[kind, search]


@pytest.mark.parametrize("kind", TASKS)
async def test_bodies_over_http_are_as_before(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", "none")
    async with ChatServer(respond=embedded_answer) as server:
        model = {"base_url": server.base_url, "price": {"input": 0, "output": 0}}
        models = {role: {"name": f"vllm:{role}", **model} for role in ("judge", "verbalizer", "optimizer")}
        await blpo.optimize({**settings(tmp_path, kind, SEARCHES["pooled"]), "models": models})
        bodies = [json.dumps(_without_image_bytes(request), sort_keys=True) for request in server.requests]
    assert digest(bodies) == BODIES[kind]


def _without_image_bytes(request: dict[str, Any]) -> dict[str, Any]:
    """Return a body with `image` in place of images: the number of the image in the server's cache is no content."""
    messages = [
        {**message, "content": [part if part.get("type") == "text" else "image" for part in message["content"]]}
        if isinstance(message["content"], list)
        else message
        for message in request["messages"]
    ]
    return {**request, "messages": messages}
