"""Rounds with pooled trials on the page: the I2T prompts, the new words in their descriptions, the spending."""

import asyncio
import re
from pathlib import Path

import pytest

import blpo
from blpo.reports.edits import edits
from blpo.reports.evidence import Evidence, gather
from blpo.reports.pooled_prompts import pooled_prompts_of
from blpo.runs.round_spending import spending_by_round
from blpo.runs.run_record import RunRecord
from tests.small_set import draw_dataset


@pytest.fixture(scope="module")
def pooled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = draw_dataset(tmp_path_factory.mktemp("pooled") / "set")
    search = ["search.preset=default", "search.outer_rounds=2", "search.inner_steps=2", "search.trials=pooled"]
    overrides = [f"run.dir={folder.parent / 'run'}", *search]
    asyncio.run(blpo.optimize(folder / "config.yaml", overrides=overrides, progress=False))
    return folder.parent / "run"


def test_the_page_lists_the_prompts_of_a_round(pooled: Path) -> None:
    run, html = RunRecord.read(pooled), (pooled / "report.html").read_text(encoding="utf-8")
    steps = edits(run, asyncio.run(gather(run)))
    assert steps and steps[0].is_pooled and len(steps[0].pooled) == len(run.rounds[0].i2t_prompts) >= 1
    for step, past in zip(steps, run.rounds, strict=False):
        assert [prompt.text for prompt in step.pooled] == list(past.i2t_prompts)
        for prompt in step.pooled:
            assert prompt.captions == len(past.batch) and prompt.words > 0
        assert step.pooled[0].new == 1.0
    assert html.count('<table class="pooled stacked">') == len(steps)


def test_the_page_tells_the_calls_of_a_round(pooled: Path) -> None:
    run, html = RunRecord.read(pooled), (pooled / "report.html").read_text(encoding="utf-8")
    spending = spending_by_round(pooled)
    assert spending.keys() == set(range(len(run.rounds) - 1)) and spending[0].calls > 0
    assert sum(each.calls for each in spending.values()) <= sum(u["issued"] for u in run.result["calls"].values())
    assert re.search(rf"The round took {spending[0].calls} calls? and [\d.]+k? tokens\.", html)
    assert spending_by_round(pooled / "nowhere") == {}


def test_new_words_are_those_that_no_earlier_prompt_gave(pooled: Path) -> None:
    past = RunRecord.read(pooled).rounds[0]
    first, *others = past.i2t_prompts
    captions = {(first, past.batch[0]): "Noise is high.", (first, past.batch[1]): "Blur is low."}
    captions |= {(q, past.batch[0]): "Noise is high; warmth is low (12)." for q in others}
    rows = pooled_prompts_of(past, captions)
    assert (rows[0].captions, rows[0].words, rows[0].new) == (2, 3.0, 1.0)
    assert [row.new for row in rows[1:2]] == [pytest.approx(2 / 5)] * len(rows[1:2])
    assert [row.captions for row in pooled_prompts_of(past, Evidence().captions)] == [0] * len(rows)
