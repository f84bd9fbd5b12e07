"""What a stage ran on: recorded with it, never part of its key."""

import os
import platform
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

PACKAGES = (
    "lsw-workbench",
    "torch",
    "transformers",
    "sentence-transformers",
    "python-terrier",
    "pyterrier-pisa",
    "pyterrier-dr",
    "pyterrier-t5",
    "duckdb",
    "pyarrow",
    "numpy",
    "scipy",
    "ir-measures",
    "opencc",
    "ir-datasets",
    "datasets",
    "sacrebleu",
    "lingua-language-detector",
)


@cache
def environment() -> dict[str, Any]:
    """Package versions, machine and cores."""
    packages = {}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            packages[name] = "absent"
    return {
        "packages": packages,
        "python": platform.python_version(),
        "machine": platform.machine(),
        "system": platform.platform(terse=True),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
    }
