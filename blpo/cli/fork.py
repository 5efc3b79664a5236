"""`blpo fork`: go on from a past round, otherwise than was done."""

from pathlib import Path
from typing import Annotated

import typer

from blpo.cli.options import AsJson, Overrides, Quiet, RunDirectory, with_run_dir

Prompt = Annotated[Path | None, typer.Option(metavar="FILE", help="The prompt that the round begins with instead.")]


def fork(
    run: RunDirectory,
    round: Annotated[
        int, typer.Option(min=0, metavar="N", help="The round to start from; its folder is RUN/rounds/NN.")
    ],
    judge_prompt: Prompt = None,
    i2t_prompt: Prompt = None,
    overrides: Overrides = None,
    run_dir: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The run directory to make; by default beside RUN.")
    ] = None,
    as_json: AsJson = False,
    quiet: Quiet = False,
) -> int:
    """Start a new run from a past round of another.

    It goes on with other prompts or settings, knows all answers of RUN, and pays only for what differs. --set may
    change the search, the optimizer, the verbalizer, approval and limits, but not what past rounds were measured by:
    data, task, judge and initial prompts.
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
        ),
        as_json=as_json,
        quiet=quiet,
    )
