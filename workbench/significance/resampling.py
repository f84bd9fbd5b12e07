"""Sign flips, bootstraps and permutations, many comparisons at once and the same on any number of threads.

Values are first rounded to multiples of a power of two so small that every sum made of them is exact in float64: then
no order of addition matters, and equal sums are equal. Resamples are drawn in blocks, each from a seed of its own, so
threads share nothing.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
Progress = Callable[[int, int], None]

_FLIPS, _DRAWS, _ORDERS = 0, 1, 2  # streams of random numbers, apart from each other
_BLOCK = 8_192  # flips at once: their sums stay in the cache
_CELLS = 1_000_000  # numbers in a block of draws or permutations: bounds memory
_KEPT = 70_000_000  # draws that are kept from one bootstrap to the next
_BITS = ((np.arange(256) >> np.arange(8)[:, None]) & 1).astype(np.float64)

T = TypeVar("T")


def whole(sums: Values, most: float) -> tuple[Values, float]:
    """Sums as whole multiples of one quantum.

    Args:
        sums: any values.
        most: no sum that will be made of them is larger than this.

    Returns:
        the multiples, and the quantum (about 1e-12 where sums reach 7,000).
    """
    quantum = 2.0 ** (np.ceil(np.log2(most)) - 52) if most > 0 else 1.0
    return np.rint(sums / quantum), quantum


def flips(
    sums: Values,
    weights: Values | None,
    resamples: int,
    seed: int,
    progress: Progress | None = None,
    skewed: bool = False,
) -> tuple[Values, int]:
    """Two-sided paired randomisation test of a zero mean (Fisher 1935; Smucker, Allan and Carterette, CIKM 2007).

    Under the null hypothesis the sign of a unit's difference is a coin flip, the same flip for every comparison. All
    2^u flips are made when they are no more than `resamples`, and p is the share that is at least as far from zero;
    otherwise random ones, and p = (count + 1) / (resamples + 1).

    Eight flips are one byte, and the 256 sums of eight units are looked up, not added (the "four Russians").

    Args:
        sums: what is flipped: a sum for each unit and run (units x runs).
        weights: what is compared, as sums of runs (runs x comparisons); each column of `sums` if None.
        resamples: random flips.
        seed: of the flips; the same seed gives the same p.
        progress: told how many are done.
        skewed: whether flips are ordered by t freed from skew (`_hall`), not by the mean.

    Returns:
        p of each comparison, and the number of flips made.
    """
    units = len(sums)
    terms = 1.0 if weights is None else float(np.abs(weights).sum(axis=0).max(initial=1))
    sums, quantum = whole(sums, 2 * terms * float(np.abs(sums).sum(axis=0).max(initial=0)))
    if weights is not None and (skewed or weights.shape[1] <= weights.shape[0]):
        sums, weights = sums @ weights, None  # fewer columns to flip
    comparisons = sums.shape[1] if weights is None else weights.shape[1]
    squares, of_cubes = np.zeros((comparisons, 1)), 1.0
    if skewed:
        values = sums * quantum
        squares = (values**2).sum(axis=0)[:, None]  # which no flip changes
        cubes, of_cubes = whole(values**3, 2 * float((np.abs(values) ** 3).sum(axis=0).max(initial=0)))
        sums = np.hstack([sums, cubes])
    exact = units < 63 and 2**units <= resamples
    total = 2**units if exact else resamples
    width = -(-units // 8)
    total_sums = sums.sum(axis=0)[:, None]
    at_once = max(1, _CELLS // max(1, comparisons))  # of the flips in a block, to bound memory

    def distance(flipped: Values) -> Values:
        if skewed:
            return _hall(flipped[:comparisons] * quantum, squares, flipped[comparisons:] * of_cubes, units)
        return np.abs(flipped if weights is None else weights.T @ flipped)

    observed = distance(total_sums)
    # A value is off by half a quantum at most, so sums that should be equal are within this.
    bound = observed * (1 - 1e-9) if skewed else observed - units * terms

    def table(i: int) -> Values:
        eight = sums[8 * i : 8 * i + 8]
        sums_of_eight: Values = eight.T @ _BITS[: len(eight)]
        return sums_of_eight

    # Made once if they are small; of many runs they would fill the memory, and are made anew for each block.
    looked_up = [table(i) for i in range(width)] if sums.shape[1] <= 8 else None

    def block(start: int) -> NDArray[np.int64]:
        size = min(_BLOCK, total - start)
        if exact:
            numbers = np.arange(start, start + size, dtype="<u8").view(np.uint8).reshape(size, 8).T[:width]
        else:
            rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_FLIPS, start)))
            drawn = rng.integers(0, 2**64 - 1, size=width * _BLOCK // 8, dtype=np.uint64, endpoint=True)
            numbers = drawn.astype("<u8").view(np.uint8).reshape(width, _BLOCK)[:, :size]
        kept = np.zeros((sums.shape[1], size))
        for i, bytes_ in enumerate(numbers):
            for column, out in zip(looked_up[i] if looked_up else table(i), kept, strict=True):
                out += column.take(bytes_)
        far = np.zeros(comparisons, dtype=np.int64)
        for first in range(0, size, at_once):
            flipped = 2 * kept[:, first : first + at_once] - total_sums
            far += (distance(flipped) >= bound).sum(axis=1)
        return far

    blocks = _in_threads(block, range(0, total, _BLOCK), total, _BLOCK, progress)
    more = 0 if exact else 1  # the data as they came are one of the flips
    count: Values = np.sum(list(blocks), axis=0, dtype=np.float64)
    return (count + more) / (total + more), total


def _hall(total: Values, squares: Values, cubes: Values, units: int) -> Values:
    """Distance from zero of t, freed from skew by Hall's monotone cubic (JRSS B 54, 1992, equation 2.2).

    Args:
        total, squares, cubes: sum of the values, of their squares, of their cubes (comparisons x flips, or x 1).
        units: how many values.
    """
    mean = total / units
    variance = squares / units - mean**2
    # Where every value is the same nothing is farther from zero.
    same = variance <= 1e-12 * squares / units
    with np.errstate(divide="ignore", invalid="ignore"):
        standardised = mean / np.sqrt(variance)
        skewness = (cubes / units - 3 * mean * squares / units + 2 * mean**3) / variance**1.5
        cubic = standardised + skewness * standardised**2 / 3 + skewness**2 * standardised**3 / 27
        distance: Values = np.abs(cubic + skewness / (6 * units))
    return np.where(same, np.where(squares > 0, np.inf, 0.0), distance)


def draws(sums: Values, sizes: Values, resamples: int, seed: int, progress: Progress | None = None) -> Values:
    """Means of bootstrap samples of whole units (Efron 1979; Sakai, SIGIR 2006).

    Args:
        sums: for each unit and comparison (units x comparisons).
        sizes: queries of each unit.
        resamples: how many samples.
        seed: of the draws.
        progress: told how many are done.

    Returns:
        means (resamples x comparisons).
    """
    units = len(sums)
    rounded, quantum = whole(sums, units * float(np.abs(sums).max(initial=0)))
    columns = np.column_stack([rounded, sizes])
    rows = max(1, _CELLS // units)
    starts = range(0, resamples, rows)
    known = _all_drawn(units, resamples, seed) if units * resamples <= _KEPT else None

    def block(start: int) -> Values:
        size = min(rows, resamples - start)
        counts = _drawn(units, start, size, seed) if known is None else known[start : start + size]
        sampled_sums: Values = counts.astype(np.float64) @ columns
        return sampled_sums

    sampled = np.concatenate(list(_in_threads(block, starts, resamples, rows, progress)))
    means: Values = sampled[:, :-1] * quantum / sampled[:, -1:]
    return means


def _drawn(units: int, start: int, size: int, seed: int) -> NDArray[np.int64]:
    """How often each unit is in each sample of a block (size x units)."""
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_DRAWS, start)))
    drawn = rng.integers(0, units, size=(max(1, _CELLS // units), units), dtype=np.uint32)[:size].astype(np.int64)
    drawn += units * np.arange(size)[:, None]
    return np.bincount(drawn.ravel(), minlength=size * units).reshape(size, units)


@lru_cache(maxsize=1)
def _all_drawn(units: int, resamples: int, seed: int) -> NDArray[np.uint8]:
    """`_drawn` of all blocks, kept: drawing takes most of a bootstrap's time, and screens make one after the other.

    A byte will do: of 256 units and more, one is drawn 256 times with a probability below 1e-300.
    """
    rows = max(1, _CELLS // units)
    kept = np.empty((resamples, units), dtype=np.uint8)

    def block(start: int) -> None:
        size = min(rows, resamples - start)
        kept[start : start + size] = _drawn(units, start, size, seed)

    list(_in_threads(block, range(0, resamples, rows), resamples, rows, None))
    return kept


def orders(sums: Values, resamples: int, seed: int, progress: Progress | None = None) -> Values:
    """The largest difference between any two systems when each unit's systems are shuffled.

    This is the null distribution of the randomised Tukey HSD test (Carterette, TOIS 2012, algorithm 1).

    Args:
        sums: for each unit and system (units x systems).
        resamples: how many shuffles.
        seed: of the shuffles.
        progress: told how many are done.

    Returns:
        range of the systems' sums in each shuffle (resamples).
    """
    rounded, quantum = whole(sums, 2 * float(np.abs(sums).sum()))
    rows = max(1, _CELLS // rounded.size)

    def block(start: int) -> Values:
        rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_ORDERS, start)))
        size = min(rows, resamples - start)
        totals = np.stack([rng.permuted(rounded, axis=1).sum(axis=0) for _ in range(size)])
        ranges: Values = np.ptp(totals, axis=1) * quantum
        return ranges

    return np.concatenate(list(_in_threads(block, range(0, resamples, rows), resamples, rows, progress)))


def _in_threads(
    work: Callable[[int], T], starts: range, total: int, step: int, progress: Progress | None
) -> Iterator[T]:
    """Results in order, from as many threads as there are cores to use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    with ThreadPoolExecutor(min(cores, 8)) as pool:
        try:
            for start, result in zip(starts, pool.map(work, starts), strict=True):
                if progress:
                    progress(min(start + step, total), total)
                yield result
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
