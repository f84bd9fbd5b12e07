"""Tiny random models in the very files in which the real ones are published."""

import json
import shutil
from pathlib import Path

import torch

from tests.conftest import table
from workbench.collections.folder import MINI, Folder

XLMR = {
    "hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 64,
    "max_position_embeddings": 300, "vocab_size": 8010, "pad_token_id": 1,
}  # fmt: skip


def tokenizer(folder: Path, system: str = "bge-m3") -> None:
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(MINI.parent / "models" / system / name, folder / name)


def bge_m3(folder: Path) -> Path:
    """BAAI/bge-m3's files: torch's weights, two heads beside them, modules for sentence-transformers."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    torch.manual_seed(1)
    model = XLMRobertaModel(XLMRobertaConfig(**XLMR))
    model.save_pretrained(folder)
    (folder / "model.safetensors").unlink()
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    for head, width in (("colbert_linear", 32), ("sparse_linear", 1)):
        torch.save(torch.nn.Linear(32, width).state_dict(), folder / f"{head}.pt")
    tokenizer(folder)
    kind = "sentence_transformers.models"
    (folder / "modules.json").write_text(json.dumps([
        {"idx": 0, "name": "0", "path": "", "type": f"{kind}.Transformer"},
        {"idx": 1, "name": "1", "path": "1_Pooling", "type": f"{kind}.Pooling"},
        {"idx": 2, "name": "2", "path": "2_Normalize", "type": f"{kind}.Normalize"},
    ]), "utf-8")  # fmt: skip
    (folder / "1_Pooling").mkdir()
    (folder / "1_Pooling" / "config.json").write_text(
        json.dumps({"word_embedding_dimension": 32, "pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False})
    )
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 256, "do_lower_case": false}')
    return folder


def colbert_xm(folder: Path, languages: list[str]) -> Path:
    """antoinelouis/colbert-xm's files: Stanford's format over X-MOD, the projection among the weights."""
    from safetensors.torch import save_file
    from transformers import XmodConfig, XmodModel

    folder.mkdir(parents=True)
    torch.manual_seed(2)
    config = XmodConfig(**XLMR, languages=languages, adapter_reduction_factor=2)
    config.architectures = ["HF_ColBERT"]
    model = XmodModel(config, add_pooling_layer=False)
    tokenizer(folder, "colbert-xm")
    tensors = {f"roberta.{k}": v.contiguous() for k, v in model.state_dict().items()}
    tensors["linear.weight"] = torch.randn(16, 32)
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "config.json").write_text(config.to_json_string(use_diff=False))
    (folder / "artifact.metadata").write_text(json.dumps(
        {"query_token_id": "[unused0]", "doc_token_id": "[unused1]", "query_maxlen": 32, "doc_maxlen": 256, "dim": 16,
         "similarity": "cosine", "mask_punctuation": True, "attend_to_mask_tokens": False, "checkpoint": "x"}
    ))  # fmt: skip
    return folder


def xmod_base(folder: Path, languages: list[str]) -> Path:
    """facebook/xmod-base's files: an encoder with its head for masked words, none for tokens, no pooler."""
    from transformers import XmodConfig, XmodForMaskedLM

    torch.manual_seed(3)
    XmodForMaskedLM(XmodConfig(**XLMR, languages=languages, adapter_reduction_factor=2)).save_pretrained(folder)
    tokenizer(folder, "colbert-xm")
    return folder


def mt5(folder: Path) -> Path:
    """unicamp-dl/mt5-base-mmarco-v2's files: torch's weights and a sentencepiece vocabulary, no tokenizer.json."""
    import sentencepiece
    from transformers import MT5Config, MT5ForConditionalGeneration

    folder.mkdir(parents=True)
    lines = table(Folder("mini", MINI), "en")["text"].to_pylist()
    text = folder.parent / "text"
    text.write_text("\n".join([*lines, *["yes no Query: Document: Relevant:"] * 50]), "utf-8")
    sentencepiece.SentencePieceTrainer.train(
        input=str(text), model_prefix=str(folder / "spiece"), vocab_size=1156, byte_fallback=True, pad_id=0, eos_id=1, unk_id=2,
        bos_id=-1, user_defined_symbols=["▁yes", "▁no"], minloglevel=2,
    )  # fmt: skip
    (folder / "spiece.vocab").unlink()
    torch.manual_seed(4)
    config = MT5Config(vocab_size=1200, d_model=32, d_kv=8, d_ff=64, num_layers=2, num_decoder_layers=2, num_heads=2,
                       decoder_start_token_id=0)  # fmt: skip
    model = MT5ForConditionalGeneration(config)
    model.lm_head.weight = torch.nn.Parameter(torch.randn(1200, 32))  # not the embedding, whatever MT5Config says
    model.config.architectures = ["MT5ForConditionalGeneration"]
    config.save_pretrained(folder)
    written = json.loads((folder / "config.json").read_text("utf-8"))
    (folder / "config.json").write_text(json.dumps(written | {"tie_word_embeddings": False}), "utf-8")
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "tokenizer_config.json").write_text(json.dumps(
        {"tokenizer_class": "T5Tokenizer", "eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>",
         "extra_ids": 0, "model_max_length": 512}
    ))  # fmt: skip
    (folder / "special_tokens_map.json").write_text('{"eos_token": "</s>", "unk_token": "<unk>", "pad_token": "<pad>"}')
    return folder
