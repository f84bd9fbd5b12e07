"""A base model as it ships with lsw."""

import json
import shutil
from pathlib import Path
from typing import Annotated, Any, ClassVar

from workbench.checkpoints.resolve import folder_in
from workbench.costs.base import Cost
from workbench.costs.estimator import STAGE, Estimator
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.varieties import table as varieties


class Release(Kind):
    """Leaves `checkpoint/`: float16 on disk (loaded as float32), adapters for unseen varieties, its own record.

    X-MOD's adapter of a low-resource variety starts as a copy of its high-resource relative's. Reads `checkpoint`.

    Args:
        system: its name.
        trained_on: what it learnt from: by role, the settings and the key of each stage.
    """

    system: str
    trained_on: Annotated[dict[str, dict[str, Any]], LOCAL]

    group: ClassVar[str] = "train"

    def run(self, job: Job) -> Summary:
        """Write it."""
        from safetensors.torch import load_file, save_file

        out = job.out / "checkpoint"
        shutil.copytree(folder_in(job.inputs["checkpoint"]), out)
        relatives = {v.xmod[0]: varieties()[v.high].xmod[0] for v in varieties().values() if v.high}
        for file in out.rglob("*.safetensors"):
            tensors = load_file(file)
            for name in list(tensors):
                for low, high in relatives.items():
                    if f".{low}." in name:
                        tensors[name] = tensors[name.replace(f".{low}.", f".{high}.")].clone()
            save_file({n: t.half() for n, t in tensors.items()}, file, metadata={"format": "pt"})
        for path in out.rglob("README.md"):
            path.unlink()
        record = {"system": self.system, "trained_on": self.trained_on}
        (out / "training_inputs.json").write_text(json.dumps(record, indent=1, sort_keys=True) + "\n", "utf-8")
        size = sum(f.stat().st_size for f in Path(out).rglob("*") if f.is_file())
        return {"bytes": size}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        return Cost(seconds=STAGE)
