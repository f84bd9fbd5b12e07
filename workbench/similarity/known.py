"""What is known of a variety: who knows it, its relatives, and how near they are; with nothing heavy imported."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from store import LswError
from workbench.checkpoints.resolve import SHIPPED
from workbench.similarity.base import Measured, Wordings
from workbench.similarity.features import cc100, uriel
from workbench.similarity.features.chrf import Chrf
from workbench.similarity.features.grams import Grams
from workbench.similarity.features.ldnd import Ldnd
from workbench.similarity.features.pieces import Pieces
from workbench.similarity.tokenizers import Cut, tokenizer_file
from workbench.varieties import MIXED, Pair, Variety, table, variety

PUBLISHED_XMOD = frozenset(
    {"af_ZA", "ar_AR", "ca_ES", "da_DK", "de_DE", "en_XX", "es_XX", "fa_IR", "fr_XX", "ga_IE", "hi_IN", "id_ID",
     "it_IT", "ms_MY", "nl_XX", "pl_PL", "pt_XX", "ru_RU", "sv_SE", "tr_TR", "vi_VN", "zh_CN", "zh_TW"}
)  # fmt: skip
"""Of the adapters in the table of varieties, those of facebook/xmod-base and so of antoinelouis/colbert-xm (the
`languages` of its config.json)."""
RELATIVES = 6
"""Shown besides those of the family and the pairs."""
Row = dict[str, Any]


def varieties() -> list[Row]:
    """All varieties, each with its pair and who knows it."""
    return [_about(v) for v in table().values() if v.code != MIXED]


def of(code: str) -> Row:
    """All that is known of one variety: as `varieties`, with its relatives and its pieces a word.

    Raises:
        LswError: there is no such variety, or it stands for several.
    """
    v = variety(code)
    if v.code == MIXED:
        raise LswError(f"'{MIXED}' is no variety: it stands for passages in several.", cure="Name one of them.")
    queries = _queries(v.code)
    about = _about(v)
    about["tokenizers"] = [_under(name, path, v, list(queries.values())) for name, path in tokenizers()]
    about["relatives"] = [_beside(v, other, queries) for other in _relatives(v)]
    return about


def _about(v: Variety) -> Row:
    from workbench.audit.quality import known_to_identifier

    language = v.code.partition("-")[0]
    return {
        "code": v.code,
        "name": v.name,
        "script": v.script,
        "family": v.family,
        "pairs": [f"{language}-{v.high}"] * bool(v.high)
        + [f"{other.code}-{language}" for other in table().values() if other.high == language],
        "ir_datasets": v.ir_datasets,
        "google": v.google,
        "nllb": v.nllb,
        "apertium": v.apertium,
        "xmod": next((name for name in v.xmod[:1] if name in PUBLISHED_XMOD), None),
        "xmod_instead": next((name for name in v.xmod if name in PUBLISHED_XMOD), None),
        "lingua": known_to_identifier(language),
        "cc100_megabytes": cc100.megabytes(v.code),
        "iso_639_3": uriel.CODES.get(language),
    }


def _relatives(v: Variety) -> list[Variety]:
    """Those of its pairs and its family, then the nearest by kinship; nearer ones first."""
    language = v.code.partition("-")[0]

    def far(other: Variety) -> tuple[float, float, str]:
        known = uriel.distances(Pair(language, other.code))
        values = [known[name].value if name in known else None for name in ("genetic", "syntactic-knn")]
        genetic, syntactic = (2.0 if value is None else value for value in values)
        return genetic, syntactic, other.code

    others = sorted((o for o in table().values() if o.code not in (language, MIXED)), key=far)
    near = [o for o in others if v.high == o.code or o.high == language or o.family == v.family]
    more = [o for o in others if o not in near and far(o)[0] < 1]
    return sorted([*near, *more[: max(RELATIVES - len(near), 0)]], key=far)


def _queries(code: str) -> dict[str, str]:
    """The test queries of the shipped collection in a variety, by qid; none if it has none."""
    from workbench.collections.folder import MINI, Folder

    mini, language = Folder("mini", MINI), code.partition("-")[0]
    if language not in mini.query_varieties:
        return {}
    found = mini.queries(language, "test")
    return dict(zip(found["qid"].to_pylist(), found["query"].to_pylist(), strict=True))


def _beside(v: Variety, other: Variety, queries: dict[str, str]) -> Row:
    """A relative: distances, and what the two wordings of the shipped collection's test queries share."""
    on = Pair(v.code.partition("-")[0], other.code)
    distances = uriel.distances(on)
    there = _queries(other.code)
    qids = [qid for qid in queries if qid in there]
    both = Wordings(on, [queries[qid] for qid in qids], [there[qid] for qid in qids])
    parts = [Grams(feature="grams"), Chrf(feature="chrf"), Ldnd(feature="ldnd")]
    measured = {one.feature: one.value for part in parts for one in part.measure(both)}
    return {
        "code": other.code,
        "name": other.name,
        "script": other.script,
        "family": other.family,
        **{name: distances[name].value if name in distances else None for name in uriel.NAMES},
        **measured,
        "queries": len(qids),
    }


def _under(name: str, path: Path, v: Variety, queries: list[str]) -> Row:
    """What a tokenizer makes of a variety: pieces a word and unknown ones, over the test queries of the collection."""
    found: dict[str, Measured] = {}
    if queries:
        on = Pair(v.code.partition("-")[0], v.code.partition("-")[0])
        cut: Cut = tokenizer_file(path)
        found = {
            one.feature: one for one in Pieces(feature="pieces").measure(Wordings(on, queries, queries, {name: cut}))
        }
    values = {column: found[f"{column}-low"].value if found else None for column in ("fertility", "unknown")}
    return {"tokenizer": name, **values, "queries": len(queries)}


def tokenizers() -> Iterator[tuple[str, Path]]:
    """Those at hand, by name: of the shipped models, and of models in the hub's cache that have a `tokenizer.json`."""
    for path in sorted((SHIPPED / "models").glob("*/tokenizer.json")):
        yield path.parent.name, path
    home = Path(os.environ.get("HF_HOME") or Path("~/.cache/huggingface").expanduser())
    cache = Path(os.environ.get("HF_HUB_CACHE") or home / "hub")
    for folder in sorted(cache.glob("models--*")):
        revision = folder / "refs" / "main"
        snapshot = folder / "snapshots" / (revision.read_text("utf-8").strip() if revision.is_file() else "none")
        if (snapshot / "tokenizer.json").is_file():
            yield folder.name.removeprefix("models--").replace("--", "/"), snapshot / "tokenizer.json"
