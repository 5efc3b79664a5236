"""Cells of the preset mt-rl's tables: the name of a row, and its dollars."""

from evals.experiment_settings import MtRlSettings
from evals.judge_comparisons import KINDS, JudgeComparison
from evals.markdown_cells import escaped
from evals.methods import METHODS
from evals.table import TableRow
from evals.transfer import TransferRow


def row_name(settings: MtRlSettings, row: TableRow | TransferRow | JudgeComparison) -> str:
    """Return the kind of the row and its judge, as `trained + BLPO, qwen-grpo`."""
    kind = KINDS.get((row.method, row.judge in settings.trained), METHODS[row.method].title)
    return escaped(f"{kind}, {row.judge}")


def dollars(settings: MtRlSettings, row: TableRow) -> tuple[str, str]:
    """Return the dollars of a cell of the row, and of the training of its judge; `?` for an unknown price."""
    cell, training = ("?" if usd is None else f"{usd:.2f}" for usd in (row.usd, settings.trained.get(row.judge, 0.0)))
    return cell, training
