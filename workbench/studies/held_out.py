"""Whether features of queries predict an outcome in pairs of varieties that were not used (leave one pair out).

All is made of sums over the queries of each pair and topic, so that a bootstrap over topics only adds them up anew.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from workbench.significance.resampling import Progress, Values

_SHUFFLES = 6  # of the streams of random numbers in `workbench.significance.resampling`
_RIDGE = 1e-9
_CELLS = 400_000  # numbers at once: bounds memory
FOLDS = 10
"""Parts that the topics are divided into: those of one are predicted from the others."""


@dataclass(frozen=True)
class Queries:
    """An outcome of queries in pairs, and their features.

    Args:
        outcome: (n).
        features: (n x k), varying within pairs.
        pair, topic: the number of each query's (n), counting from 0 without gaps.
    """

    outcome: Values
    features: Values
    pair: NDArray[np.int64]
    topic: NDArray[np.int64]

    @property
    def pairs(self) -> int:
        """How many."""
        return int(self.pair.max()) + 1

    @property
    def topics(self) -> int:
        """How many."""
        return int(self.topic.max()) + 1

    @cached_property
    def fold(self) -> NDArray[np.int64]:
        """The part of each topic."""
        return np.arange(self.topics) % min(FOLDS, self.topics)

    def centred(self, values: Values) -> Values:
        """The values (n x any) less their mean in each pair."""
        sums = np.zeros((self.pairs, values.shape[1]))
        np.add.at(sums, self.pair, values)
        means: Values = sums / np.bincount(self.pair)[:, None]
        return np.asarray(values - means[self.pair])

    @cached_property
    def scale(self) -> Values:
        """Standard deviation of each feature within pairs (k)."""
        deviation: Values = np.sqrt((self.centred(self.features) ** 2).mean(axis=0))
        return deviation

    @cached_property
    def standard(self) -> Values:
        """Features less their mean, in standard deviations within pairs (n x k)."""
        standard: Values = (self.features - self.features.mean(axis=0)) / self.scale
        return standard

    def slopes(self, weights: Values) -> Values:
        """Least squares of outcome on features, both centred within pairs: for a standard deviation of each feature.

        Args:
            weights: of the topics (samples x topics).

        Returns:
            coefficients (samples x k).
        """
        sums = self._by_topic(self.outcome, self.standard)
        flat = weights @ sums.reshape(self.topics, -1)
        return _solved(
            _within(flat.reshape(len(weights), self.pairs, -1), self.scale.size).sum(axis=1), self.scale.size
        )

    def r_squared(self, weights: Values) -> Values:
        """How much better the queries of a pair are predicted than by the other pairs' mean.

        1 - sum (y - f)^2 / sum (y - m)^2 over the queries of all pairs, each held out in turn, and of all topics, those
        of one fold in turn. m is the mean outcome of the other pairs' queries of the other topics; slopes b are fitted
        to the same queries by least squares, all centred within pairs; f = m + b (x - the mean of x in the held-out
        pair). Topics are held out too because pairs share them: else what is peculiar to a topic would be known. Below
        0 where the features predict worse than the mean does.

        The second is the same with f = m + b (x - the mean of x in the other pairs) and slopes fitted to queries of all
        other pairs at once, not centred: of it nothing is claimed.

        Args:
            weights: of the topics (samples x topics).

        Returns:
            both (samples x 2).
        """
        sums = self._by_topic(self.outcome, self.standard).reshape(self.topics, -1)
        folds = int(self.fold.max()) + 1
        parts = [weights[:, self.fold == f] @ sums[self.fold == f] for f in range(folds)]
        moments = np.stack(parts, axis=1).reshape(len(weights), folds, self.pairs, -1)
        return np.column_stack(_predicted(moments, self.scale.size))

    def shuffled(self, resamples: int, seed: int, progress: Progress | None = None) -> Values:
        """R squared (the first) when the features are shuffled within pairs (resamples).

        Topics change places with topics of as many queries, in every pair alike: what pairs have in common stays so.

        Args:
            resamples, seed: of the shuffles.
            progress: told how many are done.
        """
        k, folds = self.scale.size, int(self.fold.max()) + 1
        places = self.fold[self.topic] * self.pairs + self.pair
        sum_in = np.zeros((folds * self.pairs, len(places)))
        sum_in[places, np.arange(len(places))] = 1
        known = _moments(self.outcome, self.standard)
        stays = [0, 1, 2 + k]  # 1, y and y y
        summed = np.empty((folds * self.pairs, known.shape[1]))
        summed[:, stays] = sum_in @ known[:, stays]
        moves = [*range(2, 2 + k), *range(3 + 2 * k, known.shape[1])]  # x and x x
        of_features = np.ascontiguousarray(known[:, moves])
        rows = max(1, _CELLS // known.size)
        out = []
        for start in range(0, resamples, rows):
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_SHUFFLES, start)))
            moved = np.stack([self._moved(rng.random(self.topics)) for _ in range(min(rows, resamples - start))])
            features = of_features[moved]
            moments = np.repeat(summed[None], len(moved), axis=0)
            moments[..., moves] = sum_in @ features
            moments[..., 3 + k : 3 + 2 * k] = (sum_in * self.outcome) @ features[..., :k]
            out.append(_predicted(moments.reshape(len(moved), folds, self.pairs, -1), k)[0])
            if progress:
                progress(start + len(moved), resamples)
        return np.concatenate(out)

    @cached_property
    def _alike(self) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Topics of a pair with as many queries: these topics, and their queries (topics x queries)."""
        out = []
        for pair in range(self.pairs):
            of_pair = np.flatnonzero(self.pair == pair)
            of_pair = of_pair[np.argsort(self.topic[of_pair], kind="stable")]
            topics, first, sizes = np.unique(self.topic[of_pair], return_index=True, return_counts=True)
            for size in np.unique(sizes):
                chosen = sizes == size
                out.append((topics[chosen], of_pair[first[chosen][:, None] + np.arange(size)]))
        return out

    def _moved(self, priority: Values) -> NDArray[np.int64]:
        """Whose features each query gets (n)."""
        moved = np.arange(len(self.pair))
        for topics, queries in self._alike:
            moved[queries] = queries[np.argsort(priority[topics])]
        return moved

    def _by_topic(self, outcome: Values, features: Values) -> Values:
        """Sums of products in each topic and pair (topics x pairs x products)."""
        products = _moments(outcome, features)
        sums = np.zeros((self.topics, self.pairs, products.shape[1]))
        np.add.at(sums, (self.topic, self.pair), products)
        return sums


