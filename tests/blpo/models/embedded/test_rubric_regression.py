"""The regression behind new rubrics is the one that the likelihood of the cases calls for."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from blpo.models.embedded.rubric_regression import RULE_DOUBTS, START_DOUBT, ridge_shift

_Numbers = NDArray[np.float64]


def log_likelihood(columns: _Numbers, residual: _Numbers, penalties: _Numbers) -> tuple[float, _Numbers]:
    """Return the likelihood of normal residuals with the covariance I + X D^-1 X', and the mean of the weights."""
    spread = columns.T / penalties[:, None]
    covariance = columns @ spread + np.eye(len(residual))
    solution = np.linalg.solve(covariance, residual)
    likelihood = -len(residual) * np.log(residual @ solution) - np.linalg.slogdet(covariance)[1]
    return float(likelihood), np.asarray(spread @ solution)


@given(st.integers(0, 2**32 - 1), st.integers(6, 60), st.integers(0, 30))
def test_the_penalty_is_the_likeliest_and_the_weights_are_those_of_ridge_regression(
    seed: int, cases: int, rules: int
) -> None:
    generator = np.random.default_rng(seed)
    columns = np.column_stack([np.ones(cases), generator.uniform(size=(cases, rules))])
    residual = columns[:, 1:] @ generator.normal(size=rules) + generator.normal(size=cases)
    counts = np.where(generator.random(cases) < 0.5, 2.0, 1.0)
    root = np.sqrt(counts)
    found = ridge_shift(columns, residual, counts)
    fits = [
        log_likelihood(columns * root[:, None], residual * root, np.array([START_DOUBT, *[doubt] * rules]))
        for doubt in RULE_DOUBTS
    ]
    likely = max(likelihood for likelihood, _ in fits)
    assert any(np.allclose(found, weights) for likelihood, weights in fits if likelihood > likely - 1e-6)
