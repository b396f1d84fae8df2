"""A laboratory to look at: people are there, cases in several states, specimens with labels, drawn cells.

Nothing in it is anybody's: patients are called synthetic, and every picture carries the mark of a drawn one. The
pictures are read by the machine like real ones, in the background, so that the first page is there at once.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from consilium.laboratory.analysis.files import Files
from consilium.laboratory.analysis.images import add_image
from consilium.laboratory.analysis.runs import ask_for_run
from consilium.laboratory.boxes import make_box
from consilium.laboratory.casework import assign, move
from consilium.laboratory.consent import record_consent
from consilium.laboratory.journal import Change
from consilium.laboratory.laboratory import Laboratory, profile_in
from consilium.laboratory.permissions import Role
from consilium.laboratory.preparation import harvest, make_slide, start_culture
from consilium.laboratory.reception import Order, open_case, receive_specimen, register
from consilium.laboratory.storage import hand_over, put
from consilium.web.security.first_accounts import DEMO
from consilium.web.settings import Settings

if TYPE_CHECKING:
    from consilium.laboratory.case_states import State
    from consilium.laboratory.tables import CaseRow

FREEZER, BOX = "F1", "DEMO"


@dataclass(frozen=True, kw_only=True)
class DemoCase:
    """A case of the demo laboratory.

    Attributes:
        specimen: a key of the guidelines.
        indication: why it is asked for.
        sex: of the patient.
        days_ago: it came in.
        state: how far it is.
        urgency: how urgent it is.
        karyotype: in ISCN, of its drawn cells; empty for none.
        cells: how many are drawn.
    """

    specimen: str
    indication: str
    sex: str
    days_ago: int
    state: State = "received"
    urgency: str = "routine"
    karyotype: str = ""
    cells: int = 0


CASES: tuple[DemoCase, ...] = (
    DemoCase(
        specimen="constitutional_blood", indication="Demonstration: heart defect, hypotonia; trisomy 21 suspected",
        sex="female", days_ago=9, state="harvested", urgency="urgent", karyotype="47,XX,+21", cells=6,
    ),
    DemoCase(
        specimen="bone_marrow", indication="Demonstration: leucocytosis, BCR::ABL1 asked for", sex="male", days_ago=6,
        state="harvested", urgency="urgent", karyotype="46,XY,t(9;22)(q34;q11.2)", cells=5,
    ),
    DemoCase(
        specimen="constitutional_blood", indication="Demonstration: two miscarriages, partner of P0000004", sex="male",
        days_ago=20, state="harvested", karyotype="46,XY", cells=4,
    ),
    DemoCase(
        specimen="constitutional_blood", indication="Demonstration: two miscarriages", sex="female", days_ago=20,
        state="in culture",
    ),
    DemoCase(
        specimen="amniotic_flask", indication="演示：产前筛查高风险", sex="", days_ago=17, state="in culture",
    ),
    DemoCase(
        specimen="constitutional_blood", indication="Demonstration: short stature, Turner syndrome suspected",
        sex="female", days_ago=33,
    ),
    DemoCase(specimen="chorionic_villi", indication="演示：超声提示 NT 增厚", sex="", days_ago=1, urgency="urgent"),
    DemoCase(specimen="skin_fibroblasts", indication="Demonstration: patchy pigmentation", sex="male", days_ago=0),
)  # fmt: skip


def fill(records: Laboratory) -> int:
    """Fill a laboratory that has people and no case; how many cases were made.

    Raises:
        InputError: it was not founded, or somebody is missing.
    """
    from sqlalchemy import select

    from consilium.laboratory.tables import CaseRow

    with records.reading() as session:
        if session.scalar(select(CaseRow.id).limit(1)) is not None:
            return 0
    bench, administrator = _person(records, "technologist"), _person(records, "administrator")
    with records.changing(administrator) as change:
        make_box(change, FREEZER, BOX, rows=9, columns=9)
    with records.changing(bench) as change:
        for number, told in enumerate(CASES, start=1):
            _case(change, told, number)
    return len(CASES)


def draw(records: Laboratory, settings: Settings, *, stopped: Callable[[], bool] = lambda: False) -> int:
    """Draw the cells of the demo cases that have none yet, and ask that they be read; of how many cases.

    A cell takes most of a second, so this is done while the laboratory is served. Called again it goes on.
    """
    from sqlalchemy import select

    from consilium.laboratory.analysis.tables import ImageRow
    from consilium.laboratory.tables import CaseRow

    with records.reading() as session:
        if profile_in(session).name != DEMO:
            return 0
    bench, files, drawn = _person(records, "technologist"), Files(settings.files), 0
    for number, told in enumerate(CASES, start=1):
        asked = select(CaseRow).where(CaseRow.order_number == _order_number(number), CaseRow.withdrawn.is_(None))
        with records.reading() as session:
            case = session.scalar(asked)
            there = case is not None and session.scalar(select(ImageRow.id).where(ImageRow.case_id == case.id).limit(1))
        if not told.cells or case is None or there:
            continue
        pictures = []
        for picture in _drawn(told, seed=number):
            if stopped():
                return drawn
            pictures.append(picture)
        with records.changing(bench) as change:
            case = change.session.get_one(CaseRow, case.id)
            for name, content in pictures:
                add_image(change, files, case, name, content)
            ask_for_run(change, case)
        drawn += 1
    return drawn


def _order_number(number: int) -> str:
    return f"DEMO-{number}"


def _person(records: Laboratory, role: Role) -> str:
    """Somebody of a role."""
    from sqlalchemy import select

    from consilium.errors import InputError
    from consilium.laboratory.tables import StaffRow

    with records.reading() as session:
        for row in session.scalars(select(StaffRow).order_by(StaffRow.id)):
            if role in row.roles and row.withdrawn is None:
                return row.name
    raise InputError(f"nobody in this laboratory is {role}", way_out="Add somebody, then fill it.")


def _case(change: Change, told: DemoCase, number: int) -> CaseRow:
    received = datetime.now(UTC) - timedelta(days=told.days_ago, minutes=5)
    order = Order(
        specimen=told.specimen, indication=told.indication, urgency=told.urgency, order_number=_order_number(number),
        referrer="Demonstration ward", received=_time(received), collected=_time(received - timedelta(hours=3)),
    )  # fmt: skip
    patient = register(
        change, name=f"Synthetic Patient {number} (合成患者)", birth_date=f"{1980 + 3 * number}-01-0{number}",
        hospital_number=f"DEMO-{number:04d}", sex=told.sex,
    )  # fmt: skip
    record_consent(change, patient, ["diagnosis", "storage"], given=str(received.date()), document="demonstration")
    case = open_case(change, patient, order)
    specimen = receive_specimen(change, case, order)
    hand_over(change, specimen.label, change.worker.name, giver="Demonstration ward")
    if told.state == "received":
        return case
    cultures = [start_culture(change, specimen.label, medium=medium) for medium in ("RPMI 1640", "MEM alpha")]
    move(change, case, "in culture")
    if told.state == "harvested":
        made = [harvest(change, one.label, method="colcemid 0.1 µg/ml, 30 min") for one in cultures]
        slides = [make_slide(change, one.label) for one in made]
        for place, slide in enumerate(slides, start=1):
            put(change, slide.label, f"{FREEZER}/{BOX}/{chr(64 + number)}{place}")
        move(change, case, "harvested")
        assign(change, case, change.worker.name if number == 1 else "")
    return case


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="minutes")


def _drawn(told: DemoCase, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """Cells of a karyotype, each with the mark of a drawn one: (name of the file, its content)."""
    if not told.cells:
        return
    import numpy as np

    from consilium.karyotype.render import chromosomes_of, render_metaphase, save_synthetic

    levels: Sequence[int] = (550, 550, 400, 550, 850, 550)
    with tempfile.TemporaryDirectory(prefix="consilium-demo-") as folder:
        for number, rng in enumerate(np.random.default_rng(seed).spawn(told.cells), start=1):
            cell = render_metaphase(
                chromosomes_of(told.karyotype), rng, band_level=levels[number % len(levels)],
                crowding=0.12 + 0.06 * number, nuclei=number % 2,
            )  # fmt: skip
            path = Path(folder) / f"synthetic_{number:02d}.png"
            save_synthetic(cell, path)
            yield path.name, path.read_bytes()
