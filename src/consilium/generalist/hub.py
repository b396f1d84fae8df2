"""Any encoder of timm or Hugging Face, or any module of PyTorch, through the same protocol (extra `hub`).

Their weights are not Consilium's: what one may do with them, and with models trained on their features, stands in
their licence. Several pathology and multi-modality encoders forbid commercial use or derived models.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from consilium.errors import InputError, MissingExtra, ModelError
from consilium.generalist.encoder import Encoder, Features, Level, Pictures, batches, check_pictures

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)

PREPARATION = 1
"""Version of how pixels become what a module takes, part of the fingerprint."""

Forward = Callable[[Any], tuple[Any, Sequence[Any]]]
"""(N, 3, S, S) normalised tensor -> (N, D) image vectors and (N, C, h, w) maps, finest first."""


@dataclass(frozen=True, kw_only=True)
class Normalisation:
    """What is taken from each channel of 0..1 and what it is divided by."""

    mean: tuple[float, ...] = IMAGENET_MEAN
    std: tuple[float, ...] = IMAGENET_STD


class ModuleEncoder:
    """A module of PyTorch as an `Encoder`; it is told no modality, since it has learnt none.

    Args:
        name: for records.
        module: in whose weights the fingerprint is rooted.
        forward: how the module is asked.
        side: pixels of a side that it does best with.
        multiple: of which every side has to be one.
        normalisation: of its channels.
        batch: pictures at once.
    """

    def __init__(
        self,
        *,
        name: str,
        module: Any,
        forward: Forward,
        side: int,
        multiple: int = 1,
        normalisation: Normalisation | None = None,
        batch: int = 16,
    ) -> None:
        self._name, self._side, self._multiple, self._batch = name, side, multiple, batch
        self._module, self._forward = module.eval(), forward
        self._normalisation = normalisation or Normalisation()
        self._fingerprint = _fingerprint(module, name, self._normalisation)
        image, maps = self._run(np.zeros((1, side, side, 3), np.float32))
        self._dimensions = int(image.shape[1])
        self._levels = tuple(Level(stride=round(side / one.shape[2]), channels=one.shape[1]) for one in maps)

    @property
    def name(self) -> str:
        """As it was asked for."""
        return self._name

    @property
    def fingerprint(self) -> str:
        """Of the weights, the normalisation and `PREPARATION`."""
        return self._fingerprint

    @property
    def side(self) -> int:
        """Pixels of a side that it does best with."""
        return self._side

    @property
    def dimensions(self) -> int:
        """Length of the image vector."""
        return self._dimensions

    @property
    def levels(self) -> tuple[Level, ...]:
        """What maps it gives, finest first."""
        return self._levels

    def embed(self, images: Pictures, modality: str | None = None, *, levels: bool = True) -> Features:
        """The features of some pictures; see `Encoder.embed`. The modality changes nothing here.

        Raises:
            InputError: the pictures have another form, or a side that the module does not take.
            ModelError: the module fails.
        """
        check_pictures(images, multiple=self._multiple)
        vectors: list[NDArray[np.float32]] = [np.empty((0, self._dimensions), np.float32)]
        maps: list[list[NDArray[np.float32]]] = [[] for _ in self._levels]
        for part in batches(len(images), self._batch):
            image, found = self._run(images[part])
            vectors.append(image)
            for kept, one in zip(maps, found, strict=True):
                kept.append(one)
        wanted = levels and len(images) > 0
        return Features(
            image=np.concatenate(vectors), levels=tuple(np.concatenate(one) for one in maps) if wanted else ()
        )

    def _run(self, images: Pictures) -> tuple[NDArray[np.float32], list[NDArray[np.float32]]]:
        import torch

        mean, std = (np.asarray(one, np.float32) for one in (self._normalisation.mean, self._normalisation.std))
        shown = torch.from_numpy(np.ascontiguousarray(((images - mean) / std).transpose(0, 3, 1, 2)))
        try:
            with torch.inference_mode():
                image, maps = self._forward(shown)
        except (RuntimeError, ValueError, AssertionError) as problem:
            raise ModelError(
                f"the encoder failed on pictures of {images.shape[1]} pixels ({_first_line(problem)})",
                where=self._name,
                way_out=f"It does best with {self._side}.",
            ) from problem
        return _array(image), [_array(one) for one in maps]


def hub_encoder(spec: str, *, pretrained: bool = True, **options: Any) -> Encoder:
    """An encoder by the name that its hub gives it.

    Args:
        spec: "timm:NAME" (e.g. "timm:vit_small_patch14_dinov2.lvd142m"), or "hf:NAME" or "hf:FOLDER" for a vision
            model of Hugging Face (e.g. "hf:facebook/dinov2-small").
        pretrained: whether the published weights are fetched; random ones are for tests.
        **options: passed on to `timm.create_model` or, of Hugging Face, to `from_pretrained`.

    Raises:
        InputError: the name is of neither kind.
        MissingExtra: PyTorch, timm or transformers is not installed.
        ModelError: the hub has no such encoder, or its weights cannot be had.
    """
    kind, _, name = spec.partition(":")
    if kind not in ("timm", "hf") or not name:
        raise InputError(
            "there is no such kind of encoder", where=spec, way_out="Write timm:NAME or hf:NAME, e.g. timm:resnet18."
        )
    need_hub("torch", "timm" if kind == "timm" else "transformers")
    try:
        return _timm(name, pretrained, options) if kind == "timm" else _hugging_face(name, options)
    except (MissingExtra, ModelError):
        raise
    except Exception as problem:
        # Hubs raise whatever their network and file layers do.
        raise ModelError(
            f"the encoder cannot be loaded ({_first_line(problem)})",
            where=spec,
            way_out="Check the name and, where weights have to be fetched, the network and the licence.",
        ) from problem


def need_hub(*packages: str) -> None:
    """Says what to install when a package is not there.

    Raises:
        MissingExtra: it is not.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise MissingExtra(
            f"{' and '.join(missing)} is needed for encoders of the hub",
            way_out="Install it: pip install 'consilium[hub]'.",
        )


