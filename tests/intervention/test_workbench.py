"""A run whose model stays in memory does what the functions do."""

import pandas as pd

import genointerp as gi
from genointerp.feature.specimen import Specimen
from genointerp.genome.interval import GenomicInterval
from genointerp.intervention.canvas import Canvas, Stroke
from genointerp.intervention.paint import PaintConfig, paint_designs
from genointerp.intervention.steer import SteerConfig, steer_genome
from genointerp.intervention.subject import Subject
from genointerp.intervention.workbench import Workbench
from genointerp.model.registry import load_model
from genointerp.reading.kept_model import KeptModel
from genointerp.sae.dictionary import Dictionary
from tests.intervention.test_steer_command import files  # noqa: F401 (a fixture)


def test_a_workbench_steers_and_paints_what_the_functions_do(files, tmp_path):  # noqa: F811
    model = load_model(str(files.model))
    read = gi.harvest(
        files.genome, tmp_path / "a.h5", model, site="blocks.1", window=120, warmup=40
    )
    store = gi.encode(read, files.sae, tmp_path / "f.h5")
    specimen = Specimen("g", store, sequence=gi.read_genome(files.genome))
    feature = int(store.n_firing("+").argmax())
    canvas = Canvas((Stroke("c", 560, 580, "+", feature, "set", 2.0),))
    bench = Workbench(KeptModel(tmp_path, files.sae, model))
    region, place = GenomicInterval("c", 550, 600), GenomicInterval("c", 560, 580, "+")
    told = []
    changed = bench.steer(
        specimen, canvas, region, is_controlled=False, progress=lambda *now: told.append(now)
    )
    subject = Subject(model, specimen.sequence, Dictionary.load(files.sae), store)
    used = subject.with_units(canvas)
    own = steer_genome(
        subject, used, regions=[region], config=SteerConfig(controls=False), bases=True
    )
    pd.testing.assert_frame_equal(changed.summary, own.table)
    pd.testing.assert_frame_equal(changed.rows, own.bases)
    assert changed.canvas.strokes[0].unit > 0
    assert told[-1][0] == told[-1][1] > 0
    written = bench.paint(
        specimen,
        canvas,
        place,
        n_designs=2,
        temperature=0.5,
        is_controlled=False,
        progress=lambda *_: None,
    )
    config = PaintConfig(n_designs=2, temperature=0.5, controls=False)
    designs = paint_designs(subject, used, place, config=config)
    pd.testing.assert_frame_equal(written.rows, designs.table)
    pd.testing.assert_frame_equal(written.summary, designs.summary)
