import numpy as np
import pandas as pd

from genointerp.genome.genome import Contig, Genome
from scripts.latent_tables import PAGE, PLANT_EVERY, counts, filled, with_plants


def test_page_holds_the_tables_that_were_measured():
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page) == page


def test_a_plant_stands_over_the_bases_at_equal_distances():
    contig = Contig("c", np.full(2 * PLANT_EVERY + 2, ord("A"), np.uint8))
    found = with_plants(Genome([contig]), b"CGT")["c"].sequence.tobytes()
    assert [at for at in range(len(found)) if found[at : at + 3] == b"CGT"] == [0, PLANT_EVERY]
    assert found.count(b"A") == contig.length - 6
    assert set(contig.sequence) == {ord("A")}


def test_tags_are_counted_by_pair_and_repeats_by_tag():
    table = pd.DataFrame(
        {
            "second": ["tuned", "tuned", "tuned", "control"],
            "tag": ["rotated", "rotated", "dead", "shared"],
            "delta_norm": [0.5, 0.2, 0.9, 0.5],
            "repeat_r": [0.9, 0.6, 0.0, 0.0],
            "repeat_tag": ["rotated", "rotated", "", ""],
            "repeat": [1, 2, -1, -1],
        }
    )
    tuned, control = counts(table).to_dict("records")
    assert (tuned["n_features"], tuned["n_alive"], tuned["rotated"]) == (3, 2, 2)
    assert tuned["rotated_repeated"] == 1
    assert tuned["furthest"] == 0.3
    assert (control["second"], control["rotated"]) == ("control", 0)
