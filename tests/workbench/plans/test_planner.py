"""What a plan starts from: its collections, and the script that may matter."""

from pathlib import Path

from workbench.collections.folder import MINI
from workbench.collections.sample import Sampled
from workbench.plans.planner import Planner, collection_of
from workbench.recipe.load import load, recipe_path, scale_path
from workbench.recipe.schema import CollectionAt, Sample


def test_a_script_is_declared_where_somebody_writes_han() -> None:
    """So recipes that differ only there share the stages of other pairs."""
    recipe = load(recipe_path("zero_shot_yue_zh"), scale_path("mini"), ["retrieval.script=simplified"])
    plan = Planner(recipe, Path())
    assert plan.script("yue", "zh") == plan.script("fr", "zh") == "simplified"
    assert plan.script("ca", "fr") == "as written"


def test_a_sample_is_judged_in_every_variety_of_its_source() -> None:
    """Each source has judgements of its own; a folder's hold for all varieties, and name none."""
    sample = Sample(queries=5, passages=20)
    several = {"nl": "irds:mmarco/v2/dt", "fr": "irds:mmarco/v2/fr"}
    public = collection_of(CollectionAt(name="p", sources=several, splits={"test": "dev/small"}, sample=sample), Path())
    folder = collection_of(CollectionAt(name="f", folder=str(MINI), sample=sample), Path())
    assert isinstance(public, Sampled) and isinstance(folder, Sampled)
    assert (public.varieties, folder.varieties) == (("nl", "fr"), ("",))
    assert folder.queries("ca", "test").num_rows == 5
