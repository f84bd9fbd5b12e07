"""What all parts of a recipe's plan share: the recipe, its collections and pairs, and the graph that grows."""

from pathlib import Path

from store import LswError, nearest
from workbench.checkpoints.resolve import place
from workbench.collections.base import Collection
from workbench.collections.folder import Folder
from workbench.collections.mixed import Mixed
from workbench.collections.pages import Pages
from workbench.collections.public import PublicCollection
from workbench.collections.sample import Sampled
from workbench.collections.sources import named
from workbench.graph import Graph
from workbench.recipe.schema import CollectionAt, Recipe
from workbench.text import SCRIPTS
from workbench.varieties import Pair, pair, variety


class Planner:
    """The stages of one recipe, as they are found to be needed.

    Args:
        recipe: checked, its scale merged in.
        base: folder that relative paths of the scale start from.
        fetch: whether a model that is not on this machine may be downloaded now.

    Attributes:
        graph: the stages.
        trained: what is trained on.
        tested: what is tested on.
        pairs: that are tested.

    Raises:
        LswError: a collection that the recipe needs is not there, or has none of its pairs.
    """

    def __init__(self, recipe: Recipe, base: Path, fetch: bool = True) -> None:
        self.recipe, self.base, self.fetch = recipe, base, fetch
        self.graph = Graph()
        self.trained = collection_of(recipe.collection, base)
        self.tested = self.trained
        self._asked: dict[str, list[str]] = {}
        retrieval = recipe.retrieval
        at = recipe.collection
        if retrieval and retrieval.collection:
            if retrieval.collection not in recipe.collections:
                raise LswError(
                    f"This scale has no collection '{retrieval.collection}'.",
                    cure=nearest(retrieval.collection, recipe.collections)
                    if recipe.collections
                    else "Choose another scale.",
                )
            at = recipe.collections[retrieval.collection]
            self.tested = collection_of(at, base)
            if self.tested.name == self.trained.name and self.tested.fingerprint != self.trained.fingerprint:
                raise LswError(
                    f"Two collections of this scale are called '{at.name}', and they are not the same.",
                    cure=f"Give [collections.{retrieval.collection}] another name.",
                )
        declared = list(retrieval.pairs) if retrieval else []
        self.pairs: list[Pair] = [pair(text) for text in declared if at.pairs is None or text in at.pairs]
        if declared and not self.pairs:
            raise LswError(
                f"Collection '{at.name}' has none of the pairs {', '.join(declared)}.",
                cure="It has: " + ", ".join(at.pairs or ()),
            )

    def collection(self, split: str) -> Collection:
        """What is trained on, and watched meanwhile, may be another collection than what is tested on."""
        return self.tested if split == "test" else self.trained

    def distinguish(self, collection: Collection, code: str) -> None:
        """Make sure that the queries of a variety are not those of another that was asked for before.

        Raises:
            LswError: they are in the same file.
        """
        asked = self._asked.setdefault(collection.name, [])
        if code not in asked:
            asked.append(code)
            collection.distinguish(asked)

    def script(self, *codes: str) -> str:
        """The declared script where it can matter, so that recipes which differ only there share the rest."""
        declared = self.recipe.retrieval.script if self.recipe.retrieval else SCRIPTS[0]
        return declared if any(variety(code).words == "han" for code in codes) else SCRIPTS[0]


def _placed(at: str | list[str], base: Path) -> str | tuple[str, ...]:
    """Where queries are, paths of files made whole."""
    if isinstance(at, str):
        return at if named(at) else str(place(at, base))
    return tuple(text if named(text) else str(place(text, base)) for text in at)


def collection_of(at: CollectionAt, base: Path) -> Collection:
    """The collection that a scale names.

    Args:
        at: the section.
        base: folder that relative paths start from.

    Raises:
        LswError: it names neither a folder nor sources, or both.
    """
    if bool(at.folder) == bool(at.sources):
        raise LswError(
            f"Collection '{at.name}' needs a folder or sources, {'not both' if at.folder else 'one of the two'}.",
            cure='Set collection.folder, or collection.sources as in sources.fr = "irds:mmarco/v2/fr".',
        )
    whole: Collection
    if at.folder:
        whole = Folder(at.name, place(at.folder, base))
    else:
        queries = {
            split: {code: _placed(at, base) for code, at in by_variety.items()}
            for split, by_variety in at.queries.items()
        }
        whole = PublicCollection(at.name, at.sources, at.splits, queries, tuple(at.fields))
    if sample := at.sample:
        varieties = tuple(at.sources) or ("",)
        whole = Sampled(whole, varieties, sample.queries, sample.training_queries, sample.passages, sample.seed)
    if pages := at.pages:
        if at.mixed:
            raise LswError(
                f"Collection '{at.name}' is of pages, which are not made in several languages at once.",
                cure="Take collection.mixed out, or collection.pages.",
            )
        least, most = pages.of
        whole = Pages(whole, (least, most), pages.seed, pages.area)
    return Mixed(whole, tuple(at.mixed)) if at.mixed else whole
