"""What turns activity into the standardised uptake value by body weight.

After the vendor-neutral computation of the Quantitative Imaging Biomarkers Alliance (QIBA, SUV pseudo-code "happy
path"), which follows PS3.3 C.8.9.1.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from pydicom.dataset import Dataset

from consilium.imaging.dicom_frame_groups import first_number

_LONGEST_DELAY_S = 24 * 3600.0


def suv_factor(header: Dataset) -> tuple[float | None, str]:
    """The factor from rescaled pixel values to SUV by body weight (g/ml).

    Args:
        header: of one PET file; it needs no pixels.

    Returns:
        The factor and "", or None and why it cannot be computed.
    """
    units = str(header.get("Units") or "")
    if units == "GML":
        return 1.0, ""
    if units != "BQML":
        return None, f"SUV cannot be computed: the units are {units or 'not given'}, not BQML"
    weight = first_number(header.get("PatientWeight"))
    if weight is None or weight <= 0:
        return None, "SUV cannot be computed: Patient's Weight is missing"
    tracers = header.get("RadiopharmaceuticalInformationSequence") or []
    if not tracers:
        return None, "SUV cannot be computed: Radiopharmaceutical Information Sequence is missing"
    dose = first_number(tracers[0].get("RadionuclideTotalDose"))
    half_life = first_number(tracers[0].get("RadionuclideHalfLife"))
    if dose is None or dose <= 0:
        return None, "SUV cannot be computed: Radionuclide Total Dose is missing"
    correction = str(header.get("DecayCorrection") or "")
    if correction == "ADMIN":
        return weight * 1000.0 / dose, ""
    if correction != "START":
        return None, f"SUV cannot be computed: Decay Correction is {correction or 'missing'}"
    if half_life is None or half_life <= 0:
        return None, "SUV cannot be computed: Radionuclide Half Life is missing"
    delay = _delay_s(header, tracers[0])
    if delay is None:
        return None, "SUV cannot be computed: the time between injection and scan is not given"
    return weight * 1000.0 / (dose * 2.0 ** (-delay / half_life)), ""


def _delay_s(header: Dataset, tracer: Dataset) -> float | None:
    """Seconds from injection to the moment that decay is corrected to; None where it is not given or not plausible."""
    acquired = _moment(header.get("AcquisitionDate") or header.get("SeriesDate"), header.get("AcquisitionTime"))
    series = _moment(header.get("SeriesDate"), header.get("SeriesTime"))
    # A derived series was made later than it was acquired; then the acquisition tells when the scan began.
    start = series if series is not None and (acquired is None or series <= acquired) else acquired
    if start is None:
        return None
    whole = str(tracer.get("RadiopharmaceuticalStartDateTime") or "")
    injected = _moment(whole[:8], whole[8:]) if whole else None
    if injected is None:
        injected = _moment(start.strftime("%Y%m%d"), tracer.get("RadiopharmaceuticalStartTime"))
        if injected is not None and injected > start:
            injected -= timedelta(days=1)
    if injected is None:
        return None
    delay = (start - injected).total_seconds()
    return delay if 0 <= delay <= _LONGEST_DELAY_S else None


def _moment(day: Any, time: Any) -> datetime | None:
    """DICOM date and time as a moment; the zone is left out, as both ends of the delay are in the same one."""
    digits = str(time or "").split("+")[0].split("-")[0].replace(":", "")
    whole, _, fraction = digits.partition(".")
    if len(whole) < 2:
        return None
    try:
        return datetime.strptime(f"{day or ''}{whole:0<6}{fraction[:6]:0<6}", "%Y%m%d%H%M%S%f")
    except ValueError:
        return None
