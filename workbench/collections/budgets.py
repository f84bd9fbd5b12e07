"""Parts of parallel data: so many pairs or words, a larger part holding the smaller ones, and a share made wrong.

For what little data is worth: so many sentences or entries of a lexicon, or what so many words of them cost, clean or
with errors.
"""

import hashlib
import random
from collections.abc import Iterable, Sequence
from typing import Annotated

import pyarrow as pa
from pydantic import Field

from store import LswError
from workbench.text import places

Noise = Annotated[float, Field(ge=0, le=1)]
"""A share that is made wrong."""

TRIES = 20
"""Draws of another target, before those that may be drawn are listed."""

Texts = tuple[str, str]
"""A source and its target."""


def hashed(names: Iterable[str], seed: int) -> list[int]:
    """Places of names in the order of their seeded hashes."""
    some = list(names)
    return sorted(range(len(some)), key=lambda i: hashlib.sha256(f"{seed}:{some[i]}".encode()).digest())


def cost(pair: Texts) -> int:
    """Words of both sides of a pair; each Han character is one."""
    return sum(1 for text in pair for _ in places(text))


def taken(pairs: Sequence[Texts], order: Sequence[int], most: int | None, words: int | None, what: str) -> list[int]:
    """Places, ascending, of the first `most` pairs in an order; or of the first that together cost at most `words`.

    Args:
        pairs: to choose from.
        order: places of pairs, the first to be taken first.
        most: pairs wanted.
        words: wanted (`cost`); the pair that would exceed them is left out, and all that come after it.
        what: the pairs are called in an error.

    Raises:
        LswError: there are fewer than wanted, or not one pair costs so little.
    """
    if most is not None and most > len(pairs):
        raise _too_few(f"There are {len(pairs):,} {what}, and {most:,} are asked for.")
    chosen = list(order if most is None else order[:most])
    if words is not None:
        left, within = words, list[int]()
        for i in chosen:
            left -= cost(pairs[i])
            if left < 0:
                break
            within.append(i)
        if left > 0:
            raise _too_few(f"The {what} have {words - left:,} words, and {words:,} are asked for.")
        if not within:
            raise _too_few(f"None of the {what} has only {words:,} words.", "Set more `words`.")
        chosen = within
    return sorted(chosen)


def _too_few(title: str, cure: str = "Ask for fewer, or name more data: none are used twice.") -> LswError:
    return LswError(title, cure=cure, exit_code=1)


def noisy(
    pairs: Sequence[Texts], names: Sequence[str], share: float, seed: int, groups: Sequence[str] | None = None
) -> tuple[list[str], int]:
    """The targets of some pairs, a share of them replaced by another pair's target; and how many were.

    Those with the smallest seeded hashes are replaced, so that more noise holds the less. A replacement is none of the
    targets that the same source has.

    Args:
        pairs: sources and targets.
        names: of the pairs.
        share: of the pairs, rounded to whole pairs.
        seed: of the choice and of the draws.
        groups: of the pairs; a target is replaced by one of its own group, as of its variety.

    Raises:
        LswError: there is no other target to take.
    """
    targets = [target for _, target in pairs]
    count = round(share * len(pairs))
    if not count:
        return targets, 0
    of = list(groups) if groups is not None else [""] * len(pairs)
    right: dict[tuple[str, str], set[str]] = {}
    pools: dict[str, list[str]] = {}
    for (source, target), group in zip(pairs, of, strict=True):
        right.setdefault((group, source), set()).add(target)
        pools.setdefault(group, []).append(target)
    wrong = list(targets)
    for i in hashed((f"noise:{name}" for name in names), seed)[:count]:
        rng, not_these, pool = random.Random(f"{seed}:{names[i]}"), right[of[i], pairs[i][0]], pools[of[i]]
        drawn = next((text for text in (rng.choice(pool) for _ in range(TRIES)) if text not in not_these), None)
        if drawn is None:
            others = [text for text in pool if text not in not_these]
            if not others:
                raise LswError(
                    f"No wrong translation of '{pairs[i][0]}' can be drawn: all others are right.",
                    cure="Ask for more data, or set noise = 0.",
                    exit_code=1,
                )
            drawn = rng.choice(others)
        wrong[i] = drawn
    return wrong, count


def part(
    table: pa.Table, most: int | None, words: int | None, noise: float, seed: int
) -> tuple[pa.Table, dict[str, float]]:
    """A part of a bitext, in the order of the table, some of its targets wrong; and its counts.

    Args:
        table: columns id, source, target; and target_variety, if there are several.
        most, words, seed: `taken`, in the order of the seeded hashes of ids.
        noise: `noisy`, of the pairs that are taken.

    Raises:
        LswError: there is less than is asked for.
    """
    names, pairs = table["id"].to_pylist(), _pairs(table)
    if most is not None or words is not None:
        places_taken = taken(pairs, hashed(names, seed), most, words, "parallel texts")
        table = table.take(pa.array(places_taken, pa.int64()))
        names, pairs = table["id"].to_pylist(), _pairs(table)
    counts: dict[str, float] = {"pairs": len(pairs)}
    if most is not None or words is not None or noise:
        counts["words"] = sum(map(cost, pairs))
    if noise:
        groups = table["target_variety"].to_pylist() if "target_variety" in table.column_names else None
        targets, counts["noisy"] = noisy(pairs, names, noise, seed, groups)
        at = table.schema.get_field_index("target")
        table = table.set_column(at, "target", pa.array(targets, pa.string()))
    return table, counts


def _pairs(table: pa.Table) -> list[Texts]:
    return list(zip(table["source"].to_pylist(), table["target"].to_pylist(), strict=True))
