"""The networks, as PyTorch modules (shapes are those of the ONNX files they end in)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from consilium.karyotype.rescore import RELATIONS


def conv(inputs: int, outputs: int, *, stride: int = 1, kernel: int = 3, dilation: int = 1) -> nn.Sequential:
    """Convolution, batch normalisation, ReLU."""
    pad = dilation * (kernel - 1) // 2
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, pad, dilation, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """The basic block of ResNet (He et al. 2016)."""

    def __init__(self, inputs: int, outputs: int, *, stride: int = 1, dilation: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, dilation, dilation, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, dilation, dilation, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inputs != outputs:
            self.shortcut = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.bn1(self.conv1(x)), inplace=True)
        return functional.relu(self.bn2(self.conv2(y)) + self.shortcut(x), inplace=True)


class SecondLook(nn.Module):
    """A crop and its box -> the whole chromosome the box belongs to, and what the box is worth.

    The dense detector sees much at once; here each proposal is looked at by itself, at a finer scale (Cascade
    R-CNN, Cai and Vasconcelos 2018; Mask Scoring R-CNN, Huang et al. 2019).

    Input (N, 2, 64, 64): darkness, and 1 inside the box. Outputs: mask logits (N, 1, 64, 64), crossings included;
    quality logits (N,), the box's intersection over union with a true one; shifts (N, 4) of the four sides, as
    parts of the longer side.
    """

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(2, 16)
        self.down1 = nn.Sequential(conv(16, 32, stride=2), Residual(32, 32))
        self.down2 = nn.Sequential(conv(32, 64, stride=2), Residual(64, 64), Residual(64, 64))
        self.down3 = nn.Sequential(conv(64, 96, stride=2), Residual(96, 96), Residual(96, 96, dilation=2))
        self.up2 = conv(96 + 64, 64)
        self.up1 = conv(64 + 32, 32)
        self.up0 = conv(32 + 16, 16)
        self.out = nn.Conv2d(16, 1, 1)
        self.whole = nn.Sequential(
            conv(96 + 32, 96, stride=2), nn.Flatten(), nn.Linear(96 * 16, 128), nn.ReLU(inplace=True),
            nn.Linear(128, 64), nn.ReLU(inplace=True),
        )  # fmt: skip
        self.quality = nn.Linear(64, 1)
        self.shifts = nn.Linear(64, 4)
        nn.init.zeros_(self.shifts.weight)
        nn.init.zeros_(self.shifts.bias)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        s0 = self.stem(x)
        s1 = self.down1(s0)
        s2 = self.down2(s1)
        s3 = self.down3(s2)
        y2 = self.up2(torch.cat([double(s3), s2], 1))
        y1 = self.up1(torch.cat([double(y2), s1], 1))
        mask = self.out(self.up0(torch.cat([double(y1), s0], 1)))
        # What the mask took in is the better half of what the box is worth.
        features = self.whole(torch.cat([s3, functional.avg_pool2d(y1, 4)], 1))
        return mask, self.quality(features)[:, 0], self.shifts(features)


class Rescorer(nn.Module):
    """An object among the others -> by how much its worth, by its own looks, is too low or too high.

    The layers up to the shrinking are those of `SecondLook`, which it starts from; two channels are new.

    Input: crops (N, 4, 96, 96) and relations (N, 13), see `karyotype.rescore`. Output (N,): log-odds that the object is
    one whole chromosome which no other object is.
    """

    def __init__(self, relations: int = RELATIONS) -> None:
        super().__init__()
        self.stem = conv(4, 16)
        self.down1 = nn.Sequential(conv(16, 32, stride=2), Residual(32, 32))
        self.down2 = nn.Sequential(conv(32, 64, stride=2), Residual(64, 64), Residual(64, 64))
        self.down3 = nn.Sequential(conv(64, 96, stride=2), Residual(96, 96), Residual(96, 96, dilation=2))
        self.whole = nn.Sequential(
            conv(96, 96, stride=2), nn.Flatten(), nn.Dropout(0.2), nn.Linear(96 * 36, 128), nn.ReLU(inplace=True)
        )
        self.level = nn.BatchNorm1d(relations)
        self.odds = nn.Sequential(
            nn.Linear(128 + relations, 96), nn.ReLU(inplace=True), nn.Dropout(0.2), nn.Linear(96, 1)
        )

    def start_from(self, second: SecondLook) -> None:
        """Take over what the second look knows of darkness and box."""
        with torch.no_grad():
            self.stem[0].weight.zero_()
            self.stem[0].weight[:, :2] = second.stem[0].weight
        self.stem[1].load_state_dict(second.stem[1].state_dict())
        for name in ("down1", "down2", "down3"):
            getattr(self, name).load_state_dict(getattr(second, name).state_dict())

    def forward(self, crops: Tensor, relations: Tensor) -> Tensor:
        seen = self.whole(self.down3(self.down2(self.down1(self.stem(crops)))))
        return relations[:, 0] + self.odds(torch.cat([seen, self.level(relations)], 1))[:, 0]


def double(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class FoldedBlock(nn.Module):
    """A ResNet basic block whose batch normalisation is folded into its convolutions."""

    def __init__(self, inputs: int, outputs: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.downsample: nn.Module = nn.Identity()
        if stride != 1:
            self.downsample = nn.Sequential(nn.Conv2d(inputs, outputs, 1, stride))

    def forward(self, x: Tensor) -> Tensor:
        y = functional.relu(self.conv1(x), inplace=True)
        return functional.relu(self.conv2(y) + self.downsample(x), inplace=True)


class Detector(nn.Module):
    """Dense, anchor-free, one-to-one: each chromosome is reported at one place of its own body.

    Chromosomes that cross share a centre and nearly a box, so neither a centre heat map nor box
    non-maximum suppression can tell them apart; a one-to-one score (Wang et al. 2024, YOLOv10) can, because
    it is learnt where the two differ. A one-to-many score trains the same features densely.

    Input (N, 1, H, W) darkness at `find.REDUCTION` of the nominal size, H and W multiples of 32. Output at stride 4:
    scores (N, 2, H/4, W/4) logits (one-to-many, one-to-one), distances (N, 4, H/4, W/4) from the cell's
    centre to the left, top, right and bottom of the box, in input pixels. `learn` gives class logits (N, 24, H/4, W/4)
    too: what is half of one chromosome and half of another is of no class, so whoever learns the classes learns what
    is whole. They do not ship: the classifier reads strips, at full size.
    """

    def __init__(self, width: int = 96) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 64, 7, 2, 3)
        self.layer1 = nn.Sequential(FoldedBlock(64, 64), FoldedBlock(64, 64))
        self.layer2 = nn.Sequential(FoldedBlock(64, 128, 2), FoldedBlock(128, 128))
        self.layer3 = nn.Sequential(FoldedBlock(128, 256, 2), FoldedBlock(256, 256))
        self.layer4 = nn.Sequential(conv(256, 128, stride=2), Residual(128, 128))
        self.lateral4 = nn.Conv2d(128, width, 1)
        self.lateral3 = nn.Conv2d(256, width, 1)
        self.lateral2 = nn.Conv2d(128, width, 1)
        self.lateral1 = nn.Conv2d(64, width, 1)
        self.smooth3 = conv(width, width)
        self.smooth2 = conv(width, width)
        self.smooth1 = conv(width, width)
        self.tower = nn.Sequential(conv(width, width), conv(width, width))
        self.many = nn.Conv2d(width, 1, 1)
        self.one = nn.Sequential(conv(width, width), nn.Conv2d(width, 1, 1))
        self.distances = nn.Conv2d(width, 4, 1)
        self.classes = nn.Sequential(conv(width, width), nn.Conv2d(width, 24, 1))
        for layer in (self.many, self.one[-1]):
            nn.init.constant_(layer.bias, -4.0)
        nn.init.constant_(self.distances.bias, 1.4)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return self._boxes(self._features(x))

    def learn(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """As `forward`, and the classes."""
        p1 = self._features(x)
        return *self._boxes(p1), self.classes(p1)

    def _boxes(self, p1: Tensor) -> tuple[Tensor, Tensor]:
        scores = torch.cat([self.many(p1), self.one(p1)], 1)
        return scores, self.distances(p1).float().clamp(-4, 5).exp() * 4

    def _features(self, x: Tensor) -> Tensor:
        x = (0.55 - 0.8 * x) / 0.225  # the grey levels the ImageNet weights expect
        x = functional.max_pool2d(functional.relu(self.conv1(x), inplace=True), 3, 2, 1)
        c1 = self.layer1(x)
        c2 = self.layer2(c1)
        c3 = self.layer3(c2)
        p4 = self.lateral4(self.layer4(c3))
        p3 = self.smooth3(self.lateral3(c3) + double(p4))
        p2 = self.smooth2(self.lateral2(c2) + double(p3))
        p1: Tensor = self.tower(self.smooth1(self.lateral1(c1) + double(p2)))
        return p1


class Comparison(nn.Module):
    """One transformer layer (normalisation first); PyTorch's own does not export for cells of any size."""

    def __init__(self, width: int, heads: int = 4, dropout: float = 0.1) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.think = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Dropout(dropout), nn.Linear(2 * width, width)
        )

    def forward(self, x: Tensor, absent: Tensor | None) -> Tensor:
        """(cells, objects, width); `absent` (cells, objects), True for padding."""
        q, k, v = (
            part.unflatten(-1, (self.heads, -1)).transpose(1, 2) for part in self.mix(self.norm1(x)).chunk(3, -1)
        )
        weights = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        if absent is not None:
            weights = weights.masked_fill(absent[:, None, None, :], -1e4)
        weights = functional.dropout(weights.softmax(-1), self.dropout, self.training)
        x = x + self.out((weights @ v).transpose(1, 2).flatten(2))
        return x + functional.dropout(self.think(self.norm2(x)), self.dropout, self.training)


