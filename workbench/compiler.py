"""The stages a recipe can ask for, each with its key; equal stages become one."""

import hashlib
from pathlib import Path
from typing import Any

from store import LswError
from store.artifacts import canonical, file_hash
from workbench.collection import MINI, Folder
from workbench.recipe import RERANK, Recipe, SystemAt, Tuning
from workbench.stages import KINDS, Stage
from workbench.text import SCRIPTS
from workbench.translators import COLLECTION, FILE, SEQ2SEQ, SERVICES
from workbench.varieties import Pair, pair, variety

PACKAGE = MINI.parent


def stage_key(kind: str, version: int, parameters: dict[str, Any], inputs: dict[str, str]) -> str:
    """sha256 over canonical JSON of what a stage depends on: never code, paths, times or devices."""
    said = canonical({"kind": kind, "version": version, "parameters": parameters, "inputs": inputs})
    return hashlib.sha256(said.encode()).hexdigest()


def place(text: str, base: Path) -> Path:
    """A path as a scale writes it: `package:` is what ships with lsw, the rest is relative to the scale's file."""
    if text.startswith("package:"):
        return PACKAGE / text.removeprefix("package:")
    return (base / Path(text).expanduser()).resolve()


class Compiler:
    """Builds the stages of one recipe; equal stages become one."""

    def __init__(self, recipe: Recipe, base: Path) -> None:
        self.recipe = recipe
        self.base = base
        self.order: dict[str, Stage] = {}
        self.script = recipe.retrieval.script if recipe.retrieval else "as written"
        if recipe.collection.folder is None:
            raise LswError(
                f"Collection '{recipe.collection.name}' is read through ir_datasets, which this version cannot do yet.",
                cure="Point [collection] folder at a folder with the same files, or use --scale mini.",
            )
        self.collection = Folder(recipe.collection.name, place(recipe.collection.folder, base))

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

    def _source(self, kind: str, label: str, files: list[Path], **parameters: Any) -> Stage:
        content = {path.name: file_hash(path) for path in files if path.exists()}
        return self.add(
            kind,
            label,
            {"collection": self.collection.name, "files": content, **parameters},
            local={"folder": str(self.collection.folder)},
        )

    def passages(self, code: str) -> Stage:
        return self._source("passages", f"read {code} passages", [self.collection.corpus_path(code)], variety=code)

    def queries(self, code: str, split: str = "test") -> Stage:
        folder = self.collection.folder
        files = [folder / f"queries.{code}.tsv", folder / "topics.tsv"]
        return self._source("queries", f"read {code} {split} queries", files, variety=code, split=split)

    def qrels(self, split: str = "test") -> Stage:
        folder = self.collection.folder
        return self._source(
            "qrels", f"read {split} judgements", [folder / "qrels.tsv", folder / "topics.tsv"], split=split
        )

    def checkpoint(self, system: str) -> Stage:
        """The base model of a system, by the hashes of its files."""
        folder = place(self.recipe.systems[system].checkpoint, self.base)
        return self._model(system, folder, f"[systems.{system}] checkpoint")

    def _model(self, name: str, folder: Path, said: str) -> Stage:
        if not folder.is_dir():
            raise LswError(
                f"The checkpoint of '{name}' is not a folder.",
                f"Looked for {folder}.",
                f"Download it there, or correct {said}.",
            )
        files = {
            p.relative_to(folder).as_posix(): file_hash(p)
            for p in sorted(folder.rglob("*"))
            if p.is_file() and p.suffix in (".safetensors", ".json", ".txt", ".model")
        }
        return self.add("checkpoint", f"read model {name}", {"files": files}, local={"folder": str(folder)})

    # Training -----------------------------------------------------------------------------------------------

    def finetuned(self, system: str) -> Stage:
        """The model of a system, trained on the recipe's pair."""
        assert self.recipe.fine_tuning
        on = pair(self.recipe.fine_tuning.pair)
        at = self.recipe.systems[system]
        tuning = self.recipe.fine_tuning.tuning(system)
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
                "settings": _settings(tuning, at),
            },
            {"checkpoint": self.checkpoint(system), "triples": self.triples(on), "passages": self.passages(on.high)},
            {"settings": {"checkpoint_steps": tuning.checkpoint_steps}},
        )

    def triples(self, on: Pair) -> Stage:
        """Training triples of a pair."""
        how = self.recipe.negatives
        miner = on.high if how.queries == "high" else on.low
        return self.add(
            "negatives",
            f"mine negatives for {on}",
            {
                "mining_variety": miner,
                "depth": how.depth,
                "search_depth": max(1000, how.depth),
                "per_query": how.per_query,
                "margin": how.margin,
                "seed": how.seed,
                "script": self.script_for(miner, on.high),
            },
            {
                "index": self.index("bm25", None, on.high),
                "miners": self.wording(on, "train") if miner == on.low else self.queries(miner, "train"),
                "queries": self.wording(on, "train"),
                "translation": self.translation(on, "train"),
                "qrels": self.qrels("train"),
            },
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
            folder = Path(how.checkpoint or "").expanduser().resolve()
            if not how.checkpoint:
                raise LswError("[translation] names no checkpoint.", cure="Set translation.checkpoint to its folder.")
            inputs["model"] = self._model(folder.name, folder, "translation.checkpoint")
            said |= {"beams": how.beams, "length": how.length}
        elif how.translator in SERVICES:  # how it is asked changes no answer
            local = {"rate": how.rate, "retries": how.retries, "timeout": how.timeout, "url": how.url}
        return self.add("translate", label, said, inputs, local)

    def wording(self, on: Pair, split: str) -> Stage:
        """Queries in the low-resource variety: the collection's own, or translated."""
        own = self.recipe.translation.translator == COLLECTION
        return self.queries(on.low, split) if own else self.translation(on, split)

    def asked(self, query: str, document: str) -> dict[str, Stage]:
        """The queries of a run and, where a recipe pairs the varieties, the translation they came by."""
        paired = [pair(text) for text in (self.recipe.retrieval.pairs if self.recipe.retrieval else ())]
        on = Pair(query, document)
        if on not in paired:
            return {"queries": self.queries(query)}
        if self.recipe.translation.translator != COLLECTION:
            return {"queries": self.wording(on, "test")}
        return {"queries": self.queries(query), "translation": self.translation(on, "test")}

    # Ranking ------------------------------------------------------------------------------------------------

    def model(self, system: str, trained: bool) -> Stage:
        return self.finetuned(system) if trained else self.checkpoint(system)

    def index(self, system: str, model: Stage | None, code: str) -> Stage:
        at = self.recipe.systems.get(system)
        tuned = " (fine-tuned)" if model and model.kind == "finetune" else ""
        inputs = {"passages": self.passages(code)} | ({"model": model} if model else {})
        return self.add(
            "index",
            f"index {code} passages for {system}{tuned}",
            {"document_variety": code, "script": self.script_for(code), **_lengths(at)},
            inputs,
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
                said | _lengths(self.recipe.systems[second]) | {"rerank_depth": self.recipe.reranking.depth},
                {
                    "candidates": candidates,
                    "model": self.model(second, tuned),
                    "passages": self.passages(document),
                    **self.asked(query, document),
                },
            )
        model = None if system == "bm25" else self.model(system, tuned)
        inputs = {"index": self.index(system, model, document), **self.asked(query, document)}
        return self.add(
            "retrieve",
            f"rank {query} over {document} with {named}",
            said | _lengths(self.recipe.systems.get(system)),
            inputs | ({"model": model} if model else {}),
        )

    def measured(self, run: Stage) -> Stage:
        """The measures of a run."""
        return self.add(
            "measure",
            f"measure {run.label.removeprefix('rank ')}",
            {"measures": list(self.recipe.measures.names)},
            {"run": run, "qrels": self.qrels()},
        )


def _settings(tuning: Tuning, at: SystemAt) -> dict[str, Any]:
    said = tuning.model_dump(include=set(Tuning.model_fields) - {"checkpoint_steps"})
    return said | {"query_length": at.query_length, "document_length": at.document_length}


def _lengths(at: SystemAt | None) -> dict[str, Any]:
    if at is None:
        return {"architecture": "bm25"}
    return {
        "architecture": at.architecture,
        "query_length": at.query_length,
        "document_length": at.document_length,
    }
