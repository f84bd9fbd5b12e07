"""What pickers offer of measures and methods, each with what it is."""

from collections.abc import Iterable
from typing import Any

from store.rows import RunRow
from tui.frame.pick import Item
from workbench.evaluation.measures import DEFAULT
from workbench.registry import Registry
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.paired_tests import TESTS

_OF: dict[str, Registry[Any]] = {"test": TESTS, "correction": CORRECTIONS, "interval": INTERVALS}


def kinds(name: str) -> list[Item]:
    """The tests, corrections or intervals that there are."""
    registry = _OF[name]
    return [Item(kind, str(registry.part(kind).title)) for kind in registry.names()]


def measures(runs: Iterable[RunRow]) -> list[Item]:
    """The usual measures, then those that these runs were evaluated in."""
    recorded = {m for r in runs for m in r["means"]}
    every = [*DEFAULT, *sorted(recorded - set(DEFAULT))]
    return [Item(m, "evaluated" if m in recorded else "computed from the rankings") for m in every]
