"""`blpo judge --engine ray`: actors on a real cluster of this machine. `make test-ray` runs these tests."""

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from secrets import token_hex

import pytest

import blpo
from benchmarks.many_images import kills
from blpo.cli.main import main
from tests.documented import run_python, steps
from tests.parquet_set import draw_shards, verdicts_in, write_judge
from tests.servers.chat_server import ChatServer
from tests.small_set import ROOT

PLAIN = '{"reason": "plain", "label": 3}'
CLUSTER = """
import os, sys, ray
ray.init(address="local", num_cpus=2, include_dashboard=False, log_to_driver=False, _temp_dir=sys.argv[1],
         object_store_memory=100 * 2**20)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def cluster() -> Iterator[str]:
    """Address of a cluster of two CPUs."""
    quiet = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    os.environ.update(quiet | {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": token_hex(16)})
    folder = f"/tmp/blpo-test-ray-{os.getpid()}"
    command = [sys.executable, "-c", CLUSTER, folder]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen(command, text=True, **pipes) as process:  # type: ignore[call-overload]
        assert process.stdout is not None
        yield process.stdout.readline().strip()
        process.communicate()
    subprocess.run(["rm", "-rf", folder], check=True)


@pytest.fixture(scope="module")
def shards(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_shards(tmp_path_factory.mktemp("bulk") / "shards")


def test_verdicts_and_summary_equal_those_of_the_local_engine(
    cluster: str, shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    command = ["judge", str(judge), str(shards), "--json", "--gate", "accuracy>=0.1", "--block-rows", "16", "--out"]
    assert main([*command, str(tmp_path / "local"), "--engine", "local"]) == 0
    local = json.loads(capsys.readouterr().out)
    ray = ["--engine", "ray", "--ray-address", cluster, "--actors", "2"]
    assert main([*command, str(tmp_path / "ray"), *ray]) == 0
    assert json.loads(capsys.readouterr().out) == local
    assert verdicts_in(tmp_path / "ray") == verdicts_in(tmp_path / "local")


async def test_one_budget_over_all_actors(cluster: str, shards: Path, tmp_path: Path) -> None:
    async with ChatServer(lambda messages: PLAIN) as server:
        judge = write_judge(tmp_path / "judge.yaml", name="vllm:judge", base_url=server.base_url)
        ray = ["--engine", "ray", "--ray-address", cluster, "--actors", "2", "--block-rows", "8"]
        command = ["judge", str(judge), str(shards), *ray, "--out", str(tmp_path / "out"), "--max-calls"]
        assert await asyncio.to_thread(main, [*command, "13"]) == 4
        assert server.count <= 13
        assert await asyncio.to_thread(main, [*command, "40"]) == 0
        assert server.count == 40 == len({row["id"] for row in verdicts_in(tmp_path / "out")})


def test_an_address_without_a_cluster_gets_one_line(
    shards: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    judge = write_judge(tmp_path / "judge.yaml")
    ray = ["--engine", "ray", "--ray-address", "127.0.0.1:9", "--out", str(tmp_path / "out")]
    assert main(["judge", str(judge), str(shards), *ray]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("blpo:")]
    assert "--ray-address 127.0.0.1:9: no cluster answers" in line


async def test_kills_of_driver_and_worker_lose_nothing_and_judge_nothing_twice() -> None:
    results = await kills(600, block=100, killed_at=(0.4,))
    assert results["holds"], results


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # of Ray Data
def test_examples_with_ray_data(cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("RAY_ADDRESS", cluster)
    draw_shards(tmp_path / "shards")
    (tmp_path / "runs" / "first").mkdir(parents=True)
    write_judge(tmp_path / "runs" / "first" / "judge.yaml")
    page = (ROOT / "docs" / "many-images.md").read_text(encoding="utf-8")
    examples = [step for step in steps(page, "many-images.md") if step.not_run == "tests/ray runs it"]
    names: dict[str, object] = {"blpo": blpo}
    try:
        for example in examples:
            run_python(example, names)
    finally:
        importlib.import_module("ray").shutdown()
    assert len(examples) == 1
