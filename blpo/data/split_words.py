"""Words for splits in tables and folders."""

from state.sample import SplitName

SPLIT_NAMES: dict[str, SplitName] = {
    **dict.fromkeys(("train", "training", "trn", "tr"), "train"),
    **dict.fromkeys(("validation", "validate", "valid", "val", "dev", "development"), "validation"),
    **dict.fromkeys(("eval", "evaluation"), "validation"),
    **dict.fromkeys(("test", "testing", "tst"), "test"),
}
"""Split by the words in a table, in lower case."""
