"""What a plan will cost before it is run: downloads, translation, time and disk, stage by stage."""

import tempfile
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from store import LswError
from workbench.checkpoints import hub
from workbench.collections import sizes as extent
from workbench.collections.folder import MINI, Folder
from workbench.collections.sizes import Extent
from workbench.collections.sources import irds
from workbench.costs import timing as gauge
from workbench.engine.execute import Fate
from workbench.plans.compiler import place
from workbench.plans.recipe import Plan
from workbench.recipe.schema import Recipe, SystemAt, Tuning
from workbench.stages import Stage
from workbench.systems._encoding import Computing

START = {"first": 9.0, "model": 0.4}
"""Seconds: to import torch and its companions once, and to begin each stage that loads a model."""
_PER_RESULT = 4.5e-7
"""Seconds to order, write and ingest one row of a ranking."""
_MILD = 0.15
"""Seconds of every other stage: hashing, writing, a transaction."""
TYPICAL = 350.0
"""Mean length of an MS MARCO passage in bytes, where a source does not say."""


@dataclass
class Cost:
    """Of one stage. Bytes, characters, US dollars, tokens (about: four bytes each), seconds."""

    stage: str
    kind: str
    download: int = 0
    characters: int = 0
    dollars: float = 0.0
    tokens: int = 0
    seconds: float = 0.0
    disk: int = 0
    unknown: str = ""


