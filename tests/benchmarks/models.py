"""What models take: `python -m tests.benchmarks.models [rerank] [encode] [search] [tokens] [forecast] [--small]`.

    rerank     mT5-base: pairs a second against pyterrier_t5's default, the same weights and texts, turn about;
               float32 and bfloat16, and how far scores are apart
    encode     BGE-M3-sized (random weights): passages a second, as a share of what this chip multiplies
    search     exact search of 6,980 queries over 8.8 million vectors of 1,024 (--small: 200,000)
    tokens     exact MaxSim of 6,980 queries of 32 tokens over as many token vectors as fit
    forecast   `lsw plan` of the mini recipe and of 100,000 synthetic passages against what they then took

On a GPU all of it runs there. Weights are random: speed does not depend on them. Nothing is downloaded.
"""

import argparse
import json
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.conftest import table
from workbench.collections.folder import MINI, Folder
from workbench.costs import stand_in
from workbench.systems._encoding import Computing, device

MULTIPLIES = {"float32": torch.float32, "bfloat16": torch.bfloat16}


def now() -> float:
    """The time, once the GPU has done what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return time.perf_counter()


def seconds(act: Callable[[], Any]) -> float:
    """What one call takes."""
    began = now()
    act()
    return now() - began


def rate(dtype: torch.dtype) -> float:
    """Multiplications and additions a second, each counted as two, of a large matrix product."""
    n = 8192 if torch.cuda.is_available() else 2048
    a, b = (torch.randn(n, n, device=device()).to(dtype) for _ in range(2))
    for _ in range(2):
        a @ b
    rounds = 20 if torch.cuda.is_available() else 3
    return 2 * n**3 * rounds / seconds(lambda: [a @ b for _ in range(rounds)])


def texts(count: int) -> list[str]:
    """Passages of the lengths that MS MARCO's have, from the mini collection's words."""
    rng = random.Random(1)
    words = " ".join(table(Folder("mini", MINI), "fr")["text"].to_pylist()).split()
    return [" ".join(rng.choices(words, k=max(8, int(rng.lognormvariate(3.95, 0.35))))) for _ in range(count)]


def mt5_base(folder: Path) -> Path:
    """mT5-base with random weights, 12 layers on either side."""
    stand_in.VOCABULARY = 250_112  # its own: pyterrier_t5 scores all of it
    return stand_in.stand_in("unicamp-dl/mt5-base-mmarco-v2", 12, folder / "mt5")


def rerank(folder: Path, small: bool) -> dict[str, Any]:
    """Pairs a second; pyterrier_t5 as it comes against ours, turn about."""
    import pandas as pd
    from pyterrier_t5 import mT5ReRanker

    from workbench.systems import mt5 as reranker

    checkpoint = mt5_base(folder)
    count = 64 if small else 4_096 if torch.cuda.is_available() else 192
    passages = texts(count)
    frame = pd.DataFrame(
        {"qid": "q", "query": "combien coûte un billet de train pour Paris", "docno": [str(i) for i in range(count)],
         "text": passages, "score": 0.0, "rank": range(count)}
    )  # fmt: skip
    theirs = mT5ReRanker(tok_model=str(checkpoint), model=str(checkpoint), verbose=False)
    theirs.REL, theirs.NREL = reranker.answers(theirs.tokenizer)
    contenders: dict[str, Any] = {
        "pyterrier_t5, batch 4 (its default)": theirs,
        "lsw, float32": reranker.load(checkpoint, 512, Computing()),
        "lsw, precision auto": reranker.load(checkpoint, 512, Computing(precision="auto")),
    }
    first = frame.head(16)
    for model in contenders.values():
        model(first)
    took: dict[str, list[float]] = {name: [] for name in contenders}
    for _ in range(1 if small else 3):
        for name, model in contenders.items():
            took[name].append(seconds(lambda model=model: model(frame)))  # type: ignore[misc]
    pace = {name: count / float(np.median(t)) for name, t in took.items()}
    base = pace["pyterrier_t5, batch 4 (its default)"]
    alone = contenders["lsw, float32"]
    one = reranker.load(checkpoint, 512, Computing(token_budget=1))
    together, apart = (m(first).set_index("docno")["score"].sort_index() for m in (alone, one))
    half = contenders["lsw, precision auto"](frame).set_index("docno")["score"]
    whole = alone(frame).set_index("docno")["score"]
    return {
        "pairs": count,
        "pairs a second": {name: round(p, 2) for name, p in pace.items()},
        "times pyterrier_t5": {name: round(p / base, 2) for name, p in pace.items()},
        "score moved by the batch, at most": float((together - apart).abs().max()),
        "precision auto": str(Computing(precision="auto").dtype),
        "Kendall's tau of the two precisions": float(whole.corr(half.loc[whole.index], method="kendall")),
    }


def encode(folder: Path, small: bool) -> dict[str, Any]:
    """Passages a second by a model of BGE-M3's size, and the share of the chip's matrix products that is."""
    from workbench.systems import _m3 as bgem3
    from workbench.systems import bi_encoder as biencoder

    layers = 2 if small else 24
    checkpoint = stand_in.stand_in("BAAI/bge-m3", layers, folder / "bge")
    computing = Computing(precision="auto")
    passages = texts(128 if small else 16_384 if torch.cuda.is_available() else 256)
    model = biencoder.load(checkpoint, computing)
    biencoder.encode(model, passages[:64], 256, computing.budget, query=False)
    took = seconds(lambda: biencoder.encode(model, passages, 256, computing.budget, query=False))
    lengths = [len(ids) for ids in model.tokenizer(passages, truncation=True, max_length=256)["input_ids"]]
    width, inner = 1024, 4096
    per_token = 2 * layers * (4 * width * width + 2 * width * inner)
    work = sum(n * per_token + 4 * layers * width * n * n for n in lengths)
    chip = rate(computing.dtype)
    whole = bgem3.M3(checkpoint, computing)
    all_three = seconds(lambda: whole.encode(passages, 256))
    return {
        "layers": layers,
        "passages": len(passages),
        "tokens": sum(lengths),
        "precision": str(computing.dtype),
        "passages a second": round(len(passages) / took, 1),
        "all three of BGE-M3's ways, passages a second": round(len(passages) / all_three, 1),
        "TFLOP/s": round(work / took / 1e12, 3),
        "chip, TFLOP/s of a large product": round(chip / 1e12, 3),
        "share": round(work / took / chip, 3),
    }


def search(folder: Path, small: bool) -> dict[str, Any]:
    """Exact search of every vector for every query."""
    import pyarrow as pa

    from workbench.systems import bi_encoder as biencoder

    count, asked = (200_000, 1_000) if small else (8_841_823, 6_980)
    out = folder / "vectors"
    out.mkdir()
    rng = np.random.default_rng(0)
    block = rng.standard_normal((100_000, 1024), dtype=np.float32)
    block /= np.linalg.norm(block, axis=1, keepdims=True)
    with (out / biencoder.VECTORS).open("wb") as file:
        for start in range(0, count, len(block)):
            file.write(np.roll(block, start // len(block), axis=1)[: min(len(block), count - start)].tobytes())
    biencoder.describe(out, [str(i) for i in range(count)], 1024)
    queries = block[:asked] + 0.02 * rng.standard_normal((asked, 1024), dtype=np.float32)
    results: list[pa.Table] = []
    took = seconds(
        lambda: results.append(
            biencoder.nearest_passages(out, queries, [str(i) for i in range(asked)], 1000, Computing())[0]
        )
    )
    chip = rate(torch.float32)
    return {
        "vectors": count,
        "queries": asked,
        "rows": len(results[0]),
        "seconds": round(took, 2),
        "queries a second": round(asked / took, 1),
        "share of the chip": round(2 * asked * count * 1024 / took / chip, 3),
    }


def tokens(folder: Path, small: bool) -> dict[str, Any]:
    """Exact MaxSim over token vectors on disk."""
    from workbench.systems import _maxsim as late

    passages, asked = (5_000, 50) if small else ((1_000_000, 6_980) if torch.cuda.is_available() else (50_000, 100))
    work = folder / "work"
    work.mkdir()
    rng = np.random.default_rng(0)
    vectors_on_disk = late.opened(work)
    some = rng.standard_normal((60, 128), dtype=np.float32)
    for start in range(0, passages, 5_000):
        late.add(vectors_on_disk, [some[: 40 + i % 20] for i in range(min(5_000, passages - start))], "float16")
    late.finish(vectors_on_disk, folder, [str(i) for i in range(passages)], 128, "float16", "exact")
    queries = [rng.standard_normal((32, 128), dtype=np.float32) for _ in range(asked)]
    took = seconds(
        lambda: late.search(folder, queries, [str(i) for i in range(asked)], 1000, "exact", lambda a, b: None)
    )
    vectors = int(late.Tokens(folder).bounds[-1])
    return {
        "passages": passages,
        "token vectors": vectors,
        "queries": asked,
        "seconds": round(took, 2),
        "TFLOP/s": round(2 * asked * 32 * vectors * 128 / took / 1e12, 3),
    }


def forecast(folder: Path, small: bool) -> dict[str, Any]:
    """`lsw plan` against what a recipe then takes: the mini recipe, and 100,000 synthetic passages."""
    collection = folder / "synthetic"
    collection.mkdir()
    passages = texts(5_000 if small else 100_000)
    with (collection / "corpus.jsonl").open("w", encoding="utf-8") as file:
        for i, text in enumerate(passages):
            file.write(json.dumps({"_id": str(i), "text": text}) + "\n")
    for code in ("ca", "fr"):
        rows = Folder("mini", MINI).queries(code).slice(0, 100)["query"].to_pylist()
        (collection / f"queries.{code}.tsv").write_text("".join(f"q{i}\t{t}\n" for i, t in enumerate(rows)), "utf-8")
    (collection / "qrels.tsv").write_text("".join(f"q{i} 0 {i} 1\n" for i in range(100)))
    mini = (Path(__file__).parents[2] / "recipes" / "scales" / "mini.toml").read_text("utf-8")
    own = mini.replace('folder = "package:collection"', f'folder = "{collection}"', 1).replace('"mini"', '"made"', 1)
    (folder / "made.toml").write_text(own, "utf-8")
    (folder / "r.toml").write_text(
        'title = "made"\n[retrieval]\npairs = ["ca-fr"]\nsystems = ["bm25", "bge-m3", "bge-m3 >> mt5"]\n', "utf-8"
    )
    out = {}
    cases = {f"{len(passages):,} passages": [str(folder / "r.toml"), "--scale", str(folder / "made.toml")]}
    if not small:
        cases["zero_shot_yue_zh"] = ["zero_shot_yue_zh"]
    for name, words in cases.items():
        store = ["--store", str(folder / f"store-{len(out)}")]
        lsw = str(Path(sys.executable).parent / "lsw")
        plan = subprocess.run([lsw, "plan", *words, *store, "--json"], check=True, capture_output=True, text=True)
        foretold = json.loads(plan.stdout)["total"]
        took = seconds(lambda: subprocess.run([lsw, "recipe", "run", *words, *store], check=True, capture_output=True))  # noqa: B023
        size = sum(f.stat().st_size for f in Path(store[1]).rglob("*") if f.is_file())
        out[name] = {
            "foretold, s": round(foretold["seconds"], 1), "took, s": round(took, 1),
            "ratio": round(foretold["seconds"] / took, 2), "disk ratio": round(foretold["disk"] / size, 2),
        }  # fmt: skip
    return out


ALL: dict[str, Callable[[Path, bool], dict[str, Any]]] = {
    "rerank": rerank, "encode": encode, "search": search, "tokens": tokens, "forecast": forecast
}  # fmt: skip


def main() -> None:
    """Run those named, all but `search` and `forecast` if none is."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", choices=[*ALL, []], help="which")
    parser.add_argument("--small", action="store_true", help="seconds instead of minutes")
    args = parser.parse_args()
    from workbench.talk import advise

    advise()
    where = torch.cuda.get_device_name() if torch.cuda.is_available() else f"{platform.machine()}, no GPU"
    print(json.dumps({"machine": where, "torch": torch.__version__, "threads": torch.get_num_threads()}))
    for name in args.names or ["rerank", "encode", "tokens"]:
        with tempfile.TemporaryDirectory() as folder:
            print(json.dumps({name: ALL[name](Path(folder), args.small)}, indent=1), flush=True)


if __name__ == "__main__":
    main()
