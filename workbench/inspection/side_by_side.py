"""All that is said of two models by parallel texts, as rows: layer by layer, variety by variety."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from store import LswError
from workbench.inspection.alignment import aligned
from workbench.inspection.cka import linear_cka
from workbench.inspection.layers import Layers
from workbench.inspection.probe import probed
from workbench.inspection.weights import changes
from workbench.significance.intervals.base import interval
from workbench.significance.intervals.percentile import Percentile
from workbench.significance.units import Units
from workbench.varieties import variety

Floats = NDArray[np.float32]
Told = Callable[[int], object]
Layered = dict[str, list[Floats]]
"""By variety: the vectors of each layer (texts x dimensions), and last those that are compared in retrieval."""
OUTPUT = "output"
"""The module of rows of these; they have no layer."""
PIVOT = "en"
"""What varieties without a high-resource relative are held against."""


@dataclass(frozen=True)
class Parallel:
    """The same texts in several varieties.

    Args:
        kind: `queries` or `passages`.
        topics: of the texts.
        texts: by variety, all in the order of the topics.
    """

    kind: str
    topics: list[str]
    texts: dict[str, list[str]]

    def partner(self, code: str) -> str | None:
        """Against what the texts of a variety are held: its high-resource relative, else English, as far as known."""
        for other in (variety(code).high, PIVOT):
            if other in self.texts and other != code:
                return other
        return None


@dataclass(frozen=True)
class Row:
    """A row of the table `inspection`: of two models, or of `model_a` alone; where there are two and the figure is of
    one, what it is of the second less what it is of the first."""

    model_a: str
    model_b: str | None
    aspect: str
    texts: str | None = None
    layer: int | None = None
    module: str | None = None
    variety: str | None = None
    against: str | None = None
    value: float | None = None
    ci_low: float | None = None
    ci_high: float | None = None
    confidence: float | None = None
    n: int | None = None
    n_groups: int | None = None
    why_not: str | None = None


def of_weights(names: tuple[str, str], models: tuple[Layers, Layers], codes: list[str]) -> list[Row]:
    """How far the modules of two models are apart; a row that says so if these are not the same ones.

    Args:
        names: of the models.
        models: both.
        codes: varieties whose adapters are shown one by one.
    """
    known = [code for code in codes if models[0].languages and models[0].knows(code)]
    adapters = {variety(code).adapter(models[0].languages) for code in known}
    try:
        found = changes(models[0].model.state_dict(), models[1].model.state_dict(), adapters)
    except LswError as error:
        return [Row(*names, "weight-change", why_not=f"{error.title} {error.detail}".strip())]
    rows = []
    for one in found:
        row = Row(*names, "weight-change", layer=one.layer, module=one.module, n=one.weights, value=one.relative)
        rows += [row, replace(row, aspect="weight-cosine", value=one.cosine)]
    return [replace(row, why_not="its norm is 0") if row.value is None else row for row in rows]


def states(model: Layers, parallel: Parallel, folder: Path, told: Told) -> Layered:
    """The vectors of all texts, on disk in a folder, memory-mapped."""
    folder.mkdir(parents=True, exist_ok=True)
    out: Layered = {}
    for code, texts in parallel.texts.items():
        out[code] = []
        for number, vectors in enumerate(model(texts, code, parallel.kind == "queries", told)):
            path = folder / f"{code}-{number}.npy"
            np.save(path, vectors)
            out[code].append(np.load(path, mmap_mode="r"))
    return out


class SideBySide:
    """Two models and the same texts.

    Args:
        names: of the models, as rows have them.
        vectors: of both, as `states`.
        parallel: the texts.
        confidence, seed: of the bootstrap over topics; the seed also parts them into the probe's folds.
        folds: of the probe.
        told: called with 1 for each layer that is done, and for the output.

    Attributes:
        constant: by model and layer, how many dimensions were left out of CKA at most.
    """

    def __init__(
        self,
        names: tuple[str, str],
        vectors: tuple[Layered, Layered],
        parallel: Parallel,
        confidence: float,
        seed: int,
        folds: int,
        told: Told = lambda layers: None,
    ) -> None:
        self.names, self.vectors, self.parallel = names, vectors, parallel
        self.confidence, self.seed, self.folds, self.told = confidence, seed, folds, told
        self.layers = [len(next(iter(one.values()))) - 1 for one in vectors]
        self.constant: dict[tuple[str, int | None], int] = {}
        self._each: list[tuple[Row, NDArray[np.float64]]] = []  # figures that are means over texts, text by text
        self._rows: list[Row] = []

    def rows(self) -> list[Row]:
        """All of them."""
        self._each, self._rows = [], []
        for layer in (*range(max(self.layers)), None):
            self._alike(layer)
            for code in self.parallel.texts:
                self._aligned(layer, code)
            self._probed(layer)
            self.told(1)
        return self._rows + self._means()

    def _row(
        self,
        aspect: str,
        layer: int | None,
        of: int | None = None,
        variety: str | None = None,
        against: str | None = None,
    ) -> Row:
        """A row of both models, or of one of them."""
        first, second = self.names if of is None else (self.names[of], None)
        topics = self.parallel.topics
        return Row(
            first, second, aspect, self.parallel.kind, layer, OUTPUT if layer is None else None, variety, against,
            n=len(topics), n_groups=len(set(topics)),
        )  # fmt: skip

    def _alike(self, layer: int | None) -> None:
        """CKA of the two models, and in each of them of a variety and the one it is held against."""
        for code in self.parallel.texts:
            whole = self._row("cka", layer, variety=code)
            if lacks := [name for of, name in enumerate(self.names) if of not in self._having(layer)]:
                self._rows.append(replace(whole, why_not=f"{lacks[0]} has no layer {layer}"))
            else:
                self._rows.append(self._cka(whole, self._spoken(0, code, layer), self._spoken(1, code, layer)))
            if other := self.parallel.partner(code):
                for of in self._having(layer):
                    row = self._row("cka", layer, of, variety=code, against=other)
                    self._rows.append(self._cka(row, self._spoken(of, code, layer), self._spoken(of, other, layer)))

    def _at(self, of: int, code: str, layer: int | None) -> Floats:
        return self.vectors[of][code][-1 if layer is None else layer]

    def _spoken(self, of: int, code: str, layer: int | None) -> Floats:
        """The vectors of a variety without dimensions that are the same for all its texts, which would add nothing."""
        vectors = self._at(of, code, layer)
        differ: NDArray[np.bool_] = np.ptp(vectors, axis=0) > 0
        if not differ.all():
            about = self.names[of], layer
            self.constant[about] = max(self.constant.get(about, 0), int((~differ).sum()))
        spoken: Floats = vectors[:, differ]
        return spoken

    def _cka(self, row: Row, x: Floats, y: Floats) -> Row:
        try:
            return replace(row, value=linear_cka(x, y))
        except LswError as error:
            return replace(row, why_not=error.title)

    def _having(self, layer: int | None) -> list[int]:
        return [of for of in (0, 1) if layer is None or layer < self.layers[of]]

    def _aligned(self, layer: int | None, code: str) -> None:
        other = self.parallel.partner(code)
        if other is None:
            return
        found: dict[int, dict[str, NDArray[np.float64]]] = {}
        for of in self._having(layer):
            try:
                one = aligned(self._at(of, code, layer), self._at(of, other, layer), self.parallel.topics)
            except LswError as error:
                self._rows.append(replace(self._row("alignment", layer, of, code, other), why_not=error.title))
                continue
            found[of] = {"alignment": one.margin, "translation": one.there, "translation-back": one.back}
        for aspect in ("alignment", "translation", "translation-back"):
            self._beside(aspect, layer, {of: by[aspect] for of, by in found.items()}, code, other)

    def _probed(self, layer: int | None) -> None:
        codes, n = list(self.parallel.texts), len(self.parallel.topics)
        found: dict[int, NDArray[np.float64]] = {}
        for of in self._having(layer):
            vectors = np.concatenate([self._at(of, code, layer) for code in codes])
            labels = [code for code in codes for _ in range(n)]
            try:
                right = probed(vectors, labels, self.parallel.topics * len(codes), self.folds, self.seed)
            except LswError as error:
                self._rows.append(replace(self._row("probe", layer, of), why_not=error.title))
                continue
            found[of] = right.reshape(len(codes), n)
        self._beside("probe", layer, {of: right.mean(axis=0) for of, right in found.items()})
        for at, code in enumerate(codes):
            self._beside("probe", layer, {of: right[at] for of, right in found.items()}, code)

    def _beside(
        self, aspect: str, layer: int | None, found: dict[int, NDArray[np.float64]], variety: str | None = None,
        against: str | None = None,
    ) -> None:  # fmt: skip
        """A figure of each model, and what it is of the second less what it is of the first."""
        for of, values in found.items():
            self._each.append((self._row(aspect, layer, of, variety, against), values))
        if len(found) == 2:
            self._each.append((self._row(aspect, layer, None, variety, against), found[1] - found[0]))

    def _means(self) -> list[Row]:
        """Means over texts, with intervals from bootstraps of topics; of a single topic there are none."""
        if not self._each:
            return []
        values = np.column_stack([values for _, values in self._each]).astype(np.float64)
        means = values.mean(axis=0)
        units = Units.of(self.parallel.topics)
        rows = [replace(row, value=float(mean)) for (row, _), mean in zip(self._each, means, strict=True)]
        if len(units.sizes) < 2:
            return rows
        bounds = interval(Percentile(), units.sums(values), units.sizes, self.confidence, self.seed)
        return [
            replace(row, ci_low=float(low), ci_high=float(high), confidence=self.confidence)
            for row, low, high in zip(rows, *bounds, strict=True)
        ]
