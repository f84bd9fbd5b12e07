"""New, untrained models of the true architectures, small: XLM-R, X-MOD, mT5, on one shared vocabulary."""

from pathlib import Path
from typing import Any

from workbench.varieties import table as varieties

EXTRA = ("▁query:", "▁document:", "▁relevant:", "▁yes", "▁no")
"""Pieces of the reranker's prompt and answers, one token each."""


def pieces(vocabulary: Path) -> tuple[list[tuple[str, float]], bytes]:
    """Pieces with their log-probabilities, and the normaliser's table, of a sentencepiece model."""
    from sentencepiece import sentencepiece_model_pb2

    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(vocabulary.read_bytes())
    return [(p.piece, p.score) for p in proto.pieces][3:], proto.normalizer_spec.precompiled_charsmap


def xlmr_tokenizer(vocabulary: Path, length: int) -> Any:
    """XLM-R's own tokenizer class on our pieces."""
    from transformers import XLMRobertaTokenizer

    known, charsmap = pieces(vocabulary)
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return XLMRobertaTokenizer(
        vocab=[*special, *known, ("<mask>", 0.0)], _spm_precompiled_charsmap=charsmap, model_max_length=length
    )


def mt5_tokenizer(vocabulary: Path, length: int) -> Any:
    """mT5's own tokenizer class (T5's) on our pieces, with `EXTRA`."""
    from transformers import T5Tokenizer

    known, charsmap = pieces(vocabulary)
    have = {piece for piece, _ in known}
    special = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return T5Tokenizer(
        vocab=[*special, *known, *((piece, -1.0) for piece in EXTRA if piece not in have)],
        _spm_precompiled_charsmap=charsmap,
        extra_ids=0,
        model_max_length=length,
    )


def _encoder_config(size: dict[str, int], tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": len(tokenizer),
        "hidden_size": size["width"],
        "num_hidden_layers": size["layers"],
        "num_attention_heads": size["heads"],
        "intermediate_size": size["width"] * 3,
        "max_position_embeddings": size["length"] + 2,
        "type_vocab_size": 1,
        "pad_token_id": tokenizer.pad_token_id,
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
    }


def biencoder(vocabulary: Path, size: dict[str, int], out: Path) -> None:
    """An XLM-R bi-encoder (mean pooling, unit vectors) as a sentence-transformers folder.

    Args:
        vocabulary: sentencepiece model.
        size: width, layers, heads, length.
        out: folder.
    """
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.sentence_transformer.modules import Pooling
    from transformers import XLMRobertaConfig, XLMRobertaModel

    tokenizer = xlmr_tokenizer(vocabulary, size["length"])
    backbone = out / "backbone"
    XLMRobertaModel(XLMRobertaConfig(**_encoder_config(size, tokenizer)), add_pooling_layer=False).save_pretrained(
        backbone
    )
    tokenizer.save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=size["length"])
    SentenceTransformer(
        modules=[transformer, Pooling(size["width"], pooling_mode="mean"), Normalize()]
    ).save_pretrained(str(out / "checkpoint"), create_model_card=False)


def multivector(vocabulary: Path, size: dict[str, int], out: Path) -> None:
    """An X-MOD multi-vector encoder with an adapter for every variety of the table.

    Args:
        vocabulary: sentencepiece model.
        size: width, layers, heads, length, dimensions (of a token vector).
        out: folder.
    """
    from sentence_transformers import MultiVectorEncoder
    from sentence_transformers.base.modules import Normalize, Transformer
    from sentence_transformers.base.modules.dense import Dense
    from sentence_transformers.multi_vector_encoder.modules import MultiVectorMask
    from torch.nn import Identity
    from transformers import XmodConfig, XmodModel

    tokenizer = xlmr_tokenizer(vocabulary, size["length"])
    languages = sorted({v.xmod[0] for v in varieties().values() if v.code not in ("fa", "ru")})
    config = XmodConfig(
        **_encoder_config(size, tokenizer), languages=languages, default_language="en_XX", adapter_reduction_factor=4
    )
    backbone = out / "backbone"
    XmodModel(config, add_pooling_layer=False).save_pretrained(backbone)
    tokenizer.save_pretrained(backbone)
    transformer = Transformer(str(backbone), max_seq_length=size["length"])
    projection = Dense(
        size["width"],
        size["dimensions"],
        bias=False,
        activation_function=Identity(),
        module_input_name="token_embeddings",
    )
    MultiVectorEncoder(
        modules=[transformer, projection, MultiVectorMask(), Normalize(module_input_name="token_embeddings")]
    ).save_pretrained(str(out / "checkpoint"), create_model_card=False)
