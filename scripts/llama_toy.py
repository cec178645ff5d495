"""A small Llama of transformers that reads bases: something built otherwise to compare with."""

from pathlib import Path

import torch

from genointerp.annotation.catalogue import shipped
from genointerp.command.build.tune import tune

GENOME = "ecoli_mg1655"
SETTINGS = {
    "n_steps": 1500,
    "batch": 8,
    "length": 512,
    "learning_rate": 0.002,
    "warmup_steps": 50,
    "decay_share": 0.5,
}


def make_llama(folder: Path) -> Path:
    """Return the folder of the model, which is trained on *E. coli* if it is not there."""
    tuned = folder / "llama"
    if not tuned.is_dir():
        start = folder / "llama_start"
        save_start(start)
        tune(str(start), shipped(GENOME).sequence, tuned, config=SETTINGS)
    return tuned


def save_start(folder: Path) -> None:
    """Write a Llama with random weights, 4 layers of 128, and a tokenizer of single bases."""
    from transformers import AutoModelForCausalLM, LlamaConfig

    config = LlamaConfig(
        vocab_size=8,
        hidden_size=128,
        intermediate_size=352,
        num_hidden_layers=4,
        num_attention_heads=8,
        max_position_embeddings=4096,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = AutoModelForCausalLM.from_config(config)
    network.save_pretrained(folder)
    _tokenizer().save(str(folder / "tokenizer.json"))


def _tokenizer():  # noqa: ANN202 - of a library that is only loaded here
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    words = ["[PAD]", "[BOS]", "[UNK]", *"ACGTN"]
    vocabulary = {word: number for number, word in enumerate(words)}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[BOS] $A", special_tokens=[("[BOS]", 1)]
    )
    return tokenizer
