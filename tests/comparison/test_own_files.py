"""What is given comes before what the run around a features file knows."""

from types import SimpleNamespace

from genointerp.command.compare import own_files
from genointerp.command.compare.own_files import find_with_run
from genointerp.feature.specimen_files import SpecimenFiles


def test_an_annotation_that_is_given_replaces_that_of_the_run(tmp_path, monkeypatch):
    features = tmp_path / "features.h5"
    own = SimpleNamespace(features=features, sequence="g.fa", annotation="own.gff3")
    run = SimpleNamespace(path=tmp_path, genomes={"g": own})
    calls = []
    monkeypatch.setattr(own_files, "run_around", lambda path: (run, "g"))

    def find(*given, **more):
        calls.append((given, more))
        return SpecimenFiles(())

    monkeypatch.setattr(own_files, "find_specimens", find)
    find_with_run(features, annotations="mine.gff3")
    find_with_run(features)
    own.features = tmp_path / "other.h5"
    find_with_run(features, annotations="mine.gff3")
    find_with_run(features)
    assert calls == [
        ((tmp_path,), {"genome": "g", "annotations": "mine.gff3"}),
        ((tmp_path,), {"genome": "g", "annotations": ()}),
        ((features,), {"genome": "g.fa", "annotations": "mine.gff3"}),
        ((features,), {"genome": "g.fa", "annotations": "own.gff3"}),
    ]
