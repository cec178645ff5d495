from hypothesis import given
from hypothesis import strategies as st

from genointerp.core.text import clean_field, is_count, one_line


@given(st.text())
def test_a_cleaned_field_is_one_field_of_one_row(text):
    cleaned = clean_field(text)
    assert len(cleaned.splitlines()) <= 1
    assert not set(cleaned) & set("\t\n\r\x1b\x00")
    assert clean_field(cleaned) == cleaned


def test_what_is_not_seen_or_turns_the_direction_of_writing_is_removed():
    assert clean_field("a\u202eb\u200bc\ufeff\u2066d") == "abcd"


def test_what_is_no_control_character_stays():
    assert clean_field("tRNA-Ala (café), 5' → 3'") == "tRNA-Ala (café), 5' → 3'"


def test_a_long_line_is_cut():
    assert len(one_line("x" * 10_000)) == 2000


def test_counts_are_of_ascii_digits_and_fit_in_64_bits():
    assert is_count("0012")
    for text in ("", "-1", "1.0", "²", "٣", "1_0", " 1", "9" * 19):
        assert not is_count(text)