def _timm(name: str, pretrained: bool, options: dict[str, Any]) -> Encoder:
    import timm

    module = timm.create_model(name, pretrained=pretrained, num_classes=0, **options)
    settings = timm.data.resolve_model_data_config(module)

    def forward(x: Any) -> tuple[Any, list[Any]]:
        found = module.forward_features(x)
        return module.forward_head(found, pre_logits=True), [_as_map(found, getattr(module, "num_prefix_tokens", 0))]

    return ModuleEncoder(
        name=f"timm:{name}", module=module, forward=forward, side=int(settings["input_size"][1]),
        normalisation=Normalisation(mean=tuple(settings["mean"]), std=tuple(settings["std"])),
    )  # fmt: skip


def _hugging_face(name: str, options: dict[str, Any]) -> Encoder:
    from transformers import AutoModel

    whole = AutoModel.from_pretrained(name, **options)
    module = getattr(whole, "vision_model", whole)  # of a pair of image and text encoders the one that sees
    settings = getattr(module, "config", whole.config)
    size = getattr(settings, "image_size", 224)
    side = int(size if isinstance(size, int) else size[0])
    free = {"interpolate_pos_encoding": True} if "interpolate_pos_encoding" in _arguments(module.forward) else {}

    def forward(x: Any) -> tuple[Any, list[Any]]:
        found = module(pixel_values=x, **free)
        last = found.last_hidden_state
        if last.ndim == 4:
            return last.mean((2, 3)), [last]
        patch = int(getattr(settings, "patch_size", 16))
        prefix = last.shape[1] - (x.shape[2] // patch) * (x.shape[3] // patch)
        pooled = getattr(found, "pooler_output", None)
        return (pooled if pooled is not None else last[:, 0]), [_as_map(last, prefix)]

    return ModuleEncoder(
        name=f"hf:{name}", module=module, forward=forward, side=side, normalisation=_stated_normalisation(Path(name))
    )


def _first_line(problem: Exception) -> str:
    lines = str(problem).strip().splitlines()
    return lines[0][:200] if lines else type(problem).__name__


def _arguments(function: Any) -> frozenset[str]:
    from inspect import signature

    return frozenset(signature(function).parameters)


def _stated_normalisation(folder: Path) -> Normalisation:
    """What a local model says of its channels; ImageNet's where it says nothing."""
    import json

    try:
        stated = json.loads((folder / "preprocessor_config.json").read_text(encoding="utf-8"))
        return Normalisation(mean=tuple(stated["image_mean"]), std=tuple(stated["image_std"]))
    except (OSError, ValueError, KeyError, TypeError):
        return Normalisation()


def _as_map(found: Any, prefix: int) -> Any:
    """(N, C, h, w) of a map, or of (N, T, C) tokens without those that stand for no patch."""
    if found.ndim == 4:
        # Some transformers keep their channels last.
        return found.permute(0, 3, 1, 2) if found.shape[1] == found.shape[2] != found.shape[3] else found
    patches = found[:, prefix:]
    side = round(patches.shape[1] ** 0.5)
    return patches.transpose(1, 2).reshape(len(patches), patches.shape[2], side, side)


def _array(tensor: Any) -> NDArray[np.float32]:
    return np.asarray(tensor.float().cpu().numpy(), np.float32)


def _fingerprint(module: Any, name: str, normalisation: Normalisation) -> str:
    digest = hashlib.sha256(f"{PREPARATION} {name} {normalisation}".encode())
    for key, value in sorted(module.state_dict().items()):
        digest.update(key.encode())
        digest.update(np.ascontiguousarray(value.cpu().float().numpy()).tobytes())
    return digest.hexdigest()
