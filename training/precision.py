"""Which arithmetic a device is fast in."""

from __future__ import annotations

import torch


def mixed(device: str) -> torch.autocast:
    """Autocast to bfloat16 where the device has it: a processor without it emulates it, eight times slower."""
    native = device == "cuda" or (device == "cpu" and torch.cpu._is_avx512_bf16_supported())
    return torch.autocast(device, dtype=torch.bfloat16, enabled=native)