class Forecast:
    """The costs of a plan's stages that are not done.

    Args:
        plan: compiled without downloading.
        fates: of its stages.
        base: folder that relative paths of the scale start from.
        prices: dollars for a million characters, by translator.
        told: called with what is being timed.
    """

    def __init__(
        self, plan: Plan, fates: list[Fate], base: Path, prices: dict[str, float], told: Callable[[str], Any]
    ) -> None:
        self.recipe: Recipe = plan.recipe
        self.plan, self.base, self.prices, self.told = plan, base, prices, told
        self.to_run = [fate.stage for fate in fates if fate.outcome != "cached"]
        how = self.recipe.computing
        self.computing = Computing(how.precision, how.token_budget, how.search)
        self._extents: dict[str, Extent] = {}
        self._downloaded: set[str] = set()
        self._rates: dict[Any, float] = {}
        self._folder = tempfile.TemporaryDirectory()

    def costs(self) -> list[Cost]:
        """The cost of each stage that is to run, in order."""
        out = []
        for stage in self.to_run:
            cost = Cost(stage.label, stage.kind, seconds=_MILD)
            estimate = getattr(self, f"_{stage.kind}", None)
            if estimate:
                try:
                    estimate(stage, cost)
                except LswError as error:
                    cost.unknown = error.title
            out.append(cost)
        if any(c.kind in ("index", "rerank", "finetune") for c in out):
            out.insert(0, Cost("start", "start", seconds=START["first"]))
        return out

    # Sources ------------------------------------------------------------------------------------------------

    def _extent(self, stage: Stage) -> Extent:
        if stage.key not in self._extents:
            collection = stage.local["collection"]
            code = stage.parameters["variety"]
            found = (
                extent.passages(collection, code)
                if stage.kind == "passages"
                else extent.queries(collection, code, stage.parameters["split"])
            )
            if found.texts is None:
                raise LswError("Nobody says how large it is before it is downloaded.")
            self._extents[stage.key] = found
        return self._extents[stage.key]

    def _once(self, what: str, size: int) -> int:
        """Bytes, if this was not counted yet."""
        if what in self._downloaded:
            return 0
        self._downloaded.add(what)
        return size

    def _passages(self, stage: Stage, cost: Cost) -> None:
        found = self._extent(stage)
        cost.download = self._once(str(stage.parameters.get("from", stage.key)), found.download)
        size = (found.texts or 0) * (found.mean_bytes or TYPICAL)
        cost.disk = round(size)
        passes = 2 if "sample" in stage.parameters else 1
        cost.seconds += passes * (found.texts or 0) * 4e-6 + size / 4e8

    def _queries(self, stage: Stage, cost: Cost) -> None:
        found = self._extent(stage)
        cost.download = self._once(str(stage.parameters.get("from", stage.key)), found.download)
        cost.seconds += (found.texts or 0) * 5e-6

    def _qrels(self, stage: Stage, cost: Cost) -> None:
        collection = stage.local["collection"]
        size = extent.qrels(collection, stage.local.get("variety", ""), stage.parameters["split"])
        cost.download = self._once(f"qrels {stage.parameters.get('from')}", size)

    def _checkpoint(self, stage: Stage, cost: Cost) -> None:
        at = stage.local.get("hub")
        if not at:
            return
        if at not in gauge.SHAPES:
            raise LswError(f"How large {at} is will be known once it is downloaded.")
        cost.download = self._once(at, gauge.SHAPES[at]["bytes"])
        cost.disk = gauge.SHAPES[at]["bytes"]
        cost.seconds += cost.disk / 3e8

    def _scores(self, stage: Stage, cost: Cost) -> None:
        if str(stage.parameters["from"]).startswith(hub.SCHEME) and not hub.cached_file(stage.parameters["from"]):
            cost.download, cost.disk, cost.seconds = 1_140_000_000, 1_300_000_000, 900.0

    def _hard_negatives(self, stage: Stage, cost: Cost) -> None:
        if str(stage.parameters["from"]).startswith(hub.SCHEME) and not hub.cached_file(stage.parameters["from"]):
            cost.download = 1_060_000_000
        cost.seconds += self._triples(stage) * 1e-4
        cost.disk = self._triples(stage) * 60

    def _docpairs(self, stage: Stage, cost: Cost) -> None:
        handler = irds.dataset(stage.parameters["from"]).docpairs_handler()
        cost.download = self._once(f"docpairs {stage.parameters['from']}", irds.missing(handler))
        cost.seconds += 60.0 if cost.download else 1.0
        cost.disk = self._triples(stage) * 30

    def _published_triples(self, stage: Stage, cost: Cost) -> None:
        if str(stage.parameters["from"]).startswith(hub.SCHEME) and not hub.cached_file(stage.parameters["from"]):
            cost.download = 1_900_000_000
        cost.seconds += 60.0

    # Translation --------------------------------------------------------------------------------------------

    def _translate(self, stage: Stage, cost: Cost) -> None:
        source = self._extent(stage.inputs["source"])
        translator = stage.parameters["translator"]
        if translator in ("collection", "file"):
            return
        texts = source.texts or 0
        letters = sum(map(len, source.samples)) / len(source.samples) if source.samples else source.mean_bytes
        cost.characters = round(texts * letters)
        cost.dollars = cost.characters / 1e6 * self.prices.get(translator, 0.0)
        if "rate" in stage.local:
            cost.seconds += texts / stage.local["rate"]
        elif translator == "apertium":
            cost.seconds += 1.0 + texts * 0.005
        else:
            raise LswError("How long a checkpoint takes to translate is not timed.")

    def _back(self, stage: Stage, cost: Cost) -> None:
        there = stage.inputs["translation"]
        self._translate(replace(stage, inputs=there.inputs), cost)

    # Models -------------------------------------------------------------------------------------------------

    def _texts(self, code: str, near: Extent | None = None) -> list[str]:
        """Texts to time with: of the collection, if they are here; else the mini collection's in that variety."""
        if near and near.samples:
            return list(near.samples)
        mini = Folder("mini", MINI)
        have = code if (MINI / f"corpus.{code}.jsonl").exists() else "en"
        return [text for batch in mini.passages(have) for text in batch["text"].to_pylist()]

    def _timed(self, system: str, what: str, time: Callable[[SystemAt, Path], float]) -> float:
        """A rate of a system, timed once; by a stand-in at two depths if the model is not here."""
        key = (system, what)
        if key in self._rates:
            return self._rates[key]
        at = self.recipe.systems[system]
        self.told(f"timing {system}, {what}")
        folder = self._here(at)
        if folder:
            self._rates[key] = time(at, folder)
            return self._rates[key]
        plain = at.model_copy(update={"document_length": min(at.document_length, 512)})
        rates = []
        for layers in (1, 2):
            made = Path(self._folder.name) / f"{at.checkpoint.replace('/', '--')}-{layers}"
            if not made.exists():
                gauge.stand_in(at.checkpoint, layers, made)
            rates.append(time(plain, made))
        deep = gauge.SHAPES[at.checkpoint]["layers"]
        self._rates[key] = rates[0] + (deep - 1) * max(rates[1] - rates[0], rates[0] * 0.05)
        return self._rates[key]

    def _a_byte(self, system: str, what: str, code: str, texts: list[str], time: Callable[..., float]) -> float:
        """A rate for a byte of a variety's texts: timed in one variety, in others by how many tokens a byte takes."""
        key = ("tokens", system, what)
        spelt = self._spelt(system, code, texts)
        first = self._rates.setdefault(key, spelt)
        return self._timed(system, what, time) * spelt / first

    def _spelt(self, system: str, code: str, texts: list[str]) -> float:
        """Tokens for a byte of text."""
        key = ("spelt", system, code)
        if key not in self._rates:
            from transformers import AutoTokenizer

            at = self.recipe.systems[system]
            folder = self._here(at) or gauge.tokenizer(at.checkpoint)
            some = texts[:200]
            ids = AutoTokenizer.from_pretrained(folder, local_files_only=True)(some, verbose=False)["input_ids"]
            self._rates[key] = sum(map(len, ids)) / sum(len(t.encode()) for t in some)
        return self._rates[key]

    def _here(self, at: SystemAt) -> Path | None:
        """A checkpoint's folder, if it need not be downloaded."""
        folder = place(at.checkpoint, self.base)
        if folder.is_dir():
            return folder
        found = hub.cached_model(at.checkpoint)
        if not found and at.checkpoint not in gauge.SHAPES:
            raise LswError(f"{at.checkpoint} is not here; download it to know how fast it is.")
        return self._safe(found[0]) if found else None

    def _safe(self, folder: Path) -> Path:
        """A checkpoint whose weights are safetensors, rewritten if they are not."""
        from workbench.checkpoints import weights

        if weights.examine(folder) == "safetensors":
            return folder
        out = Path(self._folder.name) / folder.parent.parent.name
        if not out.exists():
            weights.rewrite(folder, out, lambda a, b: None)
        return out

    def _index(self, stage: Stage, cost: Cost) -> None:
        found = self._extent(stage.inputs["passages"])
        size = (found.texts or 0) * (found.mean_bytes or TYPICAL)
        code = stage.parameters["document_variety"]
        texts = self._texts(code, found)
        if stage.parameters["architecture"] == "bm25":
            key = ("bm25", code)
            if key not in self._rates:
                self.told("timing bm25, indexing")
                self._rates[key] = gauge.counting(texts, code)
            cost.seconds += size * self._rates[key]
            cost.disk = round(size * 0.6)
            return
        system = self._system(stage)
        rate = self._a_byte(
            system,
            "encoding",
            code,
            texts,
            lambda at, folder: gauge.encoding(at, folder, texts, code, self.computing, gauge.ENOUGH),
        )
        cost.tokens = round(size / 4)
        cost.seconds += size * rate + START["model"]
        cost.disk = self._index_bytes(system, found.texts or 0, size)

    def _system(self, stage: Stage) -> str:
        """The system of an index, a search or a run; of a pipeline the second."""
        return str(stage.parameters.get("system") or stage.local["system"]).rpartition(" >> ")[2]

    def _index_bytes(self, system: str, passages: int, size: float) -> int:
        at = self.recipe.systems[system]
        shape = gauge.SHAPES.get(at.checkpoint)
        width = shape["width"] if shape else 192
        each = 4 if self.computing.precision == "float32" else 2
        per_token = (width if "bge" in at.checkpoint else 128) * each
        dense, terms, late = passages * width * 4, round(size / 4 * 0.7 * 8), round(size / 4 * per_token)
        return {"bi-encoder": dense, "sparse": terms, "multi-vector": late}.get(at.architecture, dense + terms + late)

    def _retrieve(self, stage: Stage, cost: Cost) -> None:
        queries = self._extent(self._queries_of(stage)).texts or 0
        passages = self._extent(stage.inputs["index"].inputs["passages"])
        n = passages.texts or 0
        rows = queries * min(stage.parameters["depth"], n)
        cost.seconds += rows * _PER_RESULT
        cost.disk = rows * 20
        kind = stage.parameters["architecture"]
        if kind == "bm25":
            cost.seconds += queries * (2e-4 + n * 1.2e-8) + rows * 4e-7
            return
        key = ("multiply",)
        if key not in self._rates:
            self._rates[key] = gauge.multiplying()
        cost.seconds += START["model"]
        if kind in ("bi-encoder", "hybrid"):
            width = gauge.SHAPES.get(self.recipe.systems[self._system(stage)].checkpoint, {"width": 192})["width"]
            # pyterrier_dr keeps the best of each block of passages: some eight multiplications a score.
            cost.seconds += queries * n * (width * self._rates[key] + 4e-9)
        if kind in ("multi-vector", "hybrid"):
            vectors = n * (passages.mean_bytes or TYPICAL) / 4
            cost.seconds += queries * vectors * 32 * (128 * self._rates[key] + 4e-10)

    def _search(self, stage: Stage, cost: Cost) -> None:
        self._retrieve(stage, cost)

    def _queries_of(self, stage: Stage) -> Stage:
        found = stage.inputs["queries"]
        return found.inputs["source"] if found.kind == "translate" else found

    def _rerank(self, stage: Stage, cost: Cost) -> None:
        queries = self._extent(self._queries_of(stage)).texts or 0
        passages = self._extent(stage.inputs["passages"])
        pairs = queries * min(stage.parameters["rerank_depth"], passages.texts or 0)
        size = pairs * (passages.mean_bytes or TYPICAL)
        code = stage.parameters["document_variety"]
        texts = self._texts(code, passages)
        rate = self._a_byte(
            self._system(stage),
            "scoring",
            code,
            texts,
            lambda at, folder: gauge.scoring(at, folder, texts, self.computing, gauge.ENOUGH),
        )
        cost.tokens = round(size / 4)
        rows = queries * min(stage.parameters["depth"], passages.texts or 0)
        cost.seconds += size * rate + START["model"] + rows * 3 * _PER_RESULT
        cost.disk = rows * 20

    def _triples(self, stage: Stage) -> int:
        """Training triples that a stage will make, at most."""
        if stage.kind == "published_triples":
            return int(stage.parameters["limit"] or 2_000_000)
        if stage.kind == "docpairs":
            return int(stage.parameters["limit"] or 40_000_000)  # MS MARCO has as many
        source = stage.inputs.get("queries")
        n = self._extent(self._queries_of(stage)).texts if source else 0
        made = (n or 0) * int(stage.parameters.get("per_query", 1))
        return min(made, stage.parameters.get("limit") or made)

    def _finetune(self, stage: Stage, cost: Cost) -> None:
        system = stage.parameters["system"]
        assert self.recipe.fine_tuning
        tuning = self.recipe.fine_tuning.tuning(system)
        triples = self._triples(stage.inputs["triples"])
        steps = tuning.steps or max(1, round(-(-triples // tuning.batch_size) * tuning.epochs))
        passages = self._extent(stage.inputs["passages"])
        texts = self._texts(stage.parameters["document_variety"], passages)
        codes = stage.parameters["query_variety"], stage.parameters["document_variety"]
        rate = self._step(system, tuning, texts, codes, passages.mean_bytes or TYPICAL)
        size = 2 * steps * tuning.batch_size * (passages.mean_bytes or TYPICAL)
        cost.tokens = round(size / 4)
        cost.seconds += steps * rate + 4 * START["model"]
        shape = gauge.SHAPES.get(self.recipe.systems[system].checkpoint)
        folder = place(self.recipe.systems[system].checkpoint, self.base)
        own = sum(f.stat().st_size for f in folder.rglob("*.safetensors")) * 2 if folder.is_dir() else 0
        cost.disk = shape["bytes"] if shape else own

    def _step(self, system: str, tuning: Tuning, texts: list[str], codes: tuple[str, str], mean: float) -> float:
        """Seconds for a training step: timed, or of a model that is not here made up of what its stand-in can do."""
        at = self.recipe.systems[system]
        if place(at.checkpoint, self.base).is_dir():
            return self._timed(
                system,
                "training",
                lambda at, folder: gauge.training(at, folder, tuning, texts, codes, gauge.ENOUGH),
            )
        computing = Computing("auto" if tuning.precision == "auto" else tuning.precision)
        forward = self._a_byte(
            system,
            "training forward",
            codes[1],
            texts,
            lambda at, folder: (
                gauge.scoring(at, folder, texts, computing, gauge.ENOUGH)
                if at.reranks
                else gauge.encoding(at, folder, texts, codes[1], computing, gauge.ENOUGH)
            ),
        )
        if ("update",) not in self._rates:
            self._rates["update",] = gauge.updating()
        parameters = float(gauge.SHAPES[at.checkpoint]["bytes"]) / 4 * (0.3 if "embeddings" in tuning.frozen else 1.0)
        return tuning.batch_size * 2 * mean * forward * gauge.BACKWARD + parameters * self._rates["update",]

    def _compare(self, stage: Stage, cost: Cost) -> None:
        comparisons = len(stage.parameters["runs"]) * 3
        cost.seconds += 0.3 + comparisons * stage.parameters["resamples"] / 100_000 * 0.03
