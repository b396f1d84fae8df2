from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from pydicom.uid import UID

from consilium.imaging.deidentify.pseudonyms import MAX_DAYS, Pseudonyms
from consilium.imaging.deidentify.site_key import SiteKey

ONE, OTHER = Pseudonyms(SiteKey(b"k" * 32)), Pseudonyms(SiteKey(b"x" * 32))


@given(identity=st.text(min_size=1, max_size=64))
def test_the_same_patient_is_the_same_in_every_run_and_another_under_another_key(identity: str) -> None:
    patient = ONE.patient(identity)
    assert patient == Pseudonyms(SiteKey(b"k" * 32)).patient(identity)
    assert patient.pseudonym != OTHER.patient(identity).pseudonym
    assert re.fullmatch(r"P[A-Z2-7]{16}", patient.pseudonym)
    assert 1 <= patient.days <= MAX_DAYS


@given(value=st.text(alphabet="0123456789.", min_size=1, max_size=64))
def test_a_uid_stays_valid(value: str) -> None:
    made = UID(ONE.uid(value))
    assert made.is_valid and len(made) <= 64
    number = int(made.removeprefix("2.25."))
    assert (number >> 76) & 0xF == 8 and (number >> 62) & 0b11 == 0b10
    assert made != OTHER.uid(value)


def test_spaces_around_and_composed_letters_do_not_make_another_patient() -> None:
    assert ONE.patient("A-1 ") == ONE.patient("A-1")
    assert ONE.patient("Mu\u0308ller") == ONE.patient("M\u00fcller")


def test_a_number_serves_one_purpose() -> None:
    assert ONE.number("accession", "77") != ONE.number("code", "77")
    assert len(ONE.number("accession", "77")) == 16


def test_a_key_does_not_show_itself() -> None:
    assert "kkkk" not in repr(ONE) and "6b6b" not in repr(ONE)
