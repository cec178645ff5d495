"""`encode`: stored activations of a genome through a dictionary, into a features file."""

from pathlib import Path

from genointerp.core.arguments import OneOrMorePaths, StrPath
from genointerp.core.progress import Progress, progress_bar
from genointerp.feature.encode import encode_store
from genointerp.store.activation.store import ActivationStore
from genointerp.store.feature.run_folder import activation_files
from genointerp.store.feature.store import FeatureStore
from genointerp.store.feature.tiles import Compression


def encode(
    activations: OneOrMorePaths,
    sae: StrPath,
    out: StrPath,
    *,
    genome: str | None = None,
    device: str = "cpu",
    compression: Compression = "none",
    of_parent: bool = False,
    progress: Progress | None = None,
) -> FeatureStore:
    """Encode the activations of a genome into the features of a dictionary, both strands.

    Errors are those of :func:`genointerp.feature.encode.encode_store`.

    Parameters
    ----------
    activations
        Files of one genome, with windows that do not overlap; or a run directory, which has those
        of each of its genomes.
    sae
        Folder of the dictionary or of a run, or ``shipped:nano``.
    out
        The features file (.h5).
    genome
        Name of the genome of a run.
    device
        Where the dictionary runs, as torch names it.
    compression
        ``zstd``: a smaller file, slower to ask.
    of_parent
        Encode activations of an edited model with a dictionary of the model that was edited.

    Examples
    --------
    >>> import genointerp as gi
    >>> features = gi.encode("activations.h5", "sae", "features.h5")  # doctest: +SKIP
    """
    files = activation_files(activations, genome, of_one=True)
    stores = [ActivationStore(path) for path in files]
    with progress_bar("encode (bases)", progress) as report:
        return encode_store(
            stores,
            Path(sae),
            Path(out),
            device=device,
            compression=compression,
            of_parent=of_parent,
            progress=report,
        )
