"""The family of a feature, in all that shows the features of a run."""

import shutil

import pandas as pd
import pytest

import genointerp as gi
from genointerp.core.errors import MismatchError
from genointerp.page.folder import index_script
from genointerp.page.index import ElementWords
from genointerp.page.measure import live_features, measure_run
from genointerp.page.run import open_run
from genointerp.store.run_tables import read_run_tables
from genointerp.store.table.schema.edge import MEDIATION
from genointerp.store.table.schema.feature import FEATURE_SUMMARY
from genointerp.store.table.table import read_table, write_table
from tests.page.conftest import HOSTILE, PROVENANCE, write_members

CIRCUIT = f"cycle 1: codon phases {HOSTILE}"
HERE = "chrA:1,001-1,900"


@pytest.fixture
def without_circuits(run_dir, tmp_path):
    skipped = shutil.ignore_patterns("circuits", "sae", "dossiers")
    return shutil.copytree(run_dir, tmp_path / "run", ignore=skipped)


def test_the_table_of_features_says_the_family_of_each(page_path, run_dir):
    written = read_table(page_path.with_name("report_tables") / "features.tsv", FEATURE_SUMMARY)
    for table in (written, open_run(run_dir).features):
        told = table.set_index("feature")[["circuit", "members"]]
        assert told.loc[[2, 3, 7]].to_numpy().tolist() == [[CIRCUIT, "3+7 > 2"]] * 3
        assert (told.drop([2, 3, 7]) == "").all(axis=None)
    page = page_path.read_text()
    assert '<th scope="col" data-name="members" title="features of the family by lag' in page
    assert '<th scope="col" title="family of features that fire at fixed distances">' in page


def test_the_section_of_a_feature_leads_to_the_members_of_its_family(page_path):
    section = page_path.read_text().partition('id="feature-3"')[2].partition("</details>")[0]
    told = section.partition('<p class="family">')[2].partition("</p>")[0]
    assert told.startswith("It is in cycle 1: codon phases &lt;/script&gt;")
    links = [
        f'<a class="feature" href="#feature-{feature}">f/{feature}</a>' for feature in (3, 7, 2)
    ]
    assert f"{links[0]} + {links[1]} &gt; {links[2]} (+ is at the same base" in told
    assert '<a href="#circuits">All circuits</a>' in told
    assert 'title="features of the family' not in section


def test_a_page_of_its_own_leads_to_the_index(folder_path):
    told = (folder_path / "features" / "2.html").read_text()
    assert '<a class="feature" href="7.html">f/7</a>' in told
    assert '<a href="../index.html#circuits">All circuits</a>' in told
    assert 'class="family"' not in (folder_path / "features" / "5.html").read_text()
    assert '<section id="circuits">' in (folder_path / "index.html").read_text()


def test_a_query_of_the_run_says_the_family(run_dir, without_circuits):
    table = gi.query(run_dir, HERE, top=None)
    assert set(table.loc[table["feature"].isin([2, 3, 7]), "members"]) == {"3+7 > 2"}
    assert set(table.loc[~table["feature"].isin([2, 3, 7]), "members"]) == {""}
    plain = gi.query(without_circuits, HERE, top=None)
    assert plain.equals(table.drop(columns=["circuit", "members"]))


def test_a_run_without_circuits_has_no_empty_column(without_circuits):
    run = open_run(without_circuits)
    assert "circuit" not in run.features
    measured = measure_run(run, [])
    script = index_script(run, measured, live_features(measured, run), ElementWords())
    assert '"circuit"' not in script


def test_a_group_that_was_tested_is_a_table_of_the_circuits(without_circuits):
    blank = {"string": "127,86", "int64": 3, "float64": 0.5}
    tested = pd.DataFrame([{one.name: blank[one.kind] for one in MEDIATION.columns}])
    path = without_circuits / "circuits" / "mediation.tsv"
    write_table(tested, path, MEDIATION, PROVENANCE)
    (found,) = (one for one in read_run_tables(without_circuits) if one.folder == "circuits")
    assert (found.title, found.source) == ("Mediation", "circuits/mediation.tsv")
    assert found.table["group"].tolist() == ["127,86"]


def test_families_of_another_dictionary_are_an_error(without_circuits):
    path = without_circuits / "circuits" / "members.tsv"
    write_members(path, "0" * 64)
    for ask in (lambda: open_run(without_circuits), lambda: gi.query(without_circuits, HERE)):
        with pytest.raises(MismatchError, match=r"members\.tsv: expected dictionary .*0000"):
            ask()
