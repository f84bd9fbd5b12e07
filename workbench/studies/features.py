"""Features of pairs and of queries, as an analysis reads them from the store's tables."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from store import LswError
from store.rows import Row


@dataclass(frozen=True)
class Feature:
    """One feature, under one tokenizer or none.

    `values` are of what the table's rows are of: a query in a pair, or a pair; None where there is none.
    """

    name: str
    tokenizer: str | None
    values: dict[tuple[str, ...], float | None] = field(default_factory=dict)

    @property
    def known(self) -> dict[tuple[str, ...], float]:
        """Those that there are."""
        return {key: value for key, value in self.values.items() if value is not None}


class Features:
    """All features of a table.

    Args:
        table: columns low, high, feature, tokenizer, value, and those of `by`.
        by: what else a row is of: `qid`, or nothing.
        only: names of features; None: all.

    Raises:
        LswError: a row is there twice with different values, of two collections.
    """

    def __init__(self, table: pa.Table, by: tuple[str, ...] = (), only: Iterable[str] | None = None) -> None:
        if only is not None:
            table = table.filter(pc.is_in(table["feature"], value_set=pa.array(list(only), pa.string())))
        self.found: dict[tuple[str, str | None], Feature] = {}
        rows: list[Row] = table.select(["low", "high", *by, "feature", "tokenizer", "value"]).to_pylist()
        for row in rows:
            name, under = row["feature"], row["tokenizer"]
            feature = self.found.setdefault((name, under), Feature(name, under))
            key = row["low"], row["high"], *(row[column] for column in by)
            if feature.values.get(key, row["value"]) != row["value"]:
                raise LswError(
                    f"The feature '{name}' has two values for {' '.join(key)}.",
                    cure="Analyse one collection at a time: its queries are not another's.",
                )
            feature.values[key] = row["value"]

    @property
    def names(self) -> list[str]:
        """Of features, each once."""
        return list(dict.fromkeys(name for name, _ in self.found))

    def of(self, name: str, system: str) -> Feature | str:
        """A feature under the tokenizer of a system, or the first of its parts that has one; or why there is none."""
        if (name, None) in self.found:
            return self.found[name, None]
        for part in [system, *re.split(r"[^\w.-]+", system)]:
            if (name, part) in self.found:
                return self.found[name, part]
        if name in self.names:
            return f"'{name}' was not measured under a tokenizer of {system}"
        return f"'{name}' was not measured: known are {', '.join(self.names) or 'none'}"
