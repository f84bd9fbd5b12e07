"""What stages that make base models from nothing read."""

import pyarrow as pa

from workbench.graph import Job


def by_variety(job: Job, role: str, name: str) -> dict[str, pa.Table]:
    """The tables of the inputs `ROLE.VARIETY`."""
    return {r.partition(".")[2]: job.read(r, name) for r in sorted(job.inputs) if r.startswith(f"{role}.")}


def passages(job: Job) -> dict[str, pa.Table]:
    """Passages by variety, of the inputs `passages.VARIETY`; small collections only are pre-trained on."""
    roles = sorted(role for role in job.inputs if role.startswith("passages."))
    return {role.partition(".")[2]: pa.Table.from_batches(list(job.passages(role).batches())) for role in roles}
