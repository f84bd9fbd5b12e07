"""A store of one small recipe, every sort of pipeline in it, run in this process."""

import shutil

import pytest

from store import Store
from tests.conftest import cut
from tests.workbench.plans.test_windows import Silent
from workbench.checkpoints.resolve import SHIPPED
from workbench.engine.execute import execute
from workbench.plans.recipe import compile_recipe
from workbench.recipe.load import load

SYSTEMS = [
    "bm25", "bge-m3", "colbert-xm", "bm25 >> mt5", "rrf(bm25, bge-m3)",
    "0.5 * bm25 + 2 * bge-m3", "translate-test >> bm25",
]  # fmt: skip
SCALE = """
[collection]
name = "small"
folder = "small"

[systems.bge-m3]
architecture = "bi-encoder"
checkpoint = "models/bge-m3"
query_length = 32
document_length = 64

[systems.colbert-xm]
architecture = "multi-vector"
checkpoint = "package:models/colbert-xm"
query_length = 32
document_length = 64

[systems.mt5]
architecture = "mt5"
checkpoint = "package:models/mt5"
query_length = 32
document_length = 128
"""


@pytest.fixture(scope="package")
def why(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Catalan queries over French passages of 8 topics; `bge-m3` lies in a folder of its own."""
    folder = tmp_path_factory.mktemp("why")
    cut(folder / "small", ("fr",), ("ca", "fr"), 8)
    shutil.copytree(SHIPPED / "models" / "bge-m3", folder / "models" / "bge-m3")
    (folder / "own.toml").write_text(SCALE, "utf-8")
    (folder / "why.toml").write_text(
        f'title = "Why"\n[retrieval]\npairs = ["ca-fr"]\nask = ["low"]\nsystems = {SYSTEMS}\ndepth = 10\n[reranking]\ndepth = 5\n[comparison]\nresamples = 100\n',
        "utf-8",
    )
    store = Store(folder / "store")
    store.create()
    recipe = load(folder / "why.toml", folder / "own.toml", [])
    execute(compile_recipe(recipe, "why", "own", folder), store, Silent())
    return store
