"""How alike two representations of the same texts are: linear centred kernel alignment."""

import numpy as np
from numpy.typing import NDArray

from store import LswError

Values = NDArray[np.float64]
Vectors = NDArray[np.float32] | NDArray[np.float64]

ENOUGH = 10
"""Texts for each dimension: with fewer the estimate of Kornblith et al. is too high, and is freed from that."""


def linear_cka(x: Vectors, y: Vectors, debiased: bool | None = None) -> float:
    """Linear CKA of two sets of vectors: 1 if one is a rotation, shift and scaling of the other.

    ||Yc'Xc||_F^2 / (||Xc'Xc||_F ||Yc'Yc||_F), Xc and Yc centred by columns (Kornblith et al. 2019, arXiv 1905.00414).
    Of fewer than `ENOUGH` texts a dimension HSIC is replaced by its unbiased estimate (`unbiased_hsic`), so that what
    is independent is near 0; it may lie a little outside 0 and 1.

    Args:
        x, y: (texts x dimensions), a row of each for the same text; they may have other dimensions.
        debiased: whether to do so; None: by the rule above.

    Raises:
        LswError: the two have other texts, or too few, or a column of one is constant.
    """
    same_texts(x, y)
    first, second = (_centred(vectors) for vectors in (x, y))
    if debiased is None:
        debiased = is_debiased(x, y)
    if debiased:
        if len(x) < 4:
            raise LswError(f"{len(x)} texts are too few to compare representations.", cure="Give four at least.")
        kernels = first @ first.T, second @ second.T
        across, own, other = (unbiased_hsic(kernels[i], kernels[j]) for i, j in ((0, 1), (0, 0), (1, 1)))
        if not (own > 0 and other > 0):
            raise LswError("The texts are too alike to compare representations.", cure="Give more texts.")
        return float(across / np.sqrt(own * other))
    norms = [np.linalg.norm(vectors.T @ vectors) for vectors in (first, second)]
    return float(np.linalg.norm(second.T @ first) ** 2 / (norms[0] * norms[1]))


def is_debiased(x: Vectors, y: Vectors) -> bool:
    """Whether there are too few texts for the plain estimate."""
    return bool(len(x) < ENOUGH * max(x.shape[1], y.shape[1]))


def unbiased_hsic(k: Values, l: Values) -> float:  # noqa: E741
    """The unbiased estimate of HSIC (Song et al. 2012; as Nguyen et al. 2021 use it, arXiv 2010.15327, equation 3).

    Args:
        k, l: kernel matrices (texts x texts) of the same texts, four at least.
    """
    n = len(k)
    k, l = (matrix - np.diag(np.diag(matrix)) for matrix in (k, l))  # noqa: E741
    rows = k.sum(axis=0), l.sum(axis=0)
    whole = float((k * l).sum()) + float(rows[0].sum() * rows[1].sum()) / ((n - 1) * (n - 2))
    return (whole - 2 / (n - 2) * float(rows[0] @ rows[1])) / (n * (n - 3))


def same_texts(x: Vectors, y: Vectors) -> None:
    """That two sets of vectors have a row for each of the same texts.

    Raises:
        LswError: they have not as many.
    """
    if len(x) != len(y):
        raise LswError(
            f"{len(x):,} vectors cannot be held against {len(y):,}.", cure="Give the same texts to both, in one order."
        )


def _centred(vectors: Vectors) -> Values:
    values = np.asarray(vectors, np.float64)
    constant = np.flatnonzero(np.ptp(values, axis=0) == 0) if len(values) else np.arange(values.shape[1])
    if len(constant):
        raise LswError(
            f"Column {constant[0]} of the vectors is the same for all {len(values):,} texts.",
            f"So are {len(constant):,} of {values.shape[1]:,} columns.",
            "A dimension that says nothing cannot be compared: is the model what it says?",
        )
    centred: Values = values - values.mean(axis=0)
    return centred
