"""Features with what the run around them knows: a sequence and an annotation."""

from pathlib import Path

from genointerp.core.arguments import OneOrMorePaths, as_paths
from genointerp.feature.specimen_files import OneOrMoreFeatures, SpecimenFiles, find_specimens
from genointerp.store.feature.run_folder import run_around


def find_with_run(
    features: OneOrMoreFeatures, genome: OneOrMorePaths = (), annotations: OneOrMorePaths = ()
) -> SpecimenFiles:
    """Find features; those of one genome in a run with what the run knows of it.

    The parameters are those of `find_specimens`. What is given comes before what a run knows.
    """
    if not as_paths(genome) and isinstance(features, str | Path):
        around = run_around(features) if Path(features).suffix == ".h5" else None
        if around is not None:
            run, name = around
            own = run.genomes[name]
            if own.features.resolve() == Path(features).resolve():
                return find_specimens(run.path, genome=name, annotations=annotations)
            known = annotations or (own.annotation or ())
            return find_specimens(features, genome=own.sequence, annotations=known)
    return find_specimens(features, genome=genome, annotations=annotations)
