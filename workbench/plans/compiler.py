"""The stages a recipe can ask for, each with its key; equal stages become one."""

import hashlib
import re
from pathlib import Path
from typing import Any

from store import LswError, nearest
from store.artifacts import canonical, file_hash
from workbench.checkpoints import hub
from workbench.collections.folder import MINI, Collection, Folder
from workbench.collections.public import Catalogued
from workbench.collections.sample import Sampled
from workbench.collections.sources import irds
from workbench.recipe.schema import RERANK, CollectionAt, Recipe, SystemAt, Tuning
from workbench.stages import KINDS, Stage
from workbench.text import SCRIPTS
from workbench.translation.services import COLLECTION, FILE, SEQ2SEQ, SERVICES
from workbench.varieties import Pair, pair, variety

PACKAGE = MINI.parent


def stage_key(kind: str, version: int, parameters: dict[str, Any], inputs: dict[str, str]) -> str:
    """sha256 over canonical JSON of what a stage depends on: never code, paths, times or devices."""
    said = canonical({"kind": kind, "version": version, "parameters": parameters, "inputs": inputs})
    return hashlib.sha256(said.encode()).hexdigest()


_HUB_NAME = re.compile(r"[\w.-]+/[\w.-]+(@[\w.-]+)?")
_BLOB = re.compile(r"[0-9a-f]{64}")


def _content(path: Path) -> str:
    """A file's sha256; the hub's cache names large files by it already."""
    name = path.resolve().name
    return name if path.is_symlink() and _BLOB.fullmatch(name) else file_hash(path)


def place(text: str, base: Path) -> Path:
    """A path as a scale writes it: `package:` is what ships with lsw, the rest is relative to the scale's file."""
    if text.startswith("package:"):
        return PACKAGE / text.removeprefix("package:")
    return (base / Path(text).expanduser()).resolve()


