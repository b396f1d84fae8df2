"""Cut the strips the classifier is trained on: `python -m training.strips` (after training.amodal).

The masks are the amodal network's own, from the true boxes, so that the classifier is trained on what it will
meet. One file a shard of cells in `runs/strips/`.
"""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor

import cv2
import numpy as np
import torch

from consilium.karyotype.amodal import mask_crops, masks_from_logits
from consilium.karyotype.metaphase import Instance
from consilium.karyotype.strip import strips
from training.cells import DARKNESS_SCALE, RUNS, Cell, load_cells
from training.networks import AmodalMask


def masked(cell: Cell, network: AmodalMask) -> list[Instance]:
    """The objects of a cell, true boxes, predicted masks."""
    darkness = cell.darkness.astype(np.float32) / DARKNESS_SCALE
    with torch.no_grad(), torch.autocast("cpu", dtype=torch.bfloat16):
        logits = network(torch.from_numpy(mask_crops(darkness, cell.boxes))).float().numpy()[:, 0]
    found = masks_from_logits(logits, cell.boxes, darkness.shape)
    return [
        Instance(box=tuple(map(float, box)), mask=mask, origin=origin, score=1.0)
        for box, (mask, origin) in zip(cell.boxes, found, strict=True)
    ]


def cut(shard: int, shards: int) -> int:
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    network = AmodalMask().eval()
    network.load_state_dict(torch.load(RUNS / "amodal.pt", weights_only=True)["network"])
    network = network.to(memory_format=torch.channels_last)
    images, geometry, labels, cells, names, parts = [], [], [], [], [], []
    for number, cell in enumerate(load_cells("tseng2023")):
        if number % shards != shard or len(cell.boxes) == 0:
            continue
        cut_out = strips(cell.darkness.astype(np.float32) / DARKNESS_SCALE, masked(cell, network))
        images.append(np.clip(cut_out.images * (DARKNESS_SCALE,), 0, 255).astype(np.uint8))
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


def main() -> None:
    with ProcessPoolExecutor(2) as pool:
        for shard, count in enumerate(pool.map(cut, range(8), [8] * 8)):
            print(f"shard {shard}: {count} cells", flush=True)


if __name__ == "__main__":
    main()
