"""What the costs of all stages are made of: sizes of collections, rates of models on this machine, prices.

A model that is here is timed as it is. For one that is still to be downloaded a stand-in of its shape and width, with
random weights, is timed at one and at two layers; the rest is a straight line.
"""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from workbench.checkpoints import weights
from workbench.checkpoints.resolve import folder_of, place
from workbench.collections.base import Collection, Extent
from workbench.collections.folder import MINI, Folder
from workbench.costs import stand_in, timing
from workbench.costs.base import NotEstimatedError
from workbench.systems._encoding import Computing
from workbench.systems.base import Encoder, Reranker, Retriever, System
from workbench.training.tuning import Tuning

STAGE = 0.15
"""Seconds of every stage: hashing, writing, a transaction."""
MODEL = 0.4
"""Seconds to load a model."""
RESULT = 4.5e-7
"""Seconds to order, write and ingest one row of a ranking."""
TYPICAL = 350.0
"""Mean length of an MS MARCO passage in bytes, where a source does not say."""
BACKWARD = 3.2
"""A pass forward and backward, in passes forward."""
S = TypeVar("S", Encoder, Reranker)

NARROW = 192
"""Width of a model that does not say it: the mini models'."""


class Estimator:
    """Asked by stages what their parts cost; everything is measured once.

    Args:
        base: folder that relative paths of the scale start from.
        prices: US dollars for a million characters, by translator.
        told: called with what is being timed.
    """

    def __init__(self, base: Path, prices: dict[str, float], told: Callable[[str], Any]) -> None:
        self.base, self.prices, self.told = base, prices, told
        self._known: dict[Any, Any] = {}
        self._counted: set[str] = set()
        self._folder = tempfile.TemporaryDirectory()

    def _once(self, key: Any, make: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = make()
        return self._known[key]

    # Collections.

    def passages(self, collection: Collection, variety: str) -> Extent:
        """How large the passages of a variety are.

        Raises:
            NotEstimatedError: nobody says.
        """
        key = "passages", collection.fingerprint, variety
        return _sized(self._once(key, lambda: collection.passages_extent(variety)))

    def queries(self, collection: Collection, variety: str, split: str) -> Extent:
        """How large the queries of a split are.

        Raises:
            NotEstimatedError: nobody says.
        """
        key = "queries", collection.fingerprint, variety, split
        return _sized(self._once(key, lambda: collection.queries_extent(variety, split)))

    def bytes_to_download(self, what: str, size: int) -> int:
        """`size`, if this was not counted yet, else 0."""
        if what in self._counted:
            return 0
        self._counted.add(what)
        return size

    def texts(self, variety: str, extent: Extent) -> list[str]:
        """Texts to time with: of the collection, if they are here; else the mini collection's in that variety."""
        if extent.samples:
            return list(extent.samples)
        have = variety if (MINI / f"corpus.{variety}.jsonl").exists() else "en"
        batches = Folder("mini", MINI).passages(have)
        return [text for batch in batches for text in batch["text"].to_pylist()]

    # Models.

    def checkpoint(self, system: System) -> Path | None:
        """A system's folder with safetensors, if it need not be downloaded.

        Raises:
            NotEstimatedError: it is not here, and nothing is known of it.
        """
        folder = folder_of(system.checkpoint, self.base, fetch=False)
        if folder is None and system.checkpoint not in stand_in.SHAPES:
            raise NotEstimatedError(f"{system.checkpoint} is not here; download it to know how fast it is.")
        if folder is None or weights.examine(folder) == "safetensors":
            return folder
        out = Path(self._folder.name) / folder.parent.parent.name
        if not out.exists():
            weights.rewrite(folder, out, lambda done, total: None)
        return out

    def width(self, system: System) -> int:
        """Of a hidden state."""
        if system.checkpoint in stand_in.SHAPES:
            return int(stand_in.SHAPES[system.checkpoint]["width"])
        path = place(system.checkpoint, self.base) / "config.json"
        config = json.loads(path.read_text("utf-8")) if path.is_file() else {}
        return int(config.get("hidden_size") or config.get("d_model") or NARROW)

    def weights(self, system: System) -> int:
        """Bytes of a system's weights in float32."""
        if system.checkpoint in stand_in.SHAPES:
            return int(stand_in.SHAPES[system.checkpoint]["bytes"])
        folder = place(system.checkpoint, self.base)
        return sum(file.stat().st_size for file in folder.rglob("*.safetensors")) * 2 if folder.is_dir() else 0

    def _rate(self, system: Encoder | Reranker, what: str, time: Callable[[Path], float]) -> float:
        """A rate of a system, timed once; by a stand-in at two depths if the model is not here."""
        key = system.model_dump_json(), what
        if key not in self._known:
            self.told(f"timing {system.checkpoint}, {what}")
            folder = self.checkpoint(system)
            self._known[key] = time(folder) if folder else self._by_stand_in(system.checkpoint, time)
        rate: float = self._known[key]
        return rate

    def _by_stand_in(self, checkpoint: str, time: Callable[[Path], float]) -> float:
        rates = []
        for layers in (1, 2):
            folder = Path(self._folder.name) / f"{checkpoint.replace('/', '--')}-{layers}"
            if not folder.exists():
                stand_in.stand_in(checkpoint, layers, folder)
            rates.append(time(folder))
        more = int(stand_in.SHAPES[checkpoint]["layers"]) - 1
        return rates[0] + more * max(rates[1] - rates[0], rates[0] * 0.05)

    def _tokens_a_byte(self, system: System, variety: str, texts: list[str]) -> float:
        def count() -> float:
            from transformers import AutoTokenizer

            folder = self.checkpoint(system) or stand_in.tokenizer(system.checkpoint)
            some = texts[:200]
            ids = AutoTokenizer.from_pretrained(folder, local_files_only=True)(some, verbose=False)["input_ids"]
            return sum(map(len, ids)) / timing.bytes_of(some)

        rate: float = self._once(("tokens", system.checkpoint, variety), count)
        return rate

    def _a_byte(
        self, system: Encoder | Reranker, what: str, variety: str, texts: list[str], time: Callable[[Path], float]
    ) -> float:
        """A rate for a byte of a variety's texts: timed in one variety, in others by how many tokens a byte takes."""
        here = self._tokens_a_byte(system, variety, texts)
        first = self._known.setdefault(("timed on", system.model_dump_json(), what), here)
        return self._rate(system, what, time) * here / float(first)

    def seconds_to_encode(
        self, system: Retriever, variety: str, texts: list[str], computing: Computing, what: str = "encoding"
    ) -> float:
        """Seconds for a byte of a passage indexed.

        Raises:
            NotEstimatedError: nobody knows.
        """
        if not isinstance(system, Encoder):
            key = "indexing", system.model_dump_json(), variety
            rate = self._once(key, lambda: system.seconds_to_index(texts, variety))
            if rate is None:
                raise NotEstimatedError(f"Nobody knows how fast {system.architecture} is.")
            return float(rate)
        short = _within(system)

        def time(folder: Path) -> float:
            encode = (system if folder == self.checkpoint(system) else short).encoder(folder, variety, computing)
            if encode is None:
                raise NotEstimatedError(f"Nobody knows how fast {system.architecture} is.")
            return timing.encoding(encode, texts)

        return self._a_byte(system, what, variety, texts, time)

    def seconds_to_score(
        self, system: Reranker, variety: str, texts: list[str], computing: Computing, what: str = "scoring"
    ) -> float:
        """Seconds for a byte of a passage scored for a query."""
        short = _within(system)

        def time(folder: Path) -> float:
            return timing.scoring(system if folder == self.checkpoint(system) else short, folder, texts, computing)

        return self._a_byte(system, what, variety, texts, time)

    def seconds_to_step(
        self, system: Encoder | Reranker, tuning: Tuning, texts: list[str], codes: tuple[str, str], mean: float
    ) -> float:
        """Seconds for a training step: timed, or of a model that is not here made up of what its stand-in can do.

        Args:
            system, tuning: what is trained, how.
            texts: passages.
            codes: varieties of queries and passages.
            mean: bytes of a passage.
        """
        if place(system.checkpoint, self.base).is_dir():
            key = f"training {tuning.model_dump_json()}"
            return self._rate(system, key, lambda folder: timing.training(system, folder, tuning, texts, codes))
        computing = Computing(precision=tuning.precision)
        how = codes[1], texts, computing, "training forward"
        encodes = isinstance(system, Encoder)
        forward = self.seconds_to_encode(system, *how) if encodes else self.seconds_to_score(system, *how)  # type: ignore[arg-type]
        update: float = self._once("update", timing.updating)
        parameters = self.weights(system) / 4 * (0.3 if "embeddings" in tuning.frozen else 1.0)
        return tuning.batch_size * 2 * mean * forward * BACKWARD + parameters * update

    def seconds_to_multiply(self) -> float:
        """Seconds for a multiplication and addition of float32 in a large matrix product."""
        rate: float = self._once("multiply", timing.multiplying)
        return rate


def _within(system: S) -> S:
    """As a stand-in can read it, which has 512 positions."""
    return system.model_copy(update={"document_length": min(system.document_length, 512)})


def _sized(extent: Extent) -> Extent:
    if extent.texts is None:
        raise NotEstimatedError("Nobody says how large it is before it is downloaded.")
    return extent
