from __future__ import annotations

from typing import Any

import pytest
from pydicom.dataset import Dataset

from consilium.imaging.suv import suv_factor
from tests.imaging.made_files import item, items


def _header(tracer: dict[str, Any] | None = None, **changes: Any) -> Dataset:
    """A PET header: 350 MBq of fluorine 18, 60 minutes before the scan, 70 kg; None leaves an entry out."""
    inside = {
        "RadiopharmaceuticalStartTime": "090000.00", "RadionuclideTotalDose": 350e6, "RadionuclideHalfLife": 6586.2,
    } | (tracer or {})  # fmt: skip
    entries = {
        "Units": "BQML", "DecayCorrection": "START", "PatientWeight": 70.0,
        "SeriesDate": "20260301", "SeriesTime": "100000", "AcquisitionDate": "20260301", "AcquisitionTime": "100000",
        "RadiopharmaceuticalInformationSequence": items(item(**{k: v for k, v in inside.items() if v is not None})),
    } | changes  # fmt: skip
    return item(**{keyword: value for keyword, value in entries.items() if value is not None})


LEFT_AFTER_AN_HOUR = 2.0 ** (-3600.0 / 6586.2)


def test_corrected_to_the_start_of_the_scan() -> None:
    factor, why = suv_factor(_header())
    assert why == ""
    assert factor == pytest.approx(70_000 / (350e6 * LEFT_AFTER_AN_HOUR))


def test_corrected_to_the_injection_nothing_has_decayed() -> None:
    assert suv_factor(_header(DecayCorrection="ADMIN"))[0] == pytest.approx(70_000 / 350e6)


def test_units_that_are_uptake_already_stay() -> None:
    assert suv_factor(_header(Units="GML")) == (1.0, "")


def test_a_derived_series_takes_the_time_of_its_acquisition() -> None:
    later = _header(SeriesTime="170000")
    assert suv_factor(later)[0] == pytest.approx(70_000 / (350e6 * LEFT_AFTER_AN_HOUR))


def test_an_injection_before_midnight() -> None:
    night = _header({"RadiopharmaceuticalStartTime": "233000"}, SeriesTime="003000", AcquisitionTime="003000")
    assert suv_factor(night)[0] == pytest.approx(70_000 / (350e6 * LEFT_AFTER_AN_HOUR))


def test_the_date_and_time_of_the_injection_go_before_the_time_alone() -> None:
    both = _header({"RadiopharmaceuticalStartDateTime": "20260301090000.00+0100", "RadiopharmaceuticalStartTime": "07"})
    assert suv_factor(both)[0] == pytest.approx(70_000 / (350e6 * LEFT_AFTER_AN_HOUR))


@pytest.mark.parametrize(
    ("tracer", "changes", "missing"),
    [
        ({}, {"Units": "CNTS"}, "units are CNTS"),
        ({}, {"Units": None}, "units are not given"),
        ({}, {"PatientWeight": None}, "Patient's Weight"),
        ({}, {"PatientWeight": 0.0}, "Patient's Weight"),
        ({}, {"RadiopharmaceuticalInformationSequence": None}, "Radiopharmaceutical Information"),
        ({"RadionuclideTotalDose": None}, {}, "Total Dose"),
        ({"RadionuclideHalfLife": None}, {}, "Half Life"),
        ({}, {"DecayCorrection": "NONE"}, "Decay Correction is NONE"),
        ({}, {"SeriesTime": None, "AcquisitionTime": None}, "time between"),
        ({"RadiopharmaceuticalStartTime": None}, {}, "time between"),
        ({"RadiopharmaceuticalStartDateTime": "20260227090000"}, {}, "time between"),
        ({"RadiopharmaceuticalStartTime": "nonsense"}, {}, "time between"),
    ],
)
@pytest.mark.filterwarnings("ignore:Invalid value for VR")
def test_what_is_missing_is_named(tracer: dict[str, Any], changes: dict[str, Any], missing: str) -> None:
    factor, why = suv_factor(_header(tracer, **changes))
    assert factor is None
    assert missing in why
