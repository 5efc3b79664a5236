"""Sentences about the votes of a judge, or the members of a panel."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from blpo.runs.wording import counted, figure

if TYPE_CHECKING:
    from blpo.deployment.vote_counts import VotesRecord


def vote_sentences(votes: "VotesRecord") -> Iterator[str]:
    """Yield the agreement of the votes with each other and with people; of a panel a line for each member."""
    shares = ["?" if share is None else f"{share:.1%}" for share in votes["agreement"]]
    alpha = f"alpha between them {figure(votes['alpha'])}"
    members = votes.get("members")
    if members is None:
        yield f"votes: {alpha}" + (f"; each with people: {', '.join(shares)}" if shares else "")
        return
    panel = f"; the panel agrees with people on {votes['panel']:.1%}" if "panel" in votes else ""
    yield f"panel of {len(members)} answers: {alpha}{panel}"
    for place, name in enumerate(members):
        errors = votes["errors"][place]
        facts = [f"agrees on {shares[place]}"] if shares else []
        facts += [counted(errors, "error")] if errors else []
        if facts:
            yield f"member {name}: {', '.join(facts)}"
