"""Features of a sample of a genome, where none of the whole are at hand."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from genointerp.feature.encode import encode_store
from genointerp.genome.genome import Genome
from genointerp.genome.windows import spread_stretches
from genointerp.model.protocol import DnaModel
from genointerp.reading.harvest import HarvestConfig, harvest
from genointerp.sae.dictionary import Dictionary
from genointerp.store.feature.store import FeatureStore


@contextmanager
def sampled_features(
    model: DnaModel, genome: Genome, dictionary: Dictionary, *, n_bases: int, config: HarvestConfig
) -> Iterator[FeatureStore]:
    """Let a model read a sample of a genome, and yield its features until the block is left.

    Parameters
    ----------
    n_bases
        Bases of the sample on each strand, in windows spread evenly over the genome.
    config
        The windows.
    """
    header = dictionary.header
    length = config.window - config.warmup - config.halo_for(model.spec)
    regions = spread_stretches(genome.regions(genome), n_bases=n_bases, length=length)
    with TemporaryDirectory(prefix="genointerp-") as folder:
        place = Path(folder)
        read = harvest(
            model,
            genome,
            site=header.site,
            out=place / "activations.h5",
            config=config,
            regions=regions,
        )
        out, of_parent = place / "features.h5", model.spec.of_parent
        yield encode_store([read], header.folder, out, of_parent=of_parent)
