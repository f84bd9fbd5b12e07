"""A model: where it lies on this machine, and the hashes of its files."""

import json
from pathlib import Path
from typing import Annotated, ClassVar

from workbench.checkpoints import hub, soundness, weights
from workbench.costs.base import Cost, NotEstimatedError
from workbench.costs.estimator import STAGE, Estimator
from workbench.costs.stand_in import SHAPES
from workbench.graph import Job, Kind, Stage
from workbench.registry import LOCAL
from workbench.talk import Summary


class ReadCheckpoint(Kind):
    """Leaves `checkpoint.json` and, of weights in torch's own format, `checkpoint/` with them as safetensors.

    Args:
        contents: sha256 of each file of a model that is here.
        hub: the name of one that is to be downloaded.
        folder: where it is.
    """

    contents: dict[str, str] = {}
    hub: str = ""
    folder: Annotated[Path | None, LOCAL] = None

    group: ClassVar[str] = "download"

    def run(self, job: Job) -> Summary:
        """Read torch's weights once, by its weights-only reader, which makes tensors and runs no code.

        Raises:
            LswError: it has no weights, or weights that are more than tensors; or it is not whole, or needs code of its
                own.
        """
        folder = self.folder or hub.model(self.hub)[0]
        soundness.examine_files(folder)
        kept_as = weights.examine(folder)
        if kept_as == "torch":
            weights.rewrite(folder, job.out / "checkpoint", job.progress)
        record = {"folder": str(folder), "files": self.contents}
        (job.out / "checkpoint.json").write_text(json.dumps(record, indent=1), "utf-8")
        return {"files": len(self.contents), "weights": kept_as}

    def cost(self, stage: Stage, estimator: Estimator) -> Cost:
        if not self.hub:
            return Cost(seconds=STAGE)
        if self.hub not in SHAPES:
            raise NotEstimatedError(f"How large {self.hub} is will be known once it is downloaded.")
        size = int(SHAPES[self.hub]["bytes"])
        download = estimator.bytes_to_download(self.hub, size)
        return Cost(download=download, disk=size, seconds=STAGE + size / 3e8)
