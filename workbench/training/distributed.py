"""One training shared by several processes: what `torchrun` starts on each, and how it is started.

python -m torch.distributed.run --standalone --nproc-per-node 4 -m workbench.training.distributed WORK/job.json
"""

import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict
from pathlib import Path

import pyarrow as pa
import pyarrow.feather as feather

from store import LswError
from workbench.systems import Progress
from workbench.training.finetune import Outcome, Settings, finetune

JOB, TRIPLES, DONE, FAULT = "job.json", "triples.arrow", "outcome.json", "fault.json"


def share(
    processes: int,
    architecture: str,
    checkpoint: Path,
    triples: pa.Table,
    settings: Settings,
    out: Path,
    work: Path,
    progress: Progress,
) -> Outcome:
    """As `workbench.training.finetune`, by so many processes on this machine, one for each GPU.

    Raises:
        LswError: one of them failed; its error, or what it said last.
    """
    feather.write_feather(triples, work / TRIPLES, compression="uncompressed")
    said = {"architecture": architecture, "checkpoint": str(checkpoint), "out": str(out), "settings": asdict(settings)}
    (work / JOB).write_text(json.dumps(said), "utf-8")
    for name in (DONE, FAULT):
        (work / name).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}",
               "-m", "workbench.training.distributed", str(work / JOB)]  # fmt: skip
    env = {**os.environ, "OMP_NUM_THREADS": str(max(1, (os.cpu_count() or 1) // processes))}
    child = subprocess.Popen(
        command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    last: list[str] = []

    def listen() -> None:
        for line in child.stderr or ():
            last[:] = [*last[-30:], line.rstrip()]

    listener = threading.Thread(target=listen, daemon=True)
    listener.start()
    try:
        for line in child.stdout or ():
            if line.startswith("step "):
                done, _, total = line.removeprefix("step ").partition("/")
                progress(int(done), int(total))
        child.wait()
    except BaseException:  # Ctrl+C: all of them, and what they saved is resumed from
        os.killpg(child.pid, signal.SIGTERM)
        child.wait()
        raise
    listener.join()
    if (work / FAULT).exists():
        title, detail, cure = json.loads((work / FAULT).read_text("utf-8"))
        raise LswError(title, detail, cure, exit_code=1)
    if child.returncode or not (work / DONE).exists():
        faults = [line for line in last if "Error" in line] or last[-5:] or ["It said nothing."]
        raise LswError(f"Training by {processes} processes failed.", "\n".join(faults[:5]), exit_code=1)
    told = json.loads((work / DONE).read_text("utf-8"))
    curve = pa.Table.from_pylist(told["curve"], schema=_CURVE)
    return Outcome(told["steps"], told["weight_change"], curve)


_CURVE = pa.schema(
    [("step", pa.int32()), ("epoch", pa.float64()), ("loss", pa.float64()), ("learning_rate", pa.float64())]
)


def main(job: Path) -> None:
    """One of the processes."""
    said = json.loads(job.read_text("utf-8"))
    given = {**said["settings"], "frozen": tuple(said["settings"]["frozen"])}
    given["report_to"] = tuple(given["report_to"])
    first = os.environ.get("RANK", "0") == "0"

    def tell(done: int, total: int) -> None:
        if first:
            print(f"step {done}/{total}", flush=True)

    try:
        outcome = finetune(
            said["architecture"],
            Path(said["checkpoint"]),
            feather.read_table(job.parent / TRIPLES, memory_map=True),
            Settings(**given),
            Path(said["out"]),
            job.parent,
            tell,
        )
    except LswError as error:
        if first:
            (job.parent / FAULT).write_text(json.dumps([error.title, error.detail, error.cure]), "utf-8")
        raise
    if first:
        told = {"steps": outcome.steps, "weight_change": outcome.weight_change, "curve": outcome.curve.to_pylist()}
        (job.parent / DONE).write_text(json.dumps(told), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