def _moments(y: Values, x: Values) -> Values:
    """1, y, x, y y, x y and x x of each query, in the last axis."""
    squares = (x[..., :, None] * x[..., None, :]).reshape(*x.shape[:-1], -1)
    return np.concatenate(
        [np.ones_like(y)[..., None], y[..., None], x, (y * y)[..., None], x * y[..., None], squares], -1
    )


def _within(sums: Values, k: int) -> Values:
    """Products about the mean of those sums (... x products of x y and x x)."""
    n = np.maximum(sums[..., :1], 1e-300)
    y, x = sums[..., 1:2], sums[..., 2 : 2 + k]
    squares = (x[..., :, None] * x[..., None, :]).reshape(*x.shape[:-1], -1)
    return sums[..., 3 + k :] - np.concatenate([x * y, squares], -1) / n


def _solved(products: Values, k: int) -> Values:
    """Slopes of products about the mean; 0 for what does not vary."""
    squares = products[..., k:].reshape(*products.shape[:-1], k, k)
    ridge = _RIDGE * np.maximum(np.trace(squares, axis1=-2, axis2=-1), 1e-300)[..., None, None]
    slopes: Values = np.linalg.solve(squares + ridge * np.eye(k), products[..., :k, None])[..., 0]
    return slopes


def _predicted(moments: Values, k: int) -> tuple[Values, Values]:
    """R squared of sums over folds and pairs (samples x folds x pairs x products): centred, and as they are."""
    rest = moments.sum(axis=1, keepdims=True) - moments  # of a pair, in the other folds
    others = rest.sum(axis=2, keepdims=True) - rest  # of the other pairs, in the other folds
    n = np.maximum(others[..., 0], 1e-300)
    mean, x_mean = others[..., 1] / n, others[..., 2 : 2 + k] / n[..., None]
    about = _within(rest, k)
    own = moments.sum(axis=1, keepdims=True)
    own_mean = own[..., 2 : 2 + k] / np.maximum(own[..., :1], 1e-300)
    centred = _solved(about.sum(axis=2, keepdims=True) - about, k)
    whole = _solved(_within(others, k), k)
    base = _squares(moments, mean, np.zeros_like(centred)).sum(axis=(1, 2))
    out = []
    for slopes, middle in ((centred, own_mean), (whole, x_mean)):
        left = _squares(moments, mean - (slopes * middle).sum(axis=-1), slopes).sum(axis=(1, 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            out.append(np.where(base > 0, 1 - left / base, np.nan))
    return out[0], out[1]


def _squares(sums: Values, a: Values, b: Values) -> Values:
    """Sum of (y - a - b x)^2 from sums of products."""
    k = b.shape[-1]
    n, y, x, yy = sums[..., 0], sums[..., 1], sums[..., 2 : 2 + k], sums[..., 2 + k]
    xy, xx = sums[..., 3 + k : 3 + 2 * k], sums[..., 3 + 2 * k :].reshape(*sums.shape[:-1], k, k)
    bx = (b * x).sum(axis=-1)
    bxxb: Values = np.einsum("...i,...ij,...j->...", b, xx, b)
    squares: Values = yy - 2 * a * y - 2 * (b * xy).sum(axis=-1) + n * a * a + 2 * a * bx + bxxb
    return squares
