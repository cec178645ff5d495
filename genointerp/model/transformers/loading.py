"""Models of the transformers library by name, folder or hub repository."""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from genointerp.core.errors import InputError, SchemaError
from genointerp.core.provenance import sha256_file
from genointerp.model.attention import FLASH_PACKAGES, SDPA, AttentionBackend, choose_backend
from genointerp.model.hyena.folder import sha256_weights
from genointerp.model.load_options import LoadOptions
from genointerp.model.protocol import DnaModel, ModelSpec
from genointerp.model.tokenizer.base import DnaTokenizer
from genointerp.model.tokenizer.files import build_tokenizer, from_pretrained_folder
from genointerp.model.transformers.causal import CausalTransformersModel
from genointerp.model.transformers.layout import FAMILIES, find_blocks, find_depth, find_family
from genointerp.model.transformers.model import LoadedNetwork, TransformersModel
from genointerp.model.transformers.network import draw_network, load_network, read_config
from genointerp.model.transformers.source import Source, find_source


def load_transformers(name: str, options: LoadOptions) -> DnaModel:
    """Load a model of the transformers library.

    Parameters
    ----------
    name
        Name of a preset, a local folder or a hub repository.

    Raises
    ------
    InputError
        If transformers is not installed, the files cannot be downloaded, or the model cannot run
        here.
    SchemaError
        If the files do not fit together.
    """
    if find_spec("transformers") is None:
        expected = 'the package transformers (pip install "genointerp[transformers]")'
        raise InputError(f"model {name}", expected, "it is not installed")
    devices, dtype = options.devices(), options.torch_dtype()
    source = find_source(name, options)
    config = read_config(source)
    _check_size(source, config)
    tokenizer = _read_tokenizer(source, config)
    backend = _choose_backend(source, config, devices[0], options)
    seed = options.random_weights
    if seed is None:
        name, weights_sha256 = source.name, sha256_files(source.weights())
        up_to = _truncate(source, config, options)
        network = load_network(source, config, backend, devices=devices, dtype=dtype)
    else:
        if source.has_python:
            options.refuse_random_weights(name)
        up_to = None
        network = draw_network(source, config, backend, seed=seed)
        name, weights_sha256 = f"{source.name}-random-{seed}", sha256_weights(network)
        network = network.to(devices[0], dtype)
    family = (
        find_family(network, source.reads, where=f"model {source.name}")
        if source.has_python
        else FAMILIES[config.model_type]
    )
    loaded = LoadedNetwork(network, family, tokenizer, backend, _max_tokens(config), up_to)
    sites = tuple(f"blocks.{i}" for i in range(len(find_blocks(network, family))))
    spec = ModelSpec(
        name=name,
        sha256=weights_sha256,
        sites=sites,
        default_site=sites[-1 if up_to else len(sites) // 2],
        d_site=_width(config),
        context=_context(source, config, tokenizer),
        attention_backend=backend.name,
        reads=source.reads,
        dtype=str(dtype).removeprefix("torch."),
        revision=source.revision,
        bases_per_token=tokenizer.bases_per_token,
        chunked=source.reads == "left" and not source.has_python,
        licence="" if source.preset is None else source.preset.licence,
    )
    causal = source.reads == "left"
    return CausalTransformersModel(loaded, spec) if causal else TransformersModel(loaded, spec)


def sha256_files(paths: Sequence[Path]) -> str:
    """Return the sha256 of one file or, for several files, of their lines ``sha256  name``."""
    digests = {path.name: sha256_file(path) for path in sorted(paths)}
    if len(digests) == 1:
        return next(iter(digests.values()))
    lines = "".join(f"{digest}  {name}\n" for name, digest in digests.items())
    return hashlib.sha256(lines.encode()).hexdigest()


def _check_size(source: Source, config: Any) -> None:  # noqa: ANN401
    """Refuse a checkpoint whose size differs from that of its preset, if that is known."""
    preset, where = source.preset, str(source.folder / "config.json")
    if preset is None:
        return
    if preset.n_blocks and (depth := find_depth(config, where)) != preset.n_blocks:
        raise SchemaError(where, f"{preset.n_blocks} blocks, as {preset.name} has", str(depth))
    # the stream of foreign code may be wider than stated: that of Caduceus-PS holds both strands
    if preset.d_site and not source.has_python and (width := _width(config)) != preset.d_site:
        raise SchemaError(where, f"a width of {preset.d_site}, as {preset.name} has", str(width))


def _read_tokenizer(source: Source, config: Any) -> DnaTokenizer:  # noqa: ANN401
    preset = source.preset
    tokenizer = (
        from_pretrained_folder(source.folder)
        if preset is None
        else build_tokenizer(preset.tokenizer, source.folder)
    )
    if tokenizer.vocab_size > config.vocab_size:
        expected = f"a vocabulary of at most {config.vocab_size} tokens, as the network has"
        raise SchemaError(str(source.folder), expected, str(tokenizer.vocab_size))
    return tokenizer


def _choose_backend(
    source: Source,
    config: Any,  # noqa: ANN401
    device: torch.device,
    options: LoadOptions,
) -> AttentionBackend:
    if source.has_python:
        if options.attention is not None or options.require_flash:
            expected = "no choice, since the network is Python code of its repository"
            raise InputError("attention backend", expected, options.attention or "require_flash")
        return AttentionBackend("remote code", SDPA)
    width = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
    backend = choose_backend(
        device,
        options.torch_dtype(),
        wanted=options.attention,
        require_flash=options.require_flash,
        head_width=width,
    )
    windowed = getattr(config, "sliding_window", None) is not None
    if options.require_flash and windowed and backend.transformers_name == SDPA:
        expected = f"one of {', '.join(FLASH_PACKAGES)}, for a model with sliding windows"
        raise InputError("attention backend", expected, f"{backend.name}, which needs a mask")
    return backend


def _truncate(source: Source, config: Any, options: LoadOptions) -> str | None:  # noqa: ANN401
    """Leave out the blocks above the last wanted site; return that site if any were left out."""
    if source.has_python:
        return None
    depth, kept = config.num_hidden_layers, options.last_block(config.num_hidden_layers) + 1
    config.num_hidden_layers = kept
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:kept]
    return options.up_to if kept < depth else None


def _width(config: Any) -> int:  # noqa: ANN401
    for key in ("hidden_size", "d_model", "n_embd"):
        if isinstance(width := getattr(config, key, None), int):
            return width
    raise SchemaError("config.json", "the width of the residual stream (hidden_size)", "none")


def _max_tokens(config: Any) -> int | None:  # noqa: ANN401
    if getattr(config, "position_embedding_type", None) != "absolute":
        return None
    # positions are numbered from the one after the id of padding
    return int(config.max_position_embeddings) - int(config.pad_token_id) - 1


def _context(source: Source, config: Any, tokenizer: DnaTokenizer) -> int:  # noqa: ANN401
    if source.preset is not None:
        return source.preset.context
    tokens = _max_tokens(config) or int(getattr(config, "max_position_embeddings", 0))
    # if the length of a token varies, there are at least that many bases
    return tokens * max(1, tokenizer.bases_per_token)
