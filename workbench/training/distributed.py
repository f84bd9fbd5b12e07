"""One training shared by several processes: what `torchrun` starts on each, and how it is started.

python -m torch.distributed.run --standalone --nproc-per-node 4 -m workbench.training.distributed WORK/job.json
"""

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.feather as feather

from store import LswError
from workbench.systems import SYSTEMS
from workbench.systems.base import System
from workbench.training.finetune import CURVE, Outcome, finetune
from workbench.training.needs import Given
from workbench.training.objectives import OBJECTIVES
from workbench.training.objectives.base import Objective, Training
from workbench.training.tuning import Tuning

JOB, TRIPLES, DONE, FAULT = "job.json", "triples.arrow", "outcome.json", "fault.json"
NEEDED = "needed."


def share(processes: int, training: Training, out: Path) -> Outcome:
    """As `workbench.training.finetune`, by so many processes on this machine, one for each GPU; no held-out figure.

    Raises:
        LswError: one of them failed; its error, or what it said last.
    """
    work = training.work
    feather.write_feather(training.triples, work / TRIPLES, compression="uncompressed")
    for role, table in training.given.tables.items():
        feather.write_feather(table, work / f"{NEEDED}{role}.arrow")
    job = {
        "system": training.system.model_dump(mode="json"),
        "checkpoint": str(training.checkpoint),
        "tuning": training.tuning.model_dump(mode="json"),
        "report_to": training.report_to,
        "objective": training.objective and training.objective.model_dump(mode="json"),
        "needed": list(training.given.tables),
        "teachers": {
            role: [system.model_dump(mode="json"), str(folder)]
            for role, (system, folder) in training.given.teachers.items()
        },
        "seed": training.given.seed,
        "out": str(out),
    }
    (work / JOB).write_text(json.dumps(job), "utf-8")
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
                training.progress(int(done), int(total))
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
    training.given.counts.update(told["counts"])
    curve = pa.Table.from_pylist(told["curve"], schema=CURVE)
    return Outcome(told["examples"], told["steps"], told["weight_change"], curve)


def main(job: Path) -> None:
    """One of the processes."""
    told = json.loads(job.read_text("utf-8"))
    first = os.environ.get("RANK", "0") == "0"

    def tell(done: int, total: int) -> None:
        if first:
            print(f"step {done}/{total}", flush=True)

    try:
        tables = {role: feather.read_table(job.parent / f"{NEEDED}{role}.arrow") for role in told["needed"]}
        teachers = {role: (_system(system), Path(folder)) for role, (system, folder) in told["teachers"].items()}
        given = Given(tables, told["seed"], teachers=teachers)
        training = Training(
            _system(told["system"]),  # type: ignore[arg-type]
            Path(told["checkpoint"]),
            feather.read_table(job.parent / TRIPLES, memory_map=True),
            Tuning.model_validate(told["tuning"]),
            job.parent,
            tell,
            tuple(told["report_to"]),
            objective=_objective(told["objective"]),
            given=given,
        )
        outcome = finetune(training, Path(told["out"]))
    except LswError as error:
        if first:
            (job.parent / FAULT).write_text(json.dumps([error.title, error.detail, error.cure]), "utf-8")
        raise
    if first:
        report = {
            "examples": outcome.examples,
            "steps": outcome.steps,
            "weight_change": outcome.weight_change,
            "curve": outcome.curve.to_pylist(),
            "counts": given.counts,
        }
        (job.parent / DONE).write_text(json.dumps(report), "utf-8")


def _system(told: dict[str, Any]) -> System:
    return SYSTEMS.part(told["architecture"]).model_validate(told)


def _objective(told: dict[str, Any] | None) -> Objective | None:
    return OBJECTIVES.part(told["objective"]).model_validate(told) if told else None


if __name__ == "__main__":
    main(Path(sys.argv[1]))