def collection_at(at: CollectionAt, base: Path) -> Collection:
    """The collection that a scale names.

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
            split: {code: where if ":" in where else str(place(where, base)) for code, where in by_variety.items()}
            for split, by_variety in at.queries.items()
        }
        whole = Catalogued(at.name, at.sources, at.splits, queries, tuple(at.fields))
    if at.sample is None:
        return whole
    varieties = tuple(at.sources) or ("",)
    return Sampled(whole, varieties, at.sample.queries, at.sample.training_queries, at.sample.passages, at.sample.seed)


def audit_stage(
    translation: Stage,
    inputs: dict[str, Stage],
    runs: list[dict[str, str]],
    measured: dict[str, Stage],
    said: dict[str, Any],
) -> tuple[str, str, dict[str, Any], dict[str, Stage]]:
    """Kind, label, parameters and inputs of an audit.

    Args:
        translation: the set.
        inputs: `reference` (queries) and `back`, where there are any.
        runs: system, low and high: the ids of its runs with the translations and with their sources.
        measured: the measures of each run, by its id.
        said: measure, confidence, seed.
    """
    t = translation.parameters
    label = f"audit {t['target_variety']} translations ({t['translator']})"
    every = {"translation": translation, "source": translation.inputs["source"], **inputs}
    every |= {f"measure.{run_id}": stage for run_id, stage in measured.items()}
    return "audit", label, {"runs": runs, **said}, every


class Compiler:
    """Builds the stages of one recipe; equal stages become one.

    Args:
        recipe: checked, its scale merged in.
        base: folder that relative paths of the scale start from.
        fetch: whether a model that is not on this machine may be downloaded now.
    """

    def __init__(self, recipe: Recipe, base: Path, fetch: bool = True) -> None:
        self.recipe = recipe
        self.base = base
        self.fetch = fetch
        self.order: dict[str, Stage] = {}
        self.script = recipe.retrieval.script if recipe.retrieval else "as written"
        self.trained = collection_at(recipe.collection, base)
        self.collection = self.trained
        """What is tested on."""
        self.pairs = list(recipe.retrieval.pairs) if recipe.retrieval else []
        over = recipe.retrieval.collection if recipe.retrieval else None
        at = recipe.collection
        if over:
            if over not in recipe.collections:
                raise LswError(
                    f"This scale has no collection '{over}'.",
                    cure=nearest(over, recipe.collections) if recipe.collections else "Choose another scale.",
                )
            at = recipe.collections[over]
            self.collection = collection_at(at, base)
        if at.pairs is not None:
            self.pairs = [text for text in self.pairs if text in at.pairs]
            if not self.pairs:
                raise LswError(
                    f"Collection '{at.name}' has none of the pairs {', '.join(recipe.retrieval.pairs)}."
                    if recipe.retrieval
                    else f"Collection '{at.name}' has no such pair.",
                    cure="It has: " + ", ".join(at.pairs),
                )

    def add(
        self,
        kind: str,
        label: str,
        parameters: dict[str, Any],
        inputs: dict[str, Stage] | None = None,
        local: dict[str, Any] | None = None,
    ) -> Stage:
        """A stage, or the equal one that is there already."""
        stage = Stage(kind, label, parameters, inputs or {}, local or {})
        keys = {role: s.key for role, s in stage.inputs.items()}
        stage.key = stage_key(kind, KINDS[kind][1], parameters, keys)
        return self.order.setdefault(stage.key, stage)

    def script_for(self, *codes: str) -> str:
        """The declared script where it can matter, so that recipes which differ only there share the rest."""
        return self.script if any(variety(code).words == "han" for code in codes) else SCRIPTS[0]

    # Sources ------------------------------------------------------------------------------------------------

    def _of(self, split: str) -> Collection:
        """What is trained on may be another collection than what is tested on."""
        return self.trained if split == "train" else self.collection

    def passages(self, code: str, split: str = "test") -> Stage:
        collection = self._of(split)
        said = {"collection": collection.name, **collection.origin("passages", code, split), "variety": code}
        return self.add("passages", f"read {code} passages", said, local={"collection": collection})

    def queries(self, code: str, split: str = "test") -> Stage:
        collection = self._of(split)
        said = {"collection": collection.name, **collection.origin("queries", code, split), "variety": code,
                "split": split}  # fmt: skip
        return self.add("queries", f"read {code} {split} queries", said, local={"collection": collection})

    def qrels(self, code: str = "", split: str = "test") -> Stage:
        """The judgements of a split over the passages of a variety."""
        collection = self._of(split)
        said = {"collection": collection.name, **collection.origin("qrels", code, split), "split": split}
        return self.add("qrels", f"read {split} judgements", said, local={"collection": collection, "variety": code})

    def checkpoint(self, system: str) -> Stage:
        """The base model of a system, by the hashes of its files."""
        at = self.recipe.systems[system].checkpoint
        return self._model(system, at, f"[systems.{system}] checkpoint")

    def _model(self, name: str, at: str, said: str) -> Stage:
        """A folder, or a model of the hub; its key is the hashes of its files, wherever they are."""
        folder = place(at, self.base)
        if not folder.is_dir() and _HUB_NAME.fullmatch(at):
            found = hub.model(at) if self.fetch else hub.cached_model(at)
            if found is None:
                return self.add("checkpoint", f"download model {at}", {"hub": at}, local={"hub": at})
            folder = found[0]
        if not folder.is_dir():
            raise LswError(
                f"The checkpoint of '{name}' is neither a folder nor a name on the hub.",
                f"Looked for {folder}.",
                f"Download it there, or correct {said}: a path, or owner/name.",
            )
        files = {
            p.relative_to(folder).as_posix(): _content(p)
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.suffix in (".safetensors", ".json", ".txt", ".model", ".bin", ".pt", ".metadata")
        }
        return self.add("checkpoint", f"read model {name}", {"files": files}, local={"folder": str(folder)})

    # Training -----------------------------------------------------------------------------------------------

    def finetuned(self, system: str) -> Stage:
        """The model of a system, trained on the recipe's pair: here, or by its publishers."""
        assert self.recipe.fine_tuning
        on = pair(self.recipe.fine_tuning.pair)
        if self.recipe.fine_tuning.models == "published":
            at_hub = self.recipe.published[str(on)][system]
            return self._model(f"{system} ({on})", at_hub, f"[published.{on}] {system}")
        at = self.recipe.systems[system]
        tuning = self.recipe.fine_tuning.tuning(system)
        seen = tuning.batch_size * tuning.steps if tuning.steps else None
        return self.add(
            "finetune",
            f"fine-tune {system} on {on}",
            {
                "source": "triples",
                "system": system,
                "base": at.checkpoint.removeprefix("package:models/"),
                "trained_on": str(on),
                "architecture": at.architecture,
                "query_variety": on.low,
                "document_variety": on.high,
                "script": self.script_for(on.low, on.high),
                "settings": settings_of(tuning, at),
            },
            {
                "checkpoint": self.checkpoint(system),
                "triples": self.triples(on, tuning.negatives, seen),
                "passages": self.passages(on.high, "train"),
            },
            {
                "settings": {"checkpoint_steps": tuning.checkpoint_steps},
                "processes": self.recipe.computing.processes,
                "report_to": self.recipe.computing.report_to,
            },
        )

    def triples(self, on: Pair, source: str | None = None, most: int | None = None) -> Stage:
        """Training triples of a pair; of millions of published pairs no more than `most`, which training sees."""
        how = self.recipe.negatives
        source = source or how.source
        if source == "published":
            if str(on) not in how.published:
                raise LswError(f"No published triples of {on} are known.", cure=f"Set negatives.published.{on}.")
            return self.add(
                "published_triples",
                f"read published triples of {on}",
                self._file(how.published[str(on)], "negatives.published") | {"limit": how.limit},
                local={"from": how.published[str(on)]},
            )
        wordings = {"queries": self.wording(on, "train"), "translation": self.translation(on, "train")}
        if source == "docpairs":
            at = self.recipe.collection.sources.get(on.high, "")
            split = self.recipe.collection.splits.get("train", "")
            pairs = {"from": irds.part(at, split), "limit": how.limit or most}
            return self.add("docpairs", f"read training pairs of {on.high}", pairs, wordings)
        if source == "hard-negatives":
            scores = self.add(
                "scores",
                "read cross-encoder scores",
                self._file(how.scores, "negatives.scores"),
                local={"from": how.scores},
            )
            said = self._file(how.hard_negatives, "negatives.hard_negatives") | {
                "margin": how.cross_encoder_margin,
                "per_query": how.per_query,
                "limit": how.limit,
                "seed": how.seed,
            }
            return self.add(
                "hard_negatives",
                f"sample hard negatives for {on}",
                said,
                wordings | {"scores": scores},
                {"from": how.hard_negatives},
            )
        miner = on.high if how.queries == "high" else on.low
        at_miner = self.wording(on, "train") if miner == on.low else self.queries(miner, "train")
        return self.add(
            "negatives",
            f"mine negatives for {on}",
            {"depth": how.depth, "per_query": how.per_query, "margin": how.margin, "seed": how.seed},
            {
                "found": self.searched(how.system, miner, on.high, max(1000, how.depth), at_miner),
                "qrels": self.qrels(on.high, "train"),
                **wordings,
            },
        )

    def _file(self, at: str, said: str) -> dict[str, Any]:
        """What tells a file's content: its address on the hub, or the hash of one's own."""
        if at.startswith(hub.SCHEME):
            return {"from": at}
        path = Path(at).expanduser()
        if not path.is_file():
            raise LswError(f"There is no file {path}.", cure=f"Correct {said}.")
        return {"from": path.name, "sha256": file_hash(path)}

    def searched(self, system: str, query: str, document: str, depth: int, asked: Stage) -> Stage:
        """What the base of a system finds for training queries; no run of its own."""
        at = self.recipe.systems.get(system)
        model = self.checkpoint(system) if at else None
        return self.add(
            "search",
            f"search {document} training passages with {system}",
            {
                "query_variety": query,
                "document_variety": document,
                "depth": depth,
                "script": self.script_for(query, document),
                **self._lengths(at),
            },
            {"index": self.index(system, model, document, "train"), "queries": asked}
            | ({"model": model} if model else {}),
            self._local | {"system": system},
        )

    def translation(self, on: Pair, split: str) -> Stage:
        """The low-resource wordings of one split's queries."""
        how = self.recipe.translation
        label = f"translate {on.high} {split} queries into {on.low} ({how.translator})"
        said: dict[str, Any] = {
            "translator": how.translator, "source_variety": on.high, "target_variety": on.low
        }  # fmt: skip
        inputs = {"source": self.queries(on.high, split)}
        local: dict[str, Any] = {}
        if how.translator == COLLECTION:
            inputs["target"] = self.queries(on.low, split)
        elif how.translator == FILE:
            file = Path(how.file or "").expanduser().resolve()
            if not file.is_file():
                raise LswError(
                    "The file of [translation] is not there.",
                    f"Looked for {file}.",
                    "Set translation.file to a file of qid, tab, text.",
                )
            said["file"], local = file_hash(file), {"file": str(file)}
        elif how.translator == SEQ2SEQ:
            if not how.checkpoint:
                raise LswError("[translation] names no checkpoint.", cure="Set translation.checkpoint to its folder.")
            inputs["model"] = self._translator(how.checkpoint)
            said |= {"beams": how.beams, "length": how.length}
        elif how.translator in SERVICES:  # how it is asked changes no answer
            local = {"rate": how.rate, "retries": how.retries, "timeout": how.timeout, "url": how.url}
        return self.add("translate", label, said, inputs, local)

    def _translator(self, checkpoint: str) -> Stage:
        """A seq2seq model: a folder of the user's own (not beside the scale), or a name of the hub."""
        folder = Path(checkpoint).expanduser().resolve()
        at = str(folder) if folder.is_dir() else checkpoint
        return self._model(folder.name, at, "translation.checkpoint")

    def back(self, translator: str, translation: Stage) -> Stage:
        """Translations, translated back by a translator with the settings of [translation]."""
        how, t = self.recipe.translation, translation.parameters
        said = {"translator": translator, "source_variety": t["target_variety"],
                "target_variety": t["source_variety"]}  # fmt: skip
        inputs = {"translation": translation}
        local: dict[str, Any] = {}
        if translator == SEQ2SEQ:
            if not how.checkpoint:
                raise LswError("[translation] names no checkpoint.", cure="Set translation.checkpoint to its folder.")
            inputs["model"] = self._translator(how.checkpoint)
            said |= {"beams": how.beams, "length": how.length}
        elif translator in SERVICES:
            local = {"rate": how.rate, "retries": how.retries, "timeout": how.timeout, "url": how.url}
        return self.add("back", f"translate {t['target_variety']} back ({translator})", said, inputs, local)

    def audited(self, text: str, translation: Stage, runs: list[dict[str, str]], measured: dict[str, Stage]) -> Stage:
        """The audit of a pair's translations; the collection's own queries, where it has some, are the reference."""
        on, how = pair(text), self.recipe.audit
        assert how
        inputs: dict[str, Stage] = {}
        if self.recipe.translation.translator != COLLECTION and self._has_queries(on.low):
            inputs["reference"] = self.queries(on.low, "test")
        if how.back:
            inputs["back"] = self.back(how.back, translation)
        said = {"measure": how.measure, "confidence": how.confidence, "seed": how.seed}
        kind, label, parameters, every = audit_stage(translation, inputs, runs, measured, said)
        return self.add(kind, label, parameters, every)

    def _has_queries(self, code: str) -> bool:
        try:
            self.collection.origin("queries", code, "test")
        except LswError:
            return False
        if isinstance(self.collection, Folder):
            return self.collection.queries_path(code).exists()
        return True

    def wording(self, on: Pair, split: str) -> Stage:
        """Queries in the low-resource variety: the collection's own, or translated."""
        own = self.recipe.translation.translator == COLLECTION
        return self.queries(on.low, split) if own else self.translation(on, split)

    def asked(self, query: str, document: str) -> dict[str, Stage]:
        """The queries of a run and, where a recipe pairs the varieties, the translation they came by."""
        paired = [pair(text) for text in self.pairs]
        on = Pair(query, document)
        if on not in paired:
            return {"queries": self.queries(query)}
        if self.recipe.translation.translator != COLLECTION:
            return {"queries": self.wording(on, "test")}
        if self.recipe.retrieval and "high" not in self.recipe.retrieval.ask:  # nothing it was translated from
            return {"queries": self.queries(query)}
        return {"queries": self.queries(query), "translation": self.translation(on, "test")}

    # Ranking ------------------------------------------------------------------------------------------------

    def model(self, system: str, trained: bool) -> Stage:
        return self.finetuned(system) if trained else self.checkpoint(system)

    def index(self, system: str, model: Stage | None, code: str, split: str = "test") -> Stage:
        at = self.recipe.systems.get(system)
        tuned = " (fine-tuned)" if model and model.kind == "finetune" else ""
        local = {"system": system} | (self._local if model else {})
        inputs = {"passages": self.passages(code, split)} | ({"model": model} if model else {})
        return self.add(
            "index",
            f"index {code} passages for {system}{tuned}",
            {"document_variety": code, "script": self.script_for(code), **self._lengths(at)},
            inputs,
            local,
        )

    def run(self, system: str, trained_on: str | None, query: str, document: str) -> Stage:
        """The run of one pipeline: a retriever, or a retriever and a reranker."""
        assert self.recipe.retrieval
        first, _, second = system.partition(RERANK)
        depth = self.recipe.retrieval.depth
        tuned = trained_on is not None
        said = {
            "system": system,
            "trained_on": trained_on,
            "query_variety": query,
            "document_variety": document,
            "script": self.script_for(query, document),
            "depth": depth,
        }
        named = f"{system}{' (' + trained_on + ')' if trained_on else ''}"
        if second:
            first_tuned = tuned and self.recipe.reranking.first_stage == "fine-tuned"
            candidates = self.run(first, trained_on if first_tuned else None, query, document)
            return self.add(
                "rerank",
                f"rank {query} over {document} with {named}",
                said | self._lengths(self.recipe.systems[second]) | {"rerank_depth": self.recipe.reranking.depth},
                {
                    "candidates": candidates,
                    "model": self.model(second, tuned),
                    "passages": self.passages(document),
                    **self.asked(query, document),
                },
                self._local,
            )
        model = None if system == "bm25" else self.model(system, tuned)
        inputs = {"index": self.index(system, model, document), **self.asked(query, document)}
        return self.add(
            "retrieve",
            f"rank {query} over {document} with {named}",
            said | self._lengths(self.recipe.systems.get(system)),
            inputs | ({"model": model} if model else {}),
            self._local if model else {},
        )

    @property
    def _local(self) -> dict[str, Any]:
        return {"token_budget": self.recipe.computing.token_budget}

    def _lengths(self, at: SystemAt | None) -> dict[str, Any]:
        """What a system's vectors or scores depend on; what is as usual is not said, so that old keys hold."""
        if at is None:
            return {"architecture": "bm25"}
        said: dict[str, Any] = {
            "architecture": at.architecture,
            "query_length": at.query_length,
            "document_length": at.document_length,
        }
        if at.pooling:
            said["pooling"] = at.pooling
        how = self.recipe.computing
        if how.precision != "float32":
            said["precision"] = how.precision
        if how.search != "exact" and not at.reranks and at.architecture != "sparse":
            said["search"] = how.search
        return said

    def measured(self, run: Stage) -> Stage:
        """The measures of a run."""
        return self.add(
            "measure",
            f"measure {run.label.removeprefix('rank ')}",
            {"measures": list(self.recipe.measures.names)},
            {"run": run, "qrels": self.qrels(run.parameters["document_variety"])},
        )


_USUAL = {"steps": None, "accumulation": 1, "precision": "float32", "gradient_checkpointing": False, "pooling": None}


def settings_of(tuning: Tuning, at: SystemAt) -> dict[str, Any]:
    """What training depends on; what is as usual is not said."""
    apart = {"checkpoint_steps", "negatives", "query_length", "document_length"}
    said = tuning.model_dump(include=set(Tuning.model_fields) - apart) | {"pooling": at.pooling}
    said = {name: value for name, value in said.items() if name not in _USUAL or value != _USUAL[name]}
    return said | {
        "query_length": tuning.query_length or at.query_length,
        "document_length": tuning.document_length or at.document_length,
    }
