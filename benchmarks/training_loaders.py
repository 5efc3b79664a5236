r"""Do the trainers read the exports? Each export is read by the trainer's own loader, in an environment of the trainer.

    python -m benchmarks.training_loaders --trl .venv-trl/bin/python --llamafactory .venv-llamafactory/bin/python \
        --easyr1 .venv-easyr1/bin/python --easyr1-source EasyR1

The trainers want different releases of the same packages, so each has an environment of its own (Python 3.11). It needs
no blpo:

    python -m venv .venv-trl && .venv-trl/bin/pip install torch==2.13.0 trl pillow
    python -m venv .venv-llamafactory
    .venv-llamafactory/bin/pip install torch==2.9.1 torchvision==0.24.1 torchaudio==2.9.1 llamafactory==0.9.5
    python -m venv .venv-easyr1
    .venv-easyr1/bin/pip install torch==2.14.1 torchvision==0.29.1 'transformers>=4.54,<5' \
      datasets qwen-vl-utils codetiming

TRL also trains an update by its own command, with the exported reward: the batch went through the trainer's processing.
EasyR1 is no package: `--easyr1-source` is a copy of its repository (hiyouga/EasyR1). A trainer without an environment
or a source is not read, and the script says so. It fails only if a trainer does not read an export. Images, answers and
a tiny model are made here; nothing is downloaded.
"""

import argparse
import asyncio
import json
import os
import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

from langchain_core.messages import BaseMessage

import blpo
from benchmarks.trained_judge import COLOURS, draw_colours
from blpo.cli.main import main as run_blpo
from tests.scripted import scripted

_ROOT = Path(__file__).parents[1]
_INSTALLED = (
    "import sys; from importlib.metadata import distribution as d; "
    "print(', '.join(f'{d(n).name} {d(n).version}' for n in sys.argv[1:]))"
)
"""A program that names packages with their releases, and fails for a missing one."""


@dataclass(frozen=True, slots=True)
class Trainer:
    """A trainer, the packages that its loader imports, and the stages of its exports."""

    name: str
    packages: tuple[str, ...]
    stages: tuple[str, ...]


TRAINERS = (
    Trainer("trl", ("trl", "transformers", "torch", "datasets", "pillow"), ("sft", "grpo", "dpo")),
    Trainer("llamafactory", ("llamafactory", "transformers", "torch", "torchvision", "torchaudio"), ("sft", "dpo")),
    Trainer("easyr1", ("transformers", "torch", "datasets", "qwen-vl-utils", "codetiming", "torchvision"), ("grpo",)),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """A Python with a trainer, and the trainer's repository if it is no package."""

    python: str
    source: Path | None = None

    def installed(self, packages: Sequence[str]) -> str | None:
        """Return packages with their releases, or None if one is missing."""
        return self._run("-c", _INSTALLED, *packages)

    def read(self, trainer: Trainer, export: Path, model: Path, stage: str) -> str | None:
        """Read an export by the trainer's loader; return what was read, or None if it failed."""
        if not model.exists() and self._run("-m", "benchmarks.tiny_vlm", str(model), fails=True) is None:
            return None
        reader = f"benchmarks.export_readers.{trainer.name}_reader"
        return self._run("-m", reader, str(export), str(model), stage, fails=True)

    def _run(self, *arguments: str, fails: bool = False) -> str | None:
        """Return the last line printed, or None for a failure, whose errors are shown if it `fails` the script."""
        paths = [str(_ROOT), *([] if self.source is None else [str(self.source.resolve())])]
        environment = {**os.environ, "HF_HUB_OFFLINE": "1", "PYTHONPATH": os.pathsep.join(paths)}
        command = [self.python, "-W", "ignore", *arguments]
        try:
            done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=_ROOT, check=False)
        except OSError:  # no such Python
            return None
        if done.returncode:
            print(done.stderr if fails else "", end="", file=sys.stderr)
            return None
        return (done.stdout.strip().splitlines() or [""])[-1]


class Exports:
    """Exports of drawn images of colours, and of a run whose judge answers at random, three times an image."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        config = draw_colours(folder / "colours", 40, seed=0)
        generator = random.Random(0)

        def guess(_: Sequence[BaseMessage]) -> str:
            return json.dumps({"reason": "A guess.", "label": generator.choice(list(COLOURS))})

        judge = {"name": scripted("guess", guess), "votes": 3}
        models = {"judge": judge, "optimizer": {"name": "embedded:optimizer"}}
        changes = [f"run.dir={folder / 'run'}", "search.outer_rounds=0", f"models={json.dumps(models)}"]
        asyncio.run(blpo.optimize(config, overrides=changes, progress=False))

    def write(self, trainer: str, stage: str) -> Path:
        """Write the export of the run for a trainer."""
        out = self._folder / f"{trainer}-{stage}"
        command = ["train", "export", str(self._folder / "run"), "--for", trainer, "--stage", stage]
        with redirect_stdout(StringIO()):
            code = run_blpo([*command, "--out", str(out)])
        return out if code == 0 else sys.exit(code)


def lines_of(trainer: Trainer, environment: Environment, exports: Exports, folder: Path) -> Iterator[tuple[bool, str]]:
    """Yield, for each stage, if the trainer reads its export, and a line about it."""
    for stage in trainer.stages:
        export = exports.write(trainer.name, stage)
        read = environment.read(trainer, export, folder / f"{trainer.name}-model", stage)
        yield read is not None, f"{trainer.name} {stage}: {read or 'not read, see above'}"


def missing(trainer: Trainer, environment: Environment) -> str | None:
    """Return the reason that a trainer can't be asked, if any."""
    if environment.installed(trainer.packages) is None:
        return f"{environment.python} lacks one of {', '.join(trainer.packages)}; --{trainer.name} names its Python"
    if trainer.name == "easyr1" and not (environment.source and (environment.source / "verl").is_dir()):
        return "--easyr1-source names no copy of EasyR1's repository"
    return None


def main(arguments: Sequence[str] | None = None) -> int:
    """Read the exports by all trainers that are here; return 1 if one does not read its export."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for trainer in TRAINERS:
        parser.add_argument(f"--{trainer.name}", metavar="PYTHON", default=sys.executable)
    parser.add_argument("--easyr1-source", type=Path, metavar="FOLDER")
    options = parser.parse_args(arguments)
    code, exports = 0, None
    with tempfile.TemporaryDirectory() as name:
        for trainer in TRAINERS:
            source = options.easyr1_source if trainer.name == "easyr1" else None
            environment = Environment(getattr(options, trainer.name), source)
            if reason := missing(trainer, environment):
                print(f"--  {trainer.name}: not read: {reason}", flush=True)
                continue
            print(f"    {trainer.name}: {environment.installed(trainer.packages)}", flush=True)
            exports = exports or Exports(Path(name))
            for holds, line in lines_of(trainer, environment, exports, Path(name)):
                print(f"{'ok ' if holds else 'NO '} {line}", flush=True)
                code = code or int(not holds)
    return code


if __name__ == "__main__":
    sys.exit(main())
