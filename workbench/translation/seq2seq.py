"""Translation by a sequence-to-sequence checkpoint of one's own: NLLB-200, M2M-100, Marian, mT5, ..."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

from pydantic import Field

from store import LswError
from workbench.registry import LOCAL
from workbench.talk import Summary
from workbench.translation.base import Desk, Journal, Translator
from workbench.varieties import variety

BATCH = 16


class Seq2Seq(Translator):
    """Any checkpoint that transformers generates with.

    Args:
        checkpoint: a folder of one's own, or owner/name on the hub.
        beams: of the search.
        length: tokens at most, of a text and of its translation.
    """

    checkpoint: Annotated[str, Field(min_length=1), LOCAL]
    beams: Annotated[int, Field(gt=0)] = 4
    length: Annotated[int, Field(gt=0)] = 256

    @property
    def model(self) -> str:
        return self.checkpoint

    def translate(self, texts: dict[str, str], desk: Desk) -> tuple[dict[str, str], Summary]:
        assert desk.checkpoint
        journal = Journal(desk.work / "translations.jsonl")
        distinct = list(dict.fromkeys(texts.values()))
        new = [text for text in distinct if text not in journal.had]
        done = len(distinct) - len(new)
        for some, answers in translated(desk.checkpoint, new, desk.source, desk.target, self.beams, self.length):
            for text, answer in zip(some, answers, strict=True):
                journal.add(text, answer)
            done += len(some)
            desk.progress(done, len(distinct))
        return journal.of(texts), {"generated": len(new)}


def translated(
    checkpoint: Path, texts: list[str], source: str, target: str, beams: int, length: int
) -> Iterator[tuple[list[str], list[str]]]:
    """Translate, some texts at a time, the longest first (so that a memory too small fails at once).

    Args:
        checkpoint: a transformers folder, safetensors; no remote code is run.
        texts: what to translate.
        source, target: varieties. NLLB is told their codes; a checkpoint without codes translates what it was made for.
        beams: of the search.
        length: tokens at most, of a text and of its translation.

    Yields:
        texts, and their translations.

    Raises:
        LswError: the checkpoint is told varieties by codes, and has none for one of these.
    """
    import torch
    from transformers import AutoModelForSeq2SeqLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(checkpoint, trust_remote_code=False)
    model = AutoModelForSeq2SeqLM.from_pretrained(checkpoint, trust_remote_code=False, use_safetensors=True).eval()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    options: dict[str, int] = {}
    if hasattr(tokenizer, "src_lang"):
        codes = variety(source).nllb, variety(target).nllb
        known = tokenizer.get_vocab()
        for code, name in zip(codes, (source, target), strict=True):
            if code is None or code not in known:
                raise LswError(
                    f"The checkpoint has no code for {variety(name).name} ({name}).",
                    f"Looked for '{code}' in {checkpoint}.",
                    "Choose another checkpoint, or correct `nllb` in varieties.toml.",
                )
        tokenizer.src_lang = codes[0]
        options["forced_bos_token_id"] = known[codes[1]]
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    for start in range(0, len(order), BATCH):
        batch = [texts[i] for i in order[start : start + BATCH]]
        inputs = tokenizer(batch, return_tensors="pt", padding=True, truncation=True, max_length=length).to(device)
        with torch.inference_mode():
            ids = model.generate(**inputs, num_beams=beams, do_sample=False, max_new_tokens=length, **options)
        yield batch, [" ".join(text.split()) for text in tokenizer.batch_decode(ids, skip_special_tokens=True)]
