"""Parts are found by name, imported when they are asked for, and refused with the nearest name."""

import subprocess
import sys
from collections.abc import Callable
from typing import Annotated, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store import LswError
from tests.conftest import ROOT
from tui.pages import PAGES
from workbench.collections.cuts import CUTS
from workbench.collections.sources import SOURCES, source
from workbench.evaluation.collapses import COLLAPSES
from workbench.recipe.load import checked
from workbench.registry import LOCAL, Registry, Section
from workbench.reports import REPORTS
from workbench.significance.corrections import CORRECTIONS
from workbench.significance.intervals import INTERVALS
from workbench.significance.paired_tests import TESTS
from workbench.similarity import FEATURES
from workbench.stages import KINDS
from workbench.stages.triples import TRIPLES
from workbench.systems import SYSTEMS
from workbench.training.objectives import OBJECTIVES
from workbench.training.steps import STEPS
from workbench.translation import TRANSLATORS

REGISTRIES: dict[str, Registry[Any]] = {
    "systems": SYSTEMS, "sources": SOURCES, "translators": TRANSLATORS, "steps": STEPS, "objectives": OBJECTIVES,
    "kinds": KINDS, "triples": TRIPLES, "tests": TESTS, "corrections": CORRECTIONS, "intervals": INTERVALS,
    "reports": REPORTS, "pages": PAGES, "features": FEATURES, "cuts": CUTS, "collapses": COLLAPSES,
}  # fmt: skip
FROM_OUTSIDE: dict[str, Callable[[str], Any]] = {
    "a test of lsw compare": lambda name: REGISTRIES["tests"].part(name),
    "a collection's source": lambda name: source(f"{name}:x"),
    "architecture": lambda name: recipe(systems={"x": {"architecture": name}}),
    "translator": lambda name: recipe(translation={"translator": name}),
    "feature of similarity": lambda name: recipe(similarity={"features": [name]}),
    "translator back": lambda name: recipe(audit={"back": name}),
    "negatives": lambda name: recipe(negatives={"source": name}),
    "test": lambda name: recipe(comparison={"test": name}),
    "correction": lambda name: recipe(comparison={"correction": name}),
    "interval": lambda name: recipe(comparison={"interval": name}),
    "contrast": lambda name: recipe(comparison={"contrasts": [name]}),
    "system": lambda name: recipe(retrieval={"pairs": ["ca-fr"], "systems": [name]}),
    "script": lambda name: recipe(retrieval={"pairs": ["ca-fr"], "systems": ["bm25"], "script": name}),
    "cut": lambda name: recipe(retrieval={"pairs": ["ca-fr"], "systems": ["bm25"], "cut": name}),
    "collapse": lambda name: recipe(retrieval={"pairs": ["ca-fr"], "systems": ["bm25"], "cut": {}, "collapse": name}),
    "variety": lambda name: recipe(retrieval={"pairs": [f"{name}-fr"], "systems": ["bm25"]}),
    "measure": lambda name: recipe(measures={"names": [name]}),
    "step": lambda name: recipe(**{"fine-tuning": {"pair": "ca-fr", "systems": [], "steps": [{"step": name}]}}),
    "objective": lambda name: OBJECTIVES.part(name),
}
"""Every name that somebody may write, and what reads it."""


def recipe(**sections: Any) -> Any:
    plain = {
        "title": "x",
        "collection": {"name": "c", "folder": "."},
        "retrieval": {"pairs": ["ca-fr"], "systems": ["bm25"]},
    }
    return checked({**plain, **sections}, ROOT / "recipes" / "robustness.toml")


@pytest.mark.parametrize("what", FROM_OUTSIDE)
@given(name=st.from_regex(r"zz[a-z]{2,6}q", fullmatch=True))
def test_an_unknown_name_is_refused_everywhere(what: str, name: str) -> None:
    """No dispatch has an `else` that stands for a name."""
    with pytest.raises(LswError) as told:
        FROM_OUTSIDE[what](name)
    assert name in str(told.value)
    assert told.value.exit_code == 2


@pytest.mark.parametrize("what", REGISTRIES)
def test_the_nearest_name_is_offered(what: str) -> None:
    registry = REGISTRIES[what]
    name = max(registry.names(), key=len)
    with pytest.raises(LswError, match=f"Unknown {registry.what} '{name}x'") as told:
        registry.part(name + "x")
    assert f"'{name}'" in told.value.cure


@pytest.mark.parametrize("what", REGISTRIES)
def test_names_are_modules_and_classes_are_theirs(what: str) -> None:
    registry = REGISTRIES[what]
    assert registry.names()
    for name in registry.names():
        part = registry.part(name)
        assert issubclass(part, registry.base)
        assert part.__module__.rpartition(".")[2] == name.replace("-", "_")
        assert (part.__doc__ or "").strip(), f"{name} does not say what it is"
        assert registry.known(name) == name


def test_names_are_known_before_anything_is_imported() -> None:
    code = (
        "import sys\n"
        "from workbench.systems import SYSTEMS\n"
        "from workbench.translation import TRANSLATORS\n"
        "assert {'bm25', 'mt5'} <= set(SYSTEMS.names()) and 'google' in TRANSLATORS.names()\n"
        "early = {'workbench.systems.bm25', 'workbench.systems.mt5', 'workbench.translation.google'} & set(sys.modules)\n"
        "assert not early, early\n"
        "SYSTEMS.part('bm25')\n"
        "assert 'workbench.systems.bm25' in sys.modules and 'workbench.systems.mt5' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_a_key_leaves_out_what_is_local_and_what_is_as_usual() -> None:
    class Inner(Section):
        depth: int = 3

    class Settings(Section):
        name: str
        rate: float = 2.0
        inner: Inner = Inner()
        folder: Annotated[str, LOCAL] = ""
        many: list[Inner] = []

    assert Settings(name="x", folder="/tmp", rate=2.0).key() == {"name": "x"}
    assert Settings(name="x", rate=3.0, inner=Inner(depth=4)).key() == {"name": "x", "rate": 3.0, "inner": {"depth": 4}}
    assert Settings(name="x", many=[Inner(), Inner(depth=1)]).key() == {"name": "x", "many": [{}, {"depth": 1}]}


def test_some_names_come_first_and_all_are_there() -> None:
    assert TESTS.names() == ["randomisation", "t", "wilcoxon", "tukey"]
    assert CORRECTIONS.names() == ["holm", "bonferroni", "bh", "none"]