class Classifier(nn.Module):
    """Strips of one cell -> the 24 classes, each chromosome seen among the others.

    A convolutional network reads each strip; a transformer (Vaswani et al. 2017) then lets the objects of the
    cell compare themselves (KaryoNet, Xia et al. 2023): size and stain are relative, and most come in pairs.

    Input: strips (N, 2, 128, 24), geometry (N, 7). Output: class logits (N, 24) with context, class logits
    (N, 24) of the strip alone, upside-down logits (N,).
    """

    def __init__(self, token: int = 128) -> None:
        super().__init__()
        self.strip = nn.Sequential(
            conv(2, 24), conv(24, 40, stride=2), Residual(40, 40), conv(40, 80, stride=2), Residual(80, 80),
            Residual(80, 80), conv(80, 128, stride=2), Residual(128, 128),
        )  # fmt: skip
        # Rows stay apart: where a band lies along the chromosome is what names it.
        self.flatten = nn.Sequential(nn.Linear(128 * 16, 192), nn.BatchNorm1d(192), nn.ReLU(), nn.Dropout(0.2))
        self.alone = nn.Linear(192, 24)
        self.upside_down = nn.Linear(192, 1)
        self.embed = nn.Linear(192 + 24 + 7, token)
        self.context = nn.ModuleList(Comparison(token) for _ in range(3))
        self.together = nn.Linear(token, 24)

    def read(self, strips: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(N, 2, 128, 24) -> features (N, 192), class logits (N, 24), upside-down logits (N,)."""
        f = self.flatten(self.strip(strips).mean(3).flatten(1).float())
        return f, self.alone(f), self.upside_down(f)[:, 0]

    def compare(self, features: Tensor, alone: Tensor, geometry: Tensor, absent: Tensor | None = None) -> Tensor:
        """(cells, objects, ...) -> class logits (cells, objects, 24); `absent` (cells, objects) True is padding."""
        token = self.embed(torch.cat([features, alone.log_softmax(-1) / 4, geometry], -1))
        for layer in self.context:
            token = layer(token, absent)
        return alone + self.together(token)

    def forward(self, strips: Tensor, geometry: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        features, alone, upside_down = self.read(strips)
        return self.compare(features[None], alone[None], geometry[None])[0], alone, upside_down


class Structure(nn.Module):
    """A chromosome, its homologue and its class -> is it rearranged, where are the breaks, of which kind.

    Both strips go through the same trunk; every row of the chromosome looks for its like in the homologue
    (Vaswani et al. 2017), so that a difference in contraction is no difference in bands. The class tells what bands
    to expect where there is no homologue.

    Input: own (N, 2, 128, 24) and other (N, 2, 128, 24) darkness and cover, short arm up; paired (N,) 1 where there is
    a homologue; label (N,) index into CLASSES. Outputs: rearranged logits (N,); breaks (N, 64) logits of pairs of
    rows; kinds (N, 4) logits of loss, gain, inversion, exchange.
    """

    def __init__(self, channels: int = 64) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            conv(3, 24, stride=2), nn.MaxPool2d((1, 2)), Residual(24, 32), nn.MaxPool2d((1, 2)), Residual(32, channels)
        )
        self.class_of = nn.Embedding(24, channels)
        self.query, self.key = nn.Conv1d(channels, 32, 1), nn.Conv1d(channels, 32, 1)
        self.merge = nn.Conv1d(3 * channels + 1, channels, 1)
        self.expect = nn.Embedding(24, channels * 64 // 4)
        self.expect_in = nn.Conv1d(channels // 4 + channels, channels, 1)
        self.blocks = nn.ModuleList([RowBlock(channels, dilation) for dilation in (1, 2, 4, 8, 1)])
        self.breaks = nn.Conv1d(channels, 1, 1)
        self.out = nn.Sequential(nn.Linear(2 * channels, 96), nn.ReLU(inplace=True), nn.Linear(96, 5))

    def rows(self, strip: Tensor) -> Tensor:
        place = torch.linspace(-1, 1, strip.shape[2], device=strip.device)[None, None, :, None]
        return self.trunk(torch.cat([strip, place.expand_as(strip[:, :1])], 1)).mean(3)

    def forward(self, own: Tensor, other: Tensor, paired: Tensor, label: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        mine, theirs = self.rows(own), self.rows(other)
        similar = torch.einsum("ncr,ncs->nrs", self.query(mine), self.key(theirs)) / 32**0.5
        found = torch.einsum("nrs,ncs->ncr", similar.softmax(2), theirs) * paired[:, None, None]
        known = paired[:, None, None].expand(-1, 1, mine.shape[2])
        x = self.merge(torch.cat([mine, found, (mine - found) * paired[:, None, None], known], 1))
        expected = self.expect(label).unflatten(1, (-1, 64))
        x = self.expect_in(torch.cat([x, expected], 1)) + self.class_of(label)[:, :, None]
        for block in self.blocks:
            x = block(x)
        out = self.out(torch.cat([x.mean(2), x.amax(2)], 1))
        return out[:, 0], self.breaks(x)[:, 0], out[:, 1:]


class RowBlock(nn.Module):
    """A residual block along the rows of a strip."""

    def __init__(self, channels: int, dilation: int) -> None:
        super().__init__()
        self.inner = nn.Sequential(
            nn.Conv1d(channels, channels, 5, 1, 2 * dilation, dilation, bias=False), nn.BatchNorm1d(channels),
            nn.ReLU(inplace=True), nn.Conv1d(channels, channels, 1, bias=False), nn.BatchNorm1d(channels),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return functional.relu(x + self.inner(x))
