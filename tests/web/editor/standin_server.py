"""A stand-in for web/api/cells.py: the contract over karyotype.editing; logs in files."""
import json, sys, time, io, os
from pathlib import Path
from datetime import datetime, UTC
import numpy as np
from fastapi import FastAPI, Request, Body
from fastapi.responses import JSONResponse, Response
from PIL import Image
from consilium.web.app import create_app
from consilium.web.context import Signed
from consilium.web.settings import Settings
from consilium.errors import ConsiliumError, InputError, RecordChanged
from consilium.karyotype.editing.reading import read_cell
from consilium.karyotype.editing.log import Folded, fold
from consilium.karyotype.editing.command_json import read
from consilium.karyotype.editing.told import told
from consilium.karyotype.editing.cell_json import object_document
from consilium.karyotype.editing.sprite import sprite, sprite_key
from consilium.karyotype.straighten import dark_on_light
ROOT = Path(sys.argv[2])
entry0 = json.loads((ROOT / "entry.json").read_text())
case = {"cells": [entry0 | {"image": f"{n:02d}.png"} for n in range(1, 61)]}
settings = Settings(database=f"sqlite:///{ROOT}/records.db", files=ROOT / "files", hosts=("127.0.0.1",))
from consilium.laboratory.laboratory import Laboratory
_records = Laboratory(settings.database)
try:
    from tests.laboratory.conftest import PROFILE
    _records.begin("ada", PROFILE)
except ConsiliumError as p:
    print("begin:", p)
_records.close()

def signed(request: Request):
    if request.cookies.get("out"): return None
    return Signed(person=request.cookies.get("who", "tang"), roles=frozenset({"technologist"}), csrf="token", lang="zh" if "zh" in request.cookies.get("consilium_lang", "") else "en")

app = create_app(settings, signed)
CELLS = {}
for index, entry in enumerate(case["cells"], 1):
    pixels = np.asarray(Image.open(ROOT / "cell.png").convert("L"))
    CELLS[index] = dict(entry=entry, reading=read_cell(entry), pixels=pixels, page=dark_on_light(pixels, inverted=entry["inverted"]), log=ROOT / f"log{index}.jsonl")
SPRITES = {}
def load(index):
    cell = CELLS[index]
    rows = [json.loads(l) for l in cell["log"].read_text().splitlines()] if cell["log"].exists() else []
    return rows, fold(cell["reading"], [read(r["command"]) for r in rows])
def doc(index, one, says, lang):
    c = CELLS[index]; key = sprite_key(one, str(index))
    if key not in SPRITES: SPRITES[key] = sprite(c["page"], one)
    s = SPRITES[key]
    return object_document(one, says, lang) | {"sprite": f"/api/v1/cells/{index}/sprites/{key}.png", "sprite_width": s.pixels.shape[1], "sprite_height": s.pixels.shape[0], "centromere": s.centromere}
def figures(f):
    says = told(f.cell)
    return {"version": f.version, "count": says.count, "karyotype": says.karyotype, "can_undo": bool(f.done), "can_redo": bool(f.undone), "interactions": f.interactions, "doubtful": list(says.doubtful)}
def lang(r): return "zh" if "zh" in r.cookies.get("consilium_lang", "") else "en"
ACTS = {}
from consilium.web.context import Asking
@app.get("/api/v1/cells/{i}")
def cell(i: int, request: Request, asking: Asking):
    c = CELLS[i]; _, f = load(i); says = told(f.cell)
    return {"cell": i, "case": "K26-0000001", "image": c["entry"]["image"], "number": i, "width": c["entry"]["width"], "height": c["entry"]["height"], "inverted": False, "synthetic": c["entry"]["synthetic"], "picture": f"/api/v1/cells/{i}/picture.png", "band_level": c["entry"]["quality"]["band_level"], "locked": bool(request.cookies.get("locked")), "acts": ACTS.get(i, []), "objects": [doc(i, o, says, lang(request)) for o in f.cell.objects], **figures(f)}
@app.get("/api/v1/cells/{i}/picture.png")
def pic(i: int, asking: Asking):
    b = io.BytesIO(); Image.fromarray(CELLS[i]["pixels"]).save(b, "PNG"); return Response(b.getvalue(), media_type="image/png")
@app.get("/api/v1/cells/{i}/sprites/{key}.png")
def spr(i: int, key: str, asking: Asking):
    b = io.BytesIO(); Image.fromarray(SPRITES[key].pixels).save(b, "PNG"); return Response(b.getvalue(), media_type="image/png", headers={"Cache-Control": "max-age=9999"})
@app.post("/api/v1/cells/{i}/commands")
def command(i: int, request: Request, asking: Asking, body: dict = Body()):
    if request.headers.get("x-csrf-token") != "token": return JSONResponse({"error": {"kind": "NotAllowed", "what": "csrf"}}, 403)
    rows, f = load(i)
    for r in rows:
        if r["key"] == body["key"]: return JSONResponse(r["answer"], 200)
    if body["seen"] != f.version: raise RecordChanged(f"{rows[-1]['who']} changed this cell", where="", way_out="Read it again.")
    before = {o.id: o for o in f.cell.objects}; bs = told(f.cell)
    g = f.then(read(body["command"])); says = told(g.cell)
    changed = [doc(i, o, says, lang(request)) for o in g.cell.objects if before.get(o.id) != o or bs.flags.get(o.id) != says.flags[o.id] or (o.id in bs.doubtful) != (o.id in says.doubtful)]
    answer = {**figures(g), "changed": changed, "removed": [k for k in before if k not in {o.id for o in g.cell.objects}]}
    with CELLS[i]["log"].open("a") as s:
        s.write(json.dumps({"key": body["key"], "who": asking.person, "at": datetime.now(UTC).isoformat(), "command": body["command"], "answer": answer}) + "\n"); s.flush(); os.fsync(s.fileno())
    return JSONResponse(answer, 201)
@app.get("/api/v1/cells/{i}/commands")
def log(i: int, asking: Asking):
    return [{k: r[k] for k in ("who", "at", "command")} for r in load(i)[0]]
@app.post("/api/v1/cells/{i}/acts")
def act(i: int, request: Request, asking: Asking, body: dict = Body()):
    ACTS.setdefault(i, []).append(body["act"]); return cell(i, request, asking)
@app.delete("/api/v1/cells/{i}/acts/{act}")
def unact(i: int, act: str, request: Request, asking: Asking):
    ACTS[i].remove(act); return cell(i, request, asking)
@app.get("/api/v1/cases/{n}/cells")
def cells(n: str, asking: Asking): return [{"cell": i, "image": c["entry"]["image"]} for i, c in CELLS.items()]
@app.get("/api/v1/cases/{n}/chromosomes/{label}")
def chroms(n: str, label: str, request: Request, asking: Asking):
    out = []
    for i, c in CELLS.items():
        _, f = load(i); says = told(f.cell)
        out.append({"cell": i, "image": c["entry"]["image"], "objects": [doc(i, o, says, lang(request)) for o in f.cell.beside(label)]})
    return out
if __name__ == "__main__":
    # Routes were added after the mount of /static; move them first.
    import uvicorn
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
