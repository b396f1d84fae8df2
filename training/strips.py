"""Cut the strips the classifier is trained on: `python -m training.strips` (after training.second_look).

The masks are the amodal network's own, from the true boxes, so that the classifier is trained on what it will
meet. One file a shard of cells in `runs/strips/`; a last one holds rendered cells, whose short arms are known and
whose numbers of chromosomes are not always 46.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from consilium.karyotype.amodal import mask_crops, masks_from_logits
from consilium.karyotype.metaphase import CLASSES, Instance
from consilium.karyotype.normalise import normalise
from consilium.karyotype.strip import strips
from training.cells import CORES, DARKNESS_SCALE, RUNS, Cell, load_cells
from training.networks import SecondLook
from training.precision import mixed
from training.rendered import draw
from training.shipped import load_shipped


def masked(cell: Cell, network: SecondLook) -> list[Instance]:
    """The objects of a cell, true boxes, predicted masks."""
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    with torch.no_grad(), mixed("cpu"):
        logits = network(torch.from_numpy(mask_crops(darkness, cell.boxes)))[0].float().numpy()[:, 0]
    found = masks_from_logits(logits, cell.boxes, darkness.shape)
    return [
        Instance(box=tuple(map(float, box)), mask=mask, origin=origin, score=1.0)
        for box, (mask, origin) in zip(cell.boxes, found, strict=True)
    ]


def amodal_network(examples: list[Cell]) -> SecondLook:
    """The network of training.second_look, or the one that ships where this machine has no checkpoint of it."""
    network = SecondLook()
    kept = RUNS / "amodal.pt"
    if kept.exists():
        network.load_state_dict(torch.load(kept, weights_only=True)["network"])
    else:
        crops = [mask_crops(one.darkness.astype(np.float32) / DARKNESS_SCALE, one.boxes) for one in examples]
        load_shipped(network, "amodal", (torch.from_numpy(np.concatenate(crops)),))
    return network.eval().to(memory_format=torch.channels_last)


def cut(shard: int, shards: int) -> int:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    all_cells = load_cells("tseng2023")
    network = amodal_network(all_cells[:4])
    images, geometry, labels, cells, names, parts = [], [], [], [], [], []
    for number, cell in enumerate(all_cells):
        if number % shards != shard or len(cell.boxes) == 0:
            continue
        cut_out = strips(cell.darkness.astype(np.float32) / DARKNESS_SCALE, masked(cell, network))
        images.append(_kept(cut_out.images))
        geometry.append(cut_out.geometry)
        labels.append(cell.labels)
        cells.append(np.full(len(cell.labels), number))
        names.append(cell.name)
        parts.append(cell.part)
    folder = RUNS / "strips"
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(
        folder / f"{shard}.npz", images=np.concatenate(images), geometry=np.concatenate(geometry),
        labels=np.concatenate(labels), cells=np.concatenate(cells), names=np.asarray(names), parts=np.asarray(parts),
    )  # fmt: skip
    return len(names)


def cut_rendered(count: int, seed: int) -> int:
    """Strips of drawn cells of every camera and stain the renderer knows, one in twenty kept for validation."""
    rng = np.random.default_rng(seed)
    network = amodal_network(load_cells("tseng2023")[:4])
    images, geometry, labels, upside_down, cells, parts = [], [], [], [], [], []
    for number in range(count):
        drawn = draw(rng)
        darkness = normalise(drawn.pixels).darkness
        boxes = np.asarray([one.box for one in drawn.truth], np.float32)
        boxes += rng.uniform(0, 6, boxes.shape).astype(np.float32) * np.asarray([-1, -1, 1, 1], np.float32)
        cell = Cell(
            name=f"rendered {number}", source="rendered", case=f"rendered {number}", part="", width=0.0,
            darkness=np.clip(darkness * DARKNESS_SCALE, 0, 255).astype(np.uint8), boxes=boxes,
            labels=np.asarray([CLASSES.index(one.label) for one in drawn.truth], np.int16), masks=(),
        )  # fmt: skip
        cut_out = strips(darkness, masked(cell, network))
        away = np.abs((cut_out.angles - [one.angle_deg for one in drawn.truth] + 180) % 360 - 180)
        images.append(_kept(cut_out.images))
        geometry.append(cut_out.geometry)
        labels.append(cell.labels)
        upside_down.append((away > 90).astype(np.float32))
        cells.append(np.full(len(boxes), number))
        parts.append("validation" if number % 20 == 0 else "train")
    np.savez(
        RUNS / "strips" / "rendered.npz", images=np.concatenate(images), geometry=np.concatenate(geometry),
        labels=np.concatenate(labels), cells=np.concatenate(cells), upside_down=np.concatenate(upside_down),
        parts=np.asarray(parts),
    )  # fmt: skip
    return count


def _kept(images: NDArray[np.float32]) -> NDArray[np.uint8]:
    return np.clip(images * DARKNESS_SCALE, 0, 255).astype(np.uint8)


def main() -> None:
    with ProcessPoolExecutor(CORES) as pool:
        for shard, count in enumerate(pool.map(cut, range(8), [8] * 8)):
            print(f"shard {shard}: {count} cells", flush=True)
    print(f"rendered: {cut_rendered(300, seed=5)} cells", flush=True)


if __name__ == "__main__":
    main()
