"""The best judge prompt of a search."""

from collections.abc import Sequence

from blpo.inference.initial_prompts import initial_prompts
from blpo.inference.open_run import OpenRun
from blpo.inference.rounds import selected_round
from state.loops import RoundRecord


async def selected_prompt(run: OpenRun, rounds: Sequence[RoundRecord]) -> str:
    """Return the text of the selected judge prompt; p_0 if no round was judged."""
    if not rounds:
        return initial_prompts(run.settings)[0]
    return await run.store.text(rounds[selected_round(rounds, run.settings.search)]["judge_prompt_sha256"])
