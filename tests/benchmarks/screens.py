"""Drives the real screens over a store of full-sized runs: `python -m tests.benchmarks.screens [--runs 20]`.

Prints what a user waits for: from the start of the process to the first screen, from one query to the next, and from
one test to another; and the memory that takes.
"""

import argparse
import asyncio
import json
import os
import pty
import resource
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from tests.benchmarks.__main__ import machine
from tests.benchmarks.contenders import Silent
from tests.benchmarks.data import make_qrels, make_run

STEPS = 60
QUIET = 0.15
"""Seconds without drawing after which a screen is taken to be complete."""


def make_store(folder: Path, runs: int, queries: int, depth: int) -> Path:
    """A store of imported runs of one collection, which has query texts and judgements."""
    from store import Store
    from workbench.engine.execute import execute
    from workbench.plans.import_run import import_plan

    collection = folder / "made"
    collection.mkdir(parents=True)
    make_qrels(collection / "qrels.tsv", queries)
    qids = dict.fromkeys(line.split()[0] for line in (collection / "qrels.tsv").read_text().splitlines())
    (collection / "queries.yue.tsv").write_text("".join(f"{q}\tmade query number {q}\n" for q in qids))
    store = Store(folder / "store")
    for seed in range(1, runs + 1):
        make_run(folder / "run.trec", queries, depth, seed)
        plan, _ = import_plan(store, folder / "run.trec", f"system {seed}", None, "yue", "zh", str(collection), None)
        execute(plan, store, Silent())
        print(f"  run {seed} of {runs}", file=sys.stderr)
    (folder / "run.trec").unlink()
    return store.folder


def first_screen(store: Path, state: Path) -> float:
    """Seconds from the start of `lsw tui` in a terminal until its runs are on the screen."""
    read, write = pty.openpty()
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40", "LSW_STATE": str(state)}
    start = time.perf_counter()
    process = subprocess.Popen(
        [Path(sys.executable).parent / "lsw", "tui", "--store", store], stdin=write, stdout=write, stderr=write, env=env
    )
    seen = b""
    try:
        while b"system 1" not in seen:
            if select.select([read], [], [], 20)[0]:
                seen += os.read(read, 1 << 16)
            elif time.perf_counter() - start > 20:
                raise SystemExit(f"no screen came: {seen[-500:]!r}")
        return time.perf_counter() - start
    finally:
        process.kill()
        process.wait()
        os.close(read)
        os.close(write)


async def drive(folder: Path, together: int) -> dict[str, object]:
    """Press keys in the real app; seconds until what they ask for has been drawn."""
    from store import Store
    from tui.app import Workbench
    from tui.pages.compare import Compare
    from tui.study import with_method

    class Watched(Workbench):
        """Knows when it last drew."""

        drawn = 0.0

        def _display(self, *arguments: object) -> None:
            super()._display(*arguments)
            self.drawn = time.perf_counter()

    app = Watched(Store(folder))
    async with app.run_test(size=(160, 48)) as pilot:
        while not app.runs:
            await pilot.pause(0.05)
        app.compare([r["run_id"] for r in app.runs[:together]])
        while not isinstance(app.screen, Compare):
            await asyncio.sleep(0.01)
        screen = app.screen
        while not screen.shown:
            await asyncio.sleep(0.01)
        await pilot.pause(1)

        async def press(key: str | Callable[[], object], has_changed: Callable[[], bool]) -> float:
            """Until nothing more is drawn."""
            start = time.perf_counter()
            key() if callable(key) else app.simulate_key(key)
            while not has_changed():
                await asyncio.sleep(0.001)
            changed = time.perf_counter()
            while app.drawn < changed or time.perf_counter() - app.drawn < QUIET:
                if time.perf_counter() - changed > 1:  # nothing was left to draw
                    break
                await asyncio.sleep(0.001)
            return app.drawn - start

        read, held = [], []
        for _ in range(STEPS):
            was = screen.shown
            read.append(await press("n", lambda was=was: screen.shown is not was))
        for _ in range(STEPS):  # as fast as a keyboard repeats
            was, start = screen.shown, time.perf_counter()
            app.simulate_key("n")
            while screen.shown is was or app.drawn < start:
                await asyncio.sleep(0.001)
            held.append(app.drawn - start)
            await asyncio.sleep(max(0.0, 1 / 30 - held[-1]))
        again = []
        await asyncio.sleep(1)
        for measure in ("nDCG@10", "R@1000", "RR@10") * 3:
            for test in ("t", "wilcoxon", "randomisation")[: 3 if together == 2 else 2]:

                def other(measure: str = measure, test: str = test) -> None:
                    app.choose(with_method(replace(app.choice, measure=measure), test=test))
                    screen.refreshed()

                was = screen.comparison
                again.append(await press(other, lambda was=was: screen.comparison is not was))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"held": sorted(held), "read": sorted(read), "again": again, "megabytes": peak}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--small", action="store_true", help="a size for CI")
    parser.add_argument("--store", help="a store made before, instead of a new one")
    parser.add_argument("--drive", type=int, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.drive:
        print(json.dumps(asyncio.run(drive(Path(args.store), args.drive))))
        return
    queries, depth, runs = (300, 100, 4) if args.small else (6_980, 1_000, args.runs)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        store = Path(args.store) if args.store else make_store(folder, runs, queries, depth)
        state = folder / "state.json"
        first = sorted(first_screen(store, state) for _ in range(5))
        lines = [f"first screen: {first[2]:.2f} s (median of 5, {first[0]:.2f} to {first[-1]:.2f})"]
        for together in (2, 4):
            command = [sys.executable, "-m", "tests.benchmarks.screens", "--store", store, "--drive", str(together)]
            done = subprocess.run(
                command, capture_output=True, text=True, check=True, env={**os.environ, "LSW_STATE": str(state)}
            )
            row = json.loads(done.stdout.splitlines()[-1])
            state.unlink(missing_ok=True)
            at = int(0.95 * STEPS)
            lines += [
                f"{together} runs, next query, 30 keys a second: median {row['held'][STEPS // 2] * 1000:.0f} ms,"
                f" 95th percentile {row['held'][at] * 1000:.0f} ms",
                f"{together} runs, next query, unhurried, until all is drawn: median {row['read'][STEPS // 2] * 1000:.0f} ms,"
                f" 95th percentile {row['read'][at] * 1000:.0f} ms",
                f"{together} runs, another measure or test: slowest of {len(row['again'])}"
                f" {max(row['again']) * 1000:.0f} ms, median {sorted(row['again'])[len(row['again']) // 2] * 1000:.0f}"
                f" ms; peak memory {row['megabytes']:.0f} MB",
            ]
    print(f"Machine: {machine()}\n")
    print("\n".join(lines))


if __name__ == "__main__":
    main()
