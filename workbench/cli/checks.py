"""What works on this machine, what is missing, and how to get it: for `lsw doctor`."""

import os
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from store import LswError, Store
from workbench.checkpoints.resolve import SHIPPED
from workbench.engine.environment import environment


def examine(store: Store) -> list[dict[str, Any]]:
    """Checks, each with what, state, ok, optional and cure."""
    out: list[dict[str, Any]] = []

    def say(what: str, state: str, ok: bool, cure: str = "", optional: bool = False) -> None:
        out.append({"what": what, "state": state, "ok": ok, "optional": optional, "cure": "" if ok else cure})

    about = environment()
    say("python", about["python"], sys.version_info >= (3, 11), "Install Python 3.11 or later.")
    for name, version in about["packages"].items():
        say(name, version, version != "absent", f"pip install {name}")
    say("cores", str(about["cores"]), True)
    try:
        import torch

        gpu = torch.cuda.is_available()
        state = torch.cuda.get_device_name() if gpu else "none; mini scale needs none"
        say("GPU", state, gpu, "Small and paper scale want one.", optional=True)
    except (ImportError, OSError, RuntimeError) as error:
        say("torch", str(error).splitlines()[0], False, "pip install --force-reinstall torch")
    for system in ("bge-m3", "colbert-xm", "mt5"):
        there = (SHIPPED / "models" / system / "model.safetensors").exists()
        say(f"mini model {system}", "shipped" if there else "missing", there, "Reinstall lsw-workbench.")
    try:
        import opencc

        works = opencc.OpenCC("t2s").convert("點") == "点"
        say("script conversion", "Traditional to Simplified", works, "pip install --force-reinstall opencc")
    except (ImportError, OSError) as error:
        say("script conversion", str(error), False, "pip install opencc")
    home = store.folder.resolve()
    nearest = next(p for p in (home, *home.parents) if p.exists())
    say("store", str(home), os.access(nearest, os.W_OK), "Choose another with --store DIR.")
    free = shutil.disk_usage(nearest).free / 1e9
    say("free disk", f"{free:.0f} GB", free > 1, "Make room; a mini recipe needs 0.3 GB.")
    if store.exists():
        try:
            with store.reading():
                say("store opens", "yes", True)
        except LswError as error:
            say("store opens", error.title, False, error.cure)
    try:
        import faiss

        say("faiss", faiss.__version__, True)
    except ImportError:
        say(
            "faiss", "absent; search is exact", False, "pip install faiss-cpu, for computing.search=hnsw", optional=True
        )
    drawn = find_spec("matplotlib") is not None
    say("matplotlib", "figures as SVG and PDF" if drawn else "absent; figures are drawn in the terminal", drawn,
        "pip install 'lsw-workbench[plots]'", optional=True)  # fmt: skip
    apertium = shutil.which("apertium")
    say("Apertium", apertium or "absent", bool(apertium), "apt install apertium apertium-fra-cat, to translate offline",
        optional=True)  # fmt: skip
    irds = Path(os.environ.get("IR_DATASETS_HOME", "~/.ir_datasets")).expanduser()
    say("ir_datasets", f"downloads to {irds}; IR_DATASETS_HOME moves it", True)
    offline = os.environ.get("HF_HUB_OFFLINE") == "1"
    cache = Path(os.environ.get("HF_HOME", "~/.cache/huggingface")).expanduser()
    say("Hugging Face hub", "offline (HF_HUB_OFFLINE=1)" if offline else f"cache in {cache}", True)
    return out
