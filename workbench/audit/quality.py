"""How good translations are, and whether queries lose by bad ones.

chrF (Popović 2015), BLEU and TER by sacrebleu, against a reference or, for chrF, against the source after translating
back; the language by lingua; signs of what went wrong by `workbench.audit.signs`.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
import pyarrow as pa

from workbench.audit.signs import SIGNS, signs
from workbench.varieties import table, variety

SURE = 0.8
"""How sure lingua must be that a translation is in another language for that to be a sign."""
RESAMPLES = 2_000

Numbers = np.typing.NDArray[np.float64]


@cache
def _identifier() -> tuple[Any, dict[str, str]]:
    """lingua's detector over the varieties that it knows, and our code of each of its languages."""
    from lingua import Language, LanguageDetectorBuilder

    codes = {lang.iso_code_639_1.name.lower(): lang for lang in Language.all()}
    known = {codes[code]: code for code in table() if code in codes}
    return LanguageDetectorBuilder.from_languages(*known).build(), {lang.name: code for lang, code in known.items()}


def identified(texts: list[str]) -> list[tuple[str | None, float]]:
    """The variety each text seems to be in, among those that lingua knows, and how sure that is (0 to 1).

    lingua knows neither Cantonese, Occitan, Sicilian nor Scottish Gaelic: texts in these come out as something else.
    """
    detector, codes = _identifier()
    confidences = detector.compute_language_confidence_values_in_parallel(texts)
    return [(codes[best[0].language.name], float(best[0].value)) if best else (None, 0.0) for best in confidences]


def known_to_identifier(code: str) -> bool:
    """Whether lingua can tell this variety at all."""
    return code in _identifier()[1].values()


def quality(texts: list[str], references: list[str], code: str) -> dict[str, list[float]]:
    """chrF, BLEU (smoothed, effective order) and TER of each text, in percent.

    Args:
        texts: translations.
        references: what they should be.
        code: their variety, which chooses how words are found.
    """
    from sacrebleu.metrics import BLEU, CHRF, TER

    han = variety(code).words == "han"
    metrics = {
        "chrf": CHRF(),
        "bleu": BLEU(effective_order=True, tokenize="zh" if han else "13a"),
        "ter": TER(normalized=han, asian_support=han),
    }
    pairs = list(zip(texts, references, strict=True))
    return {name: [metric.sentence_score(t, [r]).score for t, r in pairs] for name, metric in metrics.items()}


def of_set(texts: list[str], references: list[str], code: str) -> dict[str, float]:
    """chrF, BLEU and TER of a whole set, as papers report them (not the mean over its texts)."""
    from sacrebleu.metrics import BLEU, CHRF, TER

    han = variety(code).words == "han"
    metrics = {
        "chrf": CHRF(),
        "bleu": BLEU(tokenize="zh" if han else "13a"),
        "ter": TER(normalized=han, asian_support=han),
    }
    return {name: float(metric.corpus_score(texts, [references]).score) for name, metric in metrics.items()}


def flagged(sources: list[str], texts: list[str], source: str, target: str) -> list[list[str]]:
    """Signs of what went wrong with each text; `language` where lingua is sure that it is not in the target."""
    same_script = variety(source).words == "han" == variety(target).words
    flags = signs(sources, texts, target, same_script)
    if known_to_identifier(target):
        for here, (code, sure) in zip(flags, identified(texts), strict=True):
            if code != target and sure >= SURE and "empty" not in here:
                here.append("language")
    return flags


ALL_SIGNS = (*SIGNS, "language")


@dataclass(frozen=True)
class Correlation:
    """Spearman's rank correlation of translation quality and loss.

    `rho` with its bootstrap interval, over `n` queries in `n_groups` groups; None where one of the two does not vary.
    """

    rho: float | None
    low: float | None
    high: float | None
    n: int
    n_groups: int


def spearman(quality: Numbers, loss: Numbers, groups: list[str], confidence: float, seed: int) -> Correlation:
    """Spearman's rho with a percentile bootstrap interval; queries of one group are drawn together.

    Args:
        quality, loss: of each query.
        groups: the topic of each query.
        confidence: of the interval.
        seed: of the resamples.
    """
    from scipy.stats import rankdata

    def rho(a: Numbers, b: Numbers) -> float:
        x, y = rankdata(a), rankdata(b)
        return float(np.corrcoef(x, y)[0, 1]) if x.std() and y.std() else float("nan")

    names, at = np.unique(groups, return_inverse=True)
    n, k = len(loss), len(names)
    whole = rho(quality, loss) if n > 2 else float("nan")
    if np.isnan(whole):
        return Correlation(None, None, None, n, k)
    members = [np.flatnonzero(at == i) for i in range(k)]
    rng = np.random.default_rng(seed)
    drawn = []
    for _ in range(RESAMPLES):
        rows = np.concatenate([members[i] for i in rng.integers(0, k, k)])
        drawn.append(rho(quality[rows], loss[rows]))
    tail = (1 - confidence) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail]) if not np.isnan(drawn).all() else (np.nan, np.nan)
    return Correlation(whole, float(low), float(high), n, k)


def losses(measures: pa.Table, low: str, high: str, measure: str) -> dict[str, float]:
    """By qid: what a query loses in its low-resource wording, value on the high one minus value on the low one.

    Args:
        measures: columns run_id, measure, qid, value.
        low, high: the runs.
        measure: which.
    """
    values: dict[str, dict[str, float]] = {low: {}, high: {}}
    columns = (measures[c].to_pylist() for c in ("run_id", "measure", "qid", "value"))
    for run_id, name, qid, value in zip(*columns, strict=True):
        if name == measure and run_id in values:
            values[run_id][qid] = value
    return {qid: value - values[low][qid] for qid, value in values[high].items() if qid in values[low]}
