"""Layout of help pages: commands in groups, and tested examples. A setting without --set is named."""

import os
import re
from collections.abc import Iterator
from typing import Any

from typer.core import TyperArgument, TyperCommand, TyperGroup

EXAMPLES: dict[str, tuple[str, ...]] = {
    "init": (
        "blpo init my-judge",
        "blpo init my-judge --data photos/labels.csv --yes",
        "blpo init my-judge --labels safe,unsafe --judge openai:gpt-4o",
    ),
    "check": ("blpo check config.yaml", "blpo check config.yaml --set data.limit=200"),
    "estimate": ("blpo estimate config.yaml", "blpo estimate config.yaml --set search.outer_rounds=3 --json"),
    "optimize": (
        "blpo optimize",
        "blpo optimize config.yaml --run-dir runs/second",
        "blpo optimize config.yaml --set search.preset=paper --set limits.usd=20",
    ),
    "resume": ("blpo resume runs/first", "blpo resume runs/first --set limits.calls=50000 --json"),
    "fork": (
        "blpo fork runs/first --round 1 --set search.inner_steps=8",
        "blpo fork runs/first --round 0 --judge-prompt prompts/judge.md",
    ),
    "view": ("blpo view", "blpo view my-judge --open", "blpo view runs --port 9000 --read-only"),
    "runs": ("blpo runs", "blpo runs runs --json"),
    "report": ("blpo report runs/first", "blpo report runs/first --set data.path=photos/labels.csv"),
    "compare": ("blpo compare runs/first runs/second", "blpo compare runs/first runs/second --out page.html --json"),
    "disagreements": (
        "blpo disagreements runs/first",
        "blpo disagreements runs/first --csv > disagreements.csv",
        "blpo disagreements runs/first --unlabelled photos --confidence words -n 20",
    ),
    "judge": (
        "blpo judge runs/first photos",
        "blpo judge runs/first/judge.yaml photos --out verdicts.jsonl",
        "blpo judge runs/first config.yaml --split test --gate 'macro_f1>=0.8'",
    ),
    "audit": (
        "blpo audit runs/first",
        "blpo audit runs/first photos --probes repeat,reencode --calls 300",
    ),
    "confidence": (
        "blpo confidence runs/first --confidence words",
        "blpo confidence runs/first --confidence words --calibrate-on photos",
    ),
    "export": (
        "blpo export runs/first --to python",
        "blpo export runs/first/judge.yaml --to langsmith --out my_judge.py",
        "blpo export runs/first --to csv",
    ),
    "evals": (
        "blpo evals --preset table1 --offline --estimate",
        "blpo evals --preset table1 --offline --out runs/table1",
    ),
    "train export": (
        "blpo train export config.yaml --for trl --stage grpo --out grpo",
        "blpo train export runs/first --for llamafactory --stage sft --out sft",
        "blpo train export a=runs/first b=config.yaml --for trl --stage sft --out ab",
    ),
    "train run": (
        "blpo train run grpo",
        "blpo train run sft --set lora.rank=16 --set learning_rate=2e-4",
    ),
    "data prepare": (
        "blpo data prepare agin --source downloads/agin --out agin --scale 1 5",
        "blpo data prepare seetrue --source downloads/seetrue --out datasets/seetrue",
        "blpo data prepare mmrb2 --source downloads/mmrb2 --out edits --form edit",
    ),
    "data pairs": (
        "blpo data pairs rated --out pairs --group scene --least 0.5",
        "blpo data pairs rated/labels.csv --out ranked --label rank --best lowest",
        "blpo data pairs rated/config.yaml --out pairs-with-ties --ties",
    ),
}
"""Examples by command; tests/project/test_docs.py runs all examples."""


MORE = """\b
Examples:
  blpo optimize              align the embedded judge with the built-in sample
  blpo init my-judge         begin with your own images and labels
  blpo COMMAND --help        options and examples of a command
"""
"""End of `blpo --help`."""


def examples(command: str) -> str:
    """Return the end of a command's help page, with unwrapped lines."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in EXAMPLES[command])])


_SETTING = re.compile(r"[a-z_]+(\.\w+)*=")
"""Beginning of an argument that looks like a setting: `search.seed=3`."""


def _no_type(ctx: Any) -> None:
    return None


class Page(TyperCommand):
    """Help page with plain arguments: `RUN`, or `[CONFIG]` if optional, and no types of Python."""

    def get_params(self, ctx: Any) -> list[Any]:
        """Return all parameters."""
        params = super().get_params(ctx)
        for param in params:
            if isinstance(param, TyperArgument):
                param.display_type_rich = _no_type  # type: ignore[method-assign] # `<list[Path]>` says little
        return params

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments. A setting without --set is a usage error that names --set."""
        if not ctx.resilient_parsing and any(param.name == "overrides" for param in self.params):
            for argument in self._positional(ctx, args):
                if _SETTING.match(argument) and not os.path.exists(argument):
                    ctx.fail(f"{argument} is a setting; put it behind --set: --set {argument}")
        return super().parse_args(ctx, args)

    def _positional(self, ctx: Any, args: list[str]) -> Iterator[str]:
        """Yield all arguments that belong to no option."""
        options, further, _ = self.make_parser(ctx).parse_args(args=list(args))
        for param in self.params:
            if isinstance(param, TyperArgument) and isinstance(value := options.get(param.name), str):
                yield value
        yield from further

    def collect_usage_pieces(self, ctx: Any) -> list[str]:
        """Return the parts of the usage line."""
        return [piece.replace("{", "").replace("}", "") for piece in super().collect_usage_pieces(ctx)]


class Grouped(TyperGroup):
    """Commands in groups (`rich_help_panel`), in the order of registration."""

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write a section per group."""
        visible = [(name, command) for name, command in self.commands.items() if not command.hidden]
        width = max(len(name) for name, _ in visible)
        groups: dict[str, list[tuple[str, str]]] = {}
        for name, command in visible:
            summary = command.get_short_help_str(formatter.width - width - 6)
            groups.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(
                (name.ljust(width), summary)
            )
        for title, rows in groups.items():
            with formatter.section(title):
                formatter.write_dl(rows)
