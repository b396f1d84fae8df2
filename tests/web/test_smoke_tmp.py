from consilium.laboratory.boxes import make_box
from consilium.laboratory.preparation import *
from tests.laboratory.conftest import ORDER, received


def test_all(app, client):
    rec = app.state.records
    label, number, patient = received(rec, ORDER, name="Zhang San", hospital_number="H1")
    with rec.changing("tang") as c:
        a = start_culture(c, label)
        b = harvest(c, a.label)
        s = make_slide(c, b.label)
    with rec.changing("ada") as c:
        make_box(c, "F1", "B1", rows=9, columns=9)
    for who in ("tang", "ren", "dai", "ada", "both"):
        x = client(who)
        for path in (
            "/worklist",
            "/worklist?view=all&q=short",
            "/reception",
            "/storage",
            "/storage/F1/B1",
            "/records",
            f"/cases/{number}",
            f"/things/{s.label}",
            f"/things/{label}",
            f"/patients/{patient}",
            f"/labels?label={label}",
            f"/labels?label={label}&symbol=code128",
            "/find?q=" + s.label.lower(),
        ):
            r = x.get(path)
            assert r.status_code in (200, 303), (who, path, r.text)
        for path in (
            "/worklist",
            "/cases",
            "/find?q=" + label,
            f"/cases/{number}",
            f"/cases/{number}/history",
            f"/things/{s.label}",
            f"/things/{s.label}/label.svg",
            "/disposals",
            "/places",
            "/places/F1/B1",
            f"/patients/{patient}",
            f"/patients/{patient}/looks",
            f"/patients/{patient}/consents",
        ):
            r = x.get("/api/v1" + path)
            assert r.status_code == 200, (who, path, r.text)
