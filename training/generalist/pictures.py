"""Every picture the generalist learns from or is judged on, decoded once: `python -m training.generalist.pictures`.

Writes `CONSILIUM_RUNS/generalist/pictures.npy`, `masks.npy` and `rows.json`. The sets marked *evaluate* in the data's
README are packed too, for the judge; `Pack.learnable` is False for them, and the trainer never sees such a row.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

from training.cells import RUNS, abnormal_images, part_of
from training.cells import data_folder as chromosome_folder

STORED = 160
"""Pixels of a side as kept: crops of random scale to 128 still have something to cut."""

EVALUATE = frozenset({"mg_minimias", "op_odir_cataract", "es_capsule_bleeding"})
"""Sets that no weight may learn from, and that have classes to be judged on."""

_MODALITY_OF_PREFIX = {"px": "dx-dental", "ihc": "sm"}
_SIDES = ("xmin", "ymin", "xmax", "ymax")
_BOX_CLASSES = {"RBC": 0, "WBC": 1, "Platelets": 2}
CHROMOSOME = 3
"""Class of a chromosome's box, after those of blood cells."""

_TRAINABLE = (
    "xr_kermany_pneumonia", "us_busi_breast", "us_carotid", "us_fetal_head", "dms_isic2017_melanoma", "sm_oral_scc",
    "sm_colorectal", "sm_osteosarcoma", "cyto_lbc_pap", "smear_aml15", "smear_pbc8", "smear_malaria", "fluo_dsb2018",
    "ct_head_hemorrhage", "pt_soft_tissue_sarcoma", "xa_coronary_stenosis", "opt_octa_faz", "op_drishti_disc_cup",
    "op_chase_vessels",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Row:
    """One picture of the pack.

    Attributes:
        dataset, modality, label: label is empty where the set has no classes.
        group: the patient, case or volume; the picture's own name where the set tells none.
        mask: whether masks.npy holds one; 0 background, 1 and 2 what is looked for.
        boxes: (class, x, y, width, height) of the centre, in parts of the side.
    """

    dataset: str
    modality: str
    label: str
    group: str
    mask: bool
    boxes: tuple[tuple[float, float, float, float, float], ...] = ()

    @property
    def learnable(self) -> bool:
        return self.dataset not in EVALUATE


@dataclass(frozen=True, kw_only=True)
class Pack:
    """All pictures: (N, STORED, STORED, 3) uint8 RGB, masks (N, STORED, STORED) uint8, and what is known of each."""

    pictures: NDArray[np.uint8]
    masks: NDArray[np.uint8]
    rows: tuple[Row, ...]

    def of(self, dataset: str) -> NDArray[np.intp]:
        """Rows of one set."""
        return np.flatnonzero([row.dataset == dataset for row in self.rows])


Item = tuple[NDArray[np.uint8], NDArray[np.uint8] | None, Row]


def load_pack() -> Pack:
    """The pack, made when it is not there yet; the pictures stay on disk until they are asked for."""
    folder = RUNS / "generalist"
    if not (folder / "rows.json").exists():
        write_pack(folder)
    rows = [Row(**{**one, "boxes": tuple(map(tuple, one["boxes"]))}) for one in json.loads(_text(folder / "rows.json"))]
    return Pack(
        pictures=np.load(folder / "pictures.npy", mmap_mode="r"),
        masks=np.load(folder / "masks.npy", mmap_mode="r"),
        rows=tuple(rows),
    )


def write_pack(folder: Path) -> None:
    """Decode everything into three files."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures, masks, rows = [], [], []
    for picture, mask, row in _everything():
        pictures.append(cv2.resize(picture, (STORED, STORED), interpolation=cv2.INTER_AREA))
        kept = np.zeros((STORED, STORED), np.uint8)
        if mask is not None:
            kept = cv2.resize(mask, (STORED, STORED), interpolation=cv2.INTER_NEAREST)
        masks.append(kept)
        rows.append(row)
    np.save(folder / "pictures.npy", np.stack(pictures))
    np.save(folder / "masks.npy", np.stack(masks))
    partial = folder / "rows.partial"
    partial.write_text(json.dumps([asdict(row) for row in rows]), encoding="utf-8")
    partial.rename(folder / "rows.json")


def _everything() -> Iterator[Item]:
    medical = chromosome_folder().parent / "medical"
    for name in (*_TRAINABLE, *sorted(EVALUATE)):
        yield from _manifest_set(medical / f"{name}.zip", name)
    yield from _volumes(medical / "mr_hippocampus_nifti.zip")
    yield from _blood_cells(medical / "smear_bccd_boxes.zip")
    yield from _metaphases()


def _manifest_set(path: Path, name: str) -> Iterator[Item]:
    prefix = name.split("_")[0]
    with zipfile.ZipFile(path) as archive:
        rows = list(csv.DictReader(io.TextIOWrapper(archive.open("manifest.csv"), encoding="utf-8")))
        for row in rows:
            mask = _binary(_decoded(archive.read(row["mask"]), cv2.IMREAD_UNCHANGED), name) if row["mask"] else None
            yield _decoded(archive.read(row["file"]), cv2.IMREAD_COLOR_RGB), mask, Row(
                dataset=name, modality=_MODALITY_OF_PREFIX.get(prefix, prefix), label=row["label"],
                group=row["group"] or row["file"], mask=mask is not None,
            )  # fmt: skip


def _binary(mask: NDArray[np.generic], name: str) -> NDArray[np.uint8]:
    """What is looked for as 1: nuclei of any number, the disc with its cup, the inside of an outlined head."""
    if mask.ndim == 3:
        mask = mask[..., 0]
    found = (mask > (0 if name == "fluo_dsb2018" else 20)).astype(np.uint8)
    if name == "us_fetal_head" and found.any():
        points = cv2.findNonZero(found)
        cv2.fillConvexPoly(found, cv2.convexHull(points), 1)
    return found


def _volumes(path: Path) -> Iterator[Item]:
    """Six slices of each volume, evenly through what its mask holds, three neighbours as the channels."""
    with zipfile.ZipFile(path) as archive:
        for name in sorted(one for one in archive.namelist() if one.startswith("images/")):
            volume = read_nifti(archive.read(name)).astype(np.float32)
            labels = read_nifti(archive.read(name.replace("images/", "labels/"))).astype(np.uint8)
            low, high = np.percentile(volume, [0.5, 99.5])
            grey = (np.clip((volume - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
            held = np.flatnonzero(labels.any((0, 1)))
            for z in np.unique(np.linspace(held[0] + 1, held[-1] - 1, 6).round().astype(int)):
                z = int(np.clip(z, 1, grey.shape[2] - 2))
                yield (
                    np.ascontiguousarray(grey[:, :, z - 1 : z + 2]),
                    labels[:, :, z],
                    Row(dataset="mr_hippocampus_nifti", modality="mr", label="", group=name, mask=True),
                )


_NIFTI_KINDS = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 256: "i1", 512: "<u2"}


def read_nifti(data: bytes) -> NDArray[np.generic]:
    """The voxels of a gzipped little-endian NIfTI-1 volume, (X, Y, Z)."""
    raw = gzip.decompress(data)
    sides = np.frombuffer(raw, "<i2", 8, 40)
    kind = {2: "u1", 4: "<i2", 8: "<i4", 16: "<f4", 64: "<f8", 256: "i1", 512: "<u2"}[
        int(np.frombuffer(raw, "<i2", 1, 70)[0])
    ]
    start = int(np.frombuffer(raw, "<f4", 1, 108)[0])
    shape = tuple(int(side) for side in sides[1:4])
    return np.frombuffer(raw, kind, int(np.prod(shape)), start).reshape(shape, order="F")


def _blood_cells(path: Path) -> Iterator[Item]:
    with zipfile.ZipFile(path) as archive:
        for name in sorted(one for one in archive.namelist() if one.startswith("images/")):
            tree = ElementTree.fromstring(archive.read(f"annotations/{Path(name).stem}.xml"))
            width, height = (float(tree.findtext(f"size/{side}") or 0) for side in ("width", "height"))
            boxes = []
            for one in tree.iter("object"):
                x0, y0, x1, y1 = (
                    float(one.findtext(f"bndbox/{side}") or 0) for side in ("xmin", "ymin", "xmax", "ymax")
                )
                place = ((x0 + x1) / 2 / width, (y0 + y1) / 2 / height, (x1 - x0) / width, (y1 - y0) / height)
                boxes.append((_BOX_CLASSES[one.findtext("name") or ""], *place))
            yield (
                _decoded(archive.read(name), cv2.IMREAD_COLOR_RGB),
                None,
                Row(dataset="smear_bccd_boxes", modality="smear", label="", group=name, mask=False, boxes=tuple(boxes)),
            )


def _metaphases(*, one_in: int = 6, window: int = 288) -> Iterator[Item]:
    """A window of every sixth normal metaphase of tseng2023's train part, those kept for validation left out."""
    folder = chromosome_folder() / "tseng2023"
    boxes: dict[str, list[tuple[float, ...]]] = {}
    with gzip.open(folder / "boxes.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            boxes.setdefault(row["image"], []).append(tuple(float(row[k]) for k in _SIDES))
    with gzip.open(folder / "images.csv.gz", "rt", encoding="utf-8") as file:
        case_of = {row["image"]: row["case"] for row in csv.DictReader(file) if row["split"] == "train"}
    for archive_name in ("train_1.zip", "train_2.zip"):
        with zipfile.ZipFile(folder / archive_name) as archive:
            for member in sorted(archive.namelist())[::one_in]:
                name = Path(member).stem
                if name not in case_of or name in abnormal_images() or part_of(case_of[name]) != "train":
                    continue
                picture = _decoded(archive.read(member), cv2.IMREAD_COLOR_RGB)
                yield _window(picture, boxes[name], window, Row(
                    dataset="karyo_tseng2023", modality="karyo", label="", group=case_of[name], mask=False
                ))  # fmt: skip


def _window(picture: NDArray[np.uint8], boxes: list[tuple[float, ...]], side: int, row: Row) -> Item:
    """A square of a metaphase, its place drawn by the picture's own content, so that a run can be repeated."""
    height, width = picture.shape[:2]
    rng = np.random.default_rng(zlib.crc32(picture.tobytes()))
    side = min(side, height, width)
    centre = boxes[int(rng.integers(len(boxes)))]
    x = int(np.clip((centre[0] + centre[2]) / 2 - side / 2, 0, width - side))
    y = int(np.clip((centre[1] + centre[3]) / 2 - side / 2, 0, height - side))
    kept = []
    for x0, y0, x1, y1 in boxes:
        cx, cy = ((x0 + x1) / 2 - x) / side, ((y0 + y1) / 2 - y) / side
        if 0 < cx < 1 and 0 < cy < 1:
            kept.append((float(CHROMOSOME), cx, cy, (x1 - x0) / side, (y1 - y0) / side))
    return picture[y : y + side, x : x + side], None, replace(row, boxes=tuple(kept))


def _decoded(data: bytes, how: int) -> NDArray[np.uint8]:
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), how)
    if picture is None:
        raise ValueError("a picture of the data set cannot be decoded")
    return picture


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


if __name__ == "__main__":
    pack = load_pack()
    for dataset in dict.fromkeys(row.dataset for row in pack.rows):
        print(f"{dataset}: {len(pack.of(dataset))}")
