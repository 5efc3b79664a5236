"""Separation of captions, compared with shuffles one by one."""

import numpy as np
import pytest
from scipy.stats import rankdata
from sklearn.feature_extraction.text import TfidfVectorizer

from blpo.reports.captions import SHUFFLES, separation


@pytest.mark.parametrize("classes", [2, 5, 12])
def test_a_separation_is_that_of_shuffles_one_by_one(classes: int) -> None:
    generator = np.random.default_rng(classes)
    labels = [int(code) for code in generator.integers(0, classes, 30)]
    texts = [
        f"{'noisy' if label % 2 else 'clean'} {' '.join(generator.choice(['far', 'near'], 2))}" for label in labels
    ]
    codes = np.unique([str(label) for label in labels], return_inverse=True)[1]
    first, second = np.triu_indices(len(texts), k=1)
    vectors = TfidfVectorizer(ngram_range=(1, 3)).fit_transform(texts)
    ranks = rankdata((vectors @ vectors.T).toarray()[first, second])

    def auc(order: list[int]) -> float:
        same = np.array(order)[first] == np.array(order)[second]
        n, m = int(same.sum()), int((~same).sum())
        return float((ranks[same].sum() - n * (n + 1) / 2) / (n * m))

    shuffles = np.random.default_rng(0)
    values = [auc(list(shuffles.permutation(codes))) for _ in range(SHUFFLES)]
    observed = auc(list(codes))
    assert separation(texts, labels) == (observed, (1 + sum(x >= observed - 1e-12 for x in values)) / (1 + SHUFFLES))
