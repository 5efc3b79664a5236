"""Sections `limits` and `run`."""

from typing import Annotated, Literal

from pydantic import Field

from state.settings.section import Section


class LimitSettings(Section):
    """Hard budget over all roles, kept across resumes; null: no limit."""

    calls: Annotated[int, Field(ge=1)] | None = None
    tokens: Annotated[int, Field(ge=1)] | None = None
    usd: Annotated[float, Field(gt=0)] | None = None
    max_failure_rate: float = Field(default=0.05, ge=0, le=1)
    """Share of a node's calls that may end as errors after retries; a larger share ends the run."""


POSTGRES = "postgres"
"""Value of `run.checkpoints` for the database of the environment variable BLPO_DATABASE_URL."""


TrackerName = Literal["mlflow", "wandb", "langsmith"]


class RunSettings(Section):
    """Place of the run, and the record elsewhere."""

    dir: str | None = None
    """Run directory itself; null: runs/<time>-<name>."""
    checkpoints: str | None = None
    """SQLite file of the checkpoints; null: checkpoints.sqlite beside the run directory. postgres: checkpoints and
    response store are in a team's database; the environment variable BLPO_DATABASE_URL holds its address."""
    tracking: TrackerName | None = None
    """Experiment tracker that receives parameters, metrics, prompts and report while the run goes; null: nothing is
    sent. Address and key come from the tracker's own environment variables."""

    @property
    def in_postgres(self) -> bool:
        """True if checkpoints and answers are in a team's database."""
        return self.checkpoints == POSTGRES
