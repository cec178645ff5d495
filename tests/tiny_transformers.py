"""Tiny random models of each family of transformers, saved as its users save them, for tests."""

import json

import torch

from genointerp.model.tokenizer.kmer import words
from tests.tiny_tokenizers import train_bpe

WINDOW = 8
SHAPE = {
    "hidden_size": 32,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    # wide, so that attention tells tokens apart
    "initializer_range": 0.3,
}
GROUPED = SHAPE | {"num_key_value_heads": 2, "max_position_embeddings": 512}


def _specials(pad, bos, eos):
    return {"pad_token_id": pad, "bos_token_id": bos, "eos_token_id": eos}


def _configs():
    import transformers as t

    words_of = _specials(3, 1, 2)
    letters = _specials(0, 1, None)
    merges = _specials(None, None, None)
    hybrid = ["sliding_attention", "full_attention"] * 2
    sliding = {"sliding_window": WINDOW}
    experts = {"num_local_experts": 4, "num_experts_per_tok": 2}
    esm = SHAPE | {"vocab_size": 73, "pad_token_id": 1, "mask_token_id": 2}
    modernbert = SHAPE | _specials(0, 1, 2) | {"cls_token_id": 1, "sep_token_id": 2}
    return {
        "llama": ("kmer", t.LlamaConfig(**GROUPED, **words_of, vocab_size=69)),
        "mistral": (
            "bpe",
            t.MistralConfig(**GROUPED, **merges, vocab_size=96, sliding_window=WINDOW),
        ),
        "mixtral": ("letters", t.MixtralConfig(**GROUPED, **letters, **experts, vocab_size=8)),
        "qwen3": (
            "letters",
            t.Qwen3Config(
                **GROUPED,
                **letters,
                vocab_size=8,
                head_dim=16,
                layer_types=hybrid,
                use_sliding_window=True,
                **sliding,
            ),
        ),
        "esm": ("esm", t.EsmConfig(**esm, max_position_embeddings=130, token_dropout=True)),
        "esm-rotary": ("esm", t.EsmConfig(**esm, position_embedding_type="rotary")),
        "modernbert": (
            "bpe",
            t.ModernBertConfig(
                **modernbert, vocab_size=96, local_attention=WINDOW, max_position_embeddings=256
            ),
        ),
    }


CAUSAL = ("llama", "mistral", "mixtral", "qwen3")
MASKED = ("esm", "esm-rotary", "modernbert")


def save_tiny(family, folder, **save_options):
    """Save a model of a family with its tokenizer; always the same one."""
    import transformers

    kind, config = _configs()[family]
    auto = "AutoModelForCausalLM" if family in CAUSAL else "AutoModelForMaskedLM"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = getattr(transformers, auto).from_config(config)
    network.save_pretrained(folder, **save_options)
    save_tokenizer(kind, folder)
    return folder


def save_tokenizer(kind, folder):
    """Write the files by which a kind of tokenizer is known."""
    if kind == "kmer":
        vocab = ["<oov>", "<s>", "</s>", "<pad>", "<mask>", *words("ATCG", 3)]
        (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
        config = {"tokenizer_class": "DNAKmerTokenizer"}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    elif kind == "esm":
        vocab = ["<unk>", "<pad>", "<mask>", "<cls>", *words("ATCG", 3), *"ATCGN"]
        (folder / "vocab.txt").write_text("\n".join(vocab) + "\n")
        config = {"tokenizer_class": "EsmTokenizer", "eos_token": None}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
    elif kind == "bpe":
        train_bpe(unknown="[UNK]").save(str(folder / "tokenizer.json"))
    else:
        _letters().save(str(folder / "tokenizer.json"))


def _letters():
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    vocab = {token: i for i, token in enumerate(["[PAD]", "[BOS]", "[UNK]", *"ACGTN"])}
    tokenizer = Tokenizer(models.WordLevel(vocab, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A", special_tokens=[("[BOS]", 1)]
    )
    return tokenizer
