"""The exception tree.

`BlpoError` is the base of all errors that this project raises on purpose. Its message is one line: the file, row or
setting, and the remedy. The command line prints the message without a traceback and exits with `exit_code`.

* BlpoError
  + ConfigError        a setting is unknown, missing or out of range
  + DataError          a dataset, row, label or image can't be used
  + ModelError         a model name is unknown, an extra or key is missing, or a request can never succeed
  + BudgetSpent        the next call would exceed `limits`; ends the search, not the process
  + AnswerError        an answer to a question of the run is incomplete or not allowed
  + TooManyFailures    more calls failed after retries than `limits.max_failure_rate` allows
  + RunError           a run directory is missing, locked, of another format or of other settings
    - StoreError       a file of a run can't be written or read any more, for example on a full disk
"""


class BlpoError(Exception):
    """Base of all errors raised on purpose."""

    exit_code = 1
    """Exit code of the process."""
    resumable = True
    """True if a run that ends with this error can go on after the cause is gone."""


class ConfigError(BlpoError):
    """A setting is unknown, missing or out of range."""

    exit_code = 2
    resumable = False


class DataError(BlpoError):
    """A dataset, row, label or image can't be used.

    `problems` holds one line for each problem, so that all problems can be shown at once.
    """

    exit_code = 2

    def __init__(self, message: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.problems = problems or (message,)


class ModelError(BlpoError):
    """A model name is unknown, an extra or a key is missing, or a request can never succeed."""


class BudgetSpent(BlpoError):
    """The next call would exceed the budget."""

    exit_code = 4


class TooManyFailures(BlpoError):
    """More calls failed after retries than `limits.max_failure_rate` allows."""


class AnswerError(BlpoError):
    """An answer to a question of the run is incomplete or not allowed, or there is no question."""

    exit_code = 2


class RunError(BlpoError):
    """A run directory is missing, locked, of another format or of other settings."""

    exit_code = 2
    resumable = False


class StoreError(RunError):
    """A file of a run can't be written or read any more, for example on a full disk. The run can be resumed."""

    exit_code = 1
    resumable = True
