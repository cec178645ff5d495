"""`encode`: stored activations of a genome through a dictionary, into a features file."""

from collections.abc import Sequence
from pathlib import Path

from genointerp.core.progress import Progress, silent
from genointerp.feature.encode import encode_store
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.store import FeatureStore
from genointerp.store.feature.tiles import Compression


def encode(
    activations: Sequence[Path],
    sae: Path,
    out: Path,
    *,
    device: str = "cpu",
    compression: Compression = "none",
    progress: Progress = silent,
) -> FeatureStore:
    """Encode activations files of one genome; see :func:`genointerp.feature.encode.encode_store`.

    Parameters
    ----------
    activations
        Files of one genome, with windows that do not overlap.
    sae
        Folder of the dictionary.
    """
    stores = [ActivationStore(path) for path in activations]
    return encode_store(stores, sae, out, device=device, compression=compression, progress=progress)
