"""reward.py of an export: the reward with its parser in one file, which needs no blpo."""

from blpo.reports.exports.standalone import standalone_text

REWARD_FILE = "reward.py"
STANDALONE = (
    "blpo.models.foreign_text",
    "blpo.models.thinking",
    "blpo.models.answer_wrapping",
    "blpo.models.permutation_reading",
    "blpo.models.verdict_reading",
    "state.ranking",
    "blpo.training.reward",
    "blpo.training.reward_functions",
)
"""Modules in the text of reward.py."""

_HEAD = '''"""Reward of a judge's completion, written by `blpo train export`. Needs the standard library alone.

TRL: `format_reward` and `accuracy_reward`, weighted by `reward_weights`. EasyR1: `compute_score`. The column `answer`
of the export holds the right labels.
"""
'''


def reward_file() -> str:
    """Return the source of reward.py."""
    return f"{_HEAD}\n{standalone_text(STANDALONE)}\n"
