"""Times lsw against ir_measures, PyTerrier, ranx and scipy on one machine, and prints tables for README.

Every figure is the median of several processes, the contenders in turn, so that what else the machine does falls on
all of them alike.
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tests.benchmarks.data import make_qrels, make_run

ROOT = Path(__file__).parents[2]
Row = dict[str, Any]


def timed(name: str, *arguments: object) -> Row:
    """One process."""
    command = [sys.executable, "-m", "tests.benchmarks.contenders", name, *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{name} failed:\n{done.stderr[-2000:]}")
    row: Row = json.loads(done.stdout.splitlines()[-1])
    print(f"  {name}: {row['seconds']:.3f} s, {row['megabytes']:.0f} MB, {row['result']}", file=sys.stderr)
    return row


def median(rows: list[Row], key: str = "seconds") -> float:
    return float(statistics.median(row[key] for row in rows))


def machine() -> str:
    """Processor, cores, memory and versions."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        cpu = next((x.split(":")[1].strip() for x in info.read_text().splitlines() if x.startswith("model name")), cpu)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    names = ("duckdb", "numpy", "ir_measures", "pyterrier", "ranx", "scipy")
    installed = [f"{n} {version(n)}" for n in names if find_spec(n)]
    cores = len(os.sched_getaffinity(0))
    return f"{cpu}, {cores} cores, {memory:.0f} GB; Python {platform.python_version()}, {', '.join(installed)}"


def table(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def one_run(folder: Path, queries: int, depth: int, repeat: int) -> str:
    """Read and evaluate one run."""
    run, qrels = folder / "run.trec", folder / "qrels.txt"
    make_run(run, queries, depth, seed=1)
    make_qrels(qrels, queries)
    names = ["lsw", "ir_measures", "pyterrier"] + (["ranx"] if find_spec("ranx") else [])
    found: dict[str, list[Row]] = {name: [] for name in names}
    for _ in range(repeat):
        for name in names:
            store = folder / "store"
            shutil.rmtree(store, ignore_errors=True)
            found[name].append(timed(name, run, qrels, store))
    means = [row["result"] for rows in found.values() for row in rows]
    for measure in means[0]:
        values = [m[measure] for m in means]
        assert max(values) - min(values) < 1e-6, f"the tools disagree on {measure}: {values}"
    ours = median(found["lsw"])
    what = {"lsw": "lsw (and kept in the store)"}
    rows = [
        [what.get(n, n), f"{median(r):.1f}", f"{median(r) / ours:.1f}", f"{median(r, 'megabytes'):,.0f}"]
        for n, r in found.items()
    ]
    title = f"Read one run of {queries:,} x {depth:,} and compute RR@10, nDCG@10 and R@1000, median of {repeat}:\n\n"
    return title + table(["", "seconds", "times lsw", "peak MB"], rows)


def many_runs(folder: Path, queries: int, depth: int, runs: int, repeat: int) -> str:
    """Evaluate the runs of a store."""
    store = folder / "many"
    qrels = folder / "qrels.txt"
    for seed in range(1, runs + 1):
        run = folder / "next.trec"
        make_run(run, queries, depth, seed)
        timed("lsw", run, qrels, store)
    found = [timed("stored", store) for _ in range(repeat)]
    size = sum(f.stat().st_size for f in store.rglob("*") if f.is_file()) / 2**20 / runs
    shutil.rmtree(store)
    return (
        f"{runs} such runs in the store, three measures that it had not recorded: {median(found):.2f} s,"
        f" {median(found, 'megabytes'):,.0f} MB (median of {repeat}); {size:,.0f} MB of disk a run.\n"
    )


def tests(queries: int, systems: int, resamples: int, repeat: int) -> str:
    """Randomisation tests of all pairs."""
    fewer = {"ranx_fisher": 1_000, "scipy_permutation": 1_000}
    names = [n for n in fewer if n != "ranx_fisher" or find_spec("ranx")]
    found: dict[str, list[Row]] = {n: [] for n in ["randomisation", "compare", *names]}
    for _ in range(repeat):
        found["randomisation"].append(timed("randomisation", queries, systems, resamples))
        found["compare"].append(timed("compare", queries, systems, resamples))
        for name in names:
            found[name].append(timed(name, queries, fewer[name]))
    count = found["randomisation"][0]["result"]["comparisons"]
    ours = median(found["randomisation"])
    rows = [
        ["lsw, all p-values", f"{ours:.1f}", "1", ""],
        ["lsw, and intervals, effect sizes, correction, power", f"{median(found['compare']):.1f}", "", ""],
    ]
    labels = {"ranx_fisher": "ranx, Fisher's test", "scipy_permutation": "scipy, permutation_test"}
    for name in names:
        one = median(found[name])
        whole = one * count * resamples / fewer[name]
        how = f"extrapolated from one comparison at {fewer[name]:,}: {one:.2f} s"
        rows.append([labels[name], f"{whole:,.0f}", f"{whole / ours:,.0f}", how])
    smallest = min(r["result"]["smallest p"] for r in found["randomisation"])
    assert smallest > 0
    title = (
        f"{count} comparisons ({systems} systems, 3 measures, {queries:,} queries) at {resamples:,} resamples,"
        f" median of {repeat}; smallest p {smallest:.1e}, the same in every run:\n\n"
    )
    return title + table(["", "seconds", "times lsw", ""], rows)


def growth(folder: Path, queries: int, depth: int, systems: int, resamples: int) -> str:
    """Seconds at three sizes."""
    rows = []
    for part in (4, 2, 1):
        run, qrels, store = folder / "part.trec", folder / "part.txt", folder / "part"
        make_run(run, queries // part, depth, seed=1)
        make_qrels(qrels, queries // part)
        shutil.rmtree(store, ignore_errors=True)
        read = timed("lsw", run, qrels, store)
        tested = timed("randomisation", queries, systems, resamples // part)
        rows.append(
            [
                f"1/{part}" if part > 1 else "1",
                f"{queries // part * depth:,}",
                f"{read['seconds']:.2f}",
                f"{read['megabytes']:,.0f}",
                f"{resamples // part:,}",
                f"{tested['seconds']:.2f}",
            ]
        )
    head = ["size", "rows", "import, s", "peak MB", "resamples", "all pairs, s"]
    return "How it grows:\n\n" + table(head, rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--small", action="store_true", help="a size for CI: half a minute")
    parser.add_argument("--repeat", type=int, default=5)
    parser.add_argument("--folder", help="where to make the runs  [default: a temporary folder]")
    args = parser.parse_args()
    queries, depth, systems, resamples, stored, repeat = 6_980, 1_000, 20, 100_000, 20, args.repeat
    if args.small:
        queries, systems, resamples, stored, repeat = 300, 5, 10_000, 2, 1
    with tempfile.TemporaryDirectory(dir=args.folder) as made:
        folder = Path(made)
        parts = [
            f"Machine: {machine()}.\n",
            one_run(folder, queries, depth, repeat),
            tests(queries, systems, resamples, repeat),
            *([] if args.small else [growth(folder, queries, depth, systems, resamples)]),
            many_runs(folder, queries, depth, stored, repeat),
        ]
    print("\n".join(parts))


if __name__ == "__main__":
    main()
