"""`blpo fork`: a new run from a past round, with other prompts or settings."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, Overrides, Quiet, RunArgument, with_run_dir

_PromptFile = Annotated[Path | None, typer.Option(metavar="FILE", help="Start the round with this prompt.")]


def fork(
    run: RunArgument,
    round: Annotated[int, typer.Option(min=0, metavar="N", help="The round to start from, in RUN/rounds/NN.")],
    judge_prompt: _PromptFile = None,
    i2t_prompt: _PromptFile = None,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run directory to make; by default beside RUN.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Start a new run from a past round of another.

    The new run has other prompts or settings, knows all answers of RUN, and pays only for new calls. --set may change
    the search, the optimizer, the verbalizer, approval and limits. Data, task, judge and initial prompts must stay,
    because past rounds were measured by them.
    """
    import blpo
    from blpo.cli.prompt_file import read_prompt
    from blpo.cli.search import search

    texts = [
        read_prompt(option, file) for option, file in (("--judge-prompt", judge_prompt), ("--i2t-prompt", i2t_prompt))
    ]
    options = with_run_dir(overrides, run_dir)
    return search(
        lambda on_event, control: blpo.fork(
            run,
            round,
            judge_prompt=texts[0],
            i2t_prompt=texts[1],
            overrides=options,
            on_event=on_event,
            control=control,
            progress=False,
        ),
        as_json=as_json,
        quiet=quiet,
    )
