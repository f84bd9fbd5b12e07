"""Whether the variety of a text can be read off its vector: a logistic regression, tested on topics it never saw."""

import numpy as np
from numpy.typing import NDArray

from store import LswError
from workbench.inspection.cka import Values, Vectors

FOLDS = 5


def folds_of(topics: list[str], folds: int, seed: int) -> NDArray[np.int64]:
    """The fold of each text (texts): all texts of a topic are in one, and folds have as many topics, give or take one.

    Raises:
        LswError: there are fewer topics than folds.
    """
    names, numbers = np.unique(topics, return_inverse=True)
    if len(names) < folds:
        raise LswError(f"{len(names)} topics cannot be parted into {folds} folds.", cure="Give more texts.")
    order = np.random.default_rng(seed).permutation(len(names))
    fold = np.empty(len(names), np.int64)
    fold[order] = np.arange(len(names)) % folds
    return fold[numbers]


def probed(vectors: Vectors, labels: list[str], topics: list[str], folds: int = FOLDS, seed: int = 42) -> Values:
    """Whether each text's label is read off its vector rightly (texts, 1 or 0), by a probe that saw none of its topic.

    Multinomial logistic regression with an L2 penalty (C = 1), on columns scaled by the texts that it learns from.
    Where labels are equally frequent a guess is right once in so many as there are labels.

    Args:
        vectors: (texts x dimensions).
        labels: of the texts, as their varieties.
        topics: of the texts.
        folds: the probe is tested on one after the other, and learnt from the rest.
        seed: of the parting into folds.

    Raises:
        LswError: other numbers of texts, labels and topics; fewer than two labels; fewer topics than folds.
    """
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    if not len(vectors) == len(labels) == len(topics):
        raise LswError(f"There are {len(vectors):,} vectors, {len(labels):,} labels and {len(topics):,} topics.")
    if len(set(labels)) < 2:
        raise LswError("A probe needs two varieties at least.", cure="Give texts in more of them.")
    fold, truth = folds_of(topics, folds, seed), np.array(labels)
    right = np.zeros(len(truth))
    for one in range(folds):
        tested = fold == one
        if len(set(truth[~tested])) < 2:
            raise LswError("All texts but those of one fold are of one variety.", cure="Give more topics.")
        model = make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=500))
        model.fit(np.asarray(vectors, np.float64)[~tested], truth[~tested])
        right[tested] = model.predict(np.asarray(vectors, np.float64)[tested]) == truth[tested]
    return right
