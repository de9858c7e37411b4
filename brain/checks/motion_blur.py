"""Whether the whole picture is smeared along one direction, and which one, and how far."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, ClassVar

from loupe.brain.core.records import Output, Scores, Threshold
from loupe.brain.core.specs import Check
from loupe.brain.imaging.ragged import AnyBatch, Part

if TYPE_CHECKING:
    from torch import Tensor

_LONG_SIDE = 320
#: of the spectrum, in pixels: half of that
_SIDE = _LONG_SIDE // 2
#: pixels along the short side, below which a spectrum has too few frequencies a direction
_MIN_SIDE = 64
#: pixels along the long side, below which fine detail looks like a direction: of 100 clean photos that are scaled down
#: to 96, 128 and 224 along it, 9, 3 and 1 are flagged
_MIN_LONG_SIDE = 128
_TOO_SMALL = f"too small to judge motion blur: less than {_MIN_LONG_SIDE} x {_MIN_SIDE} pixels"
#: standard deviation of the luma below which rounding outweighs the picture: two gray levels
_MIN_SPREAD = 2 / 255
_DIRECTIONS = 12
#: frequencies in cycles a pixel: the fine ones, which a smear removes, and the coarse ones, which it leaves
_FINE, _COARSE = (0.16, 0.5), (0.02, 0.064)
#: how much of the coarse frequencies' own difference is taken off: stripes have one without being smeared
_OWN = 0.5
_RINGS = 48
#: in pixels
_LENGTHS = tuple(1 + step / 4 for step in range(97))
#: nats below which nothing is smeared: its length is 0
_MIN_LOSS = 2.0


@lru_cache(maxsize=4)
def _frequencies(device: str) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Returns x and y of the frequencies of ``spectrum`` in cycles a pixel, which of them count, and weights.

    The (K,) indices are those of the fine and the coarse frequencies. The (12, K) weights say what each of their log
    powers counts in the sector's mean of the coarse frequencies times ``_OWN``, less its mean of the fine ones. Sectors
    are equal parts of 180 degrees, counterclockwise, the first one around horizontal.
    """
    import torch

    y = torch.fft.fftfreq(_SIDE)[:, None].expand(_SIDE, _SIDE // 2 + 1)
    x = torch.fft.rfftfreq(_SIDE)[None].expand(_SIDE, _SIDE // 2 + 1)
    degrees = torch.rad2deg(torch.atan2(-y, x)) % 180
    sector = ((degrees / (180 / _DIRECTIONS)).round().long() % _DIRECTIONS).flatten()
    radius = torch.hypot(x, y).flatten()
    weights = torch.zeros(_DIRECTIONS, len(radius))
    for band, share in ((_COARSE, _OWN), (_FINE, -1.0)):
        inside = (radius >= band[0]) & (radius < band[1])
        for row in range(_DIRECTIONS):
            own = inside & (sector == row)
            weights[row, own] = share / int(own.sum())
    used = weights.any(0).nonzero()[:, 0]
    return x.to(device), y.to(device), used.to(device), weights[:, used].contiguous().to(device)


@dataclass(frozen=True)
class _Fit:
    """What lengths along one direction are fitted with.

    Attributes:
        inside: (K,) which frequencies count
        ring, along: (K,) the bins of their distances from the origin, and of those along the direction
        ring_counts, along_counts: (48,) how many there are in each bin, at least 1
        models: (97, 48) what each length makes of each bin along the direction, scaled so that products compare
    """

    inside: Tensor
    ring: Tensor
    along: Tensor
    ring_counts: Tensor
    along_counts: Tensor
    models: Tensor


@lru_cache(maxsize=64)
def _fit(degrees: float, device: str) -> _Fit:
    import torch

    x, y, _, _ = _frequencies(device)
    angle = math.radians(degrees)
    radius, along = torch.hypot(x, y), (x * math.cos(angle) - y * math.sin(angle)).abs()
    inside = ((radius > 0.02) & (radius < 0.45)).flatten().nonzero()[:, 0]
    ring, place = (
        (distance.flatten()[inside] * 2 * _RINGS).long().clamp(0, _RINGS - 1) for distance in (radius, along)
    )
    counts, weights = (torch.bincount(bins, minlength=_RINGS).float() for bins in (ring, place))
    frequency = (torch.arange(_RINGS, device=device) + 0.5) / (2 * _RINGS)
    models = (torch.sinc(frequency * torch.tensor(_LENGTHS, device=device)[:, None]).square() + 0.02).log()
    models -= (models * weights).sum(-1, keepdim=True) / weights.sum()
    models *= weights / (weights * models.square()).sum(-1, keepdim=True).sqrt()
    return _Fit(inside, ring, place, counts.clamp_min(1), weights.clamp_min(1), models)


@lru_cache(maxsize=2 * _SIDE)
def _window(side: int, device: str) -> Tensor:
    import torch

    return torch.hann_window(side, periodic=False, device=device)


def framed(luma: Tensor) -> Tensor:
    """Returns pictures less their mean, under a Hann window, filled up with zeros: (..., 160, 160) float32.

    Whatever the shapes of pictures are, their spectra have the same frequencies then.

    Args:
        luma: (..., H, W) in [0, 1], H and W at most 160
    """
    from torch.nn.functional import pad

    height, width = luma.shape[-2:]
    device = str(luma.device)
    shown = (luma - luma.mean((-2, -1), keepdim=True)).mul_(_window(height, device)[:, None])
    return pad(shown.mul_(_window(width, device)), (0, _SIDE - width, 0, _SIDE - height))


def spectrum(frames: Tensor) -> Tensor:
    """Returns the power of each frequency of ``rfft2``: (..., 160, 81) float32.

    Args:
        frames: (..., 160, 160), see ``framed``
    """
    import torch

    spectra = torch.fft.rfft2(frames)
    return spectra.real.square().add_(spectra.imag.square())


def _log(power: Tensor) -> Tensor:
    return power.add(1e-9).log_()


def directional_loss(power: Tensor) -> Tensor:
    """Returns how much fine detail each direction lacks against the one across it: (..., 12) float32 in nats.

    The mean log power of the fine frequencies of a sector, less that of the sector across it, less half of the same of
    the coarse frequencies, with the sign turned: a smear along a direction divides the power of the fine frequencies
    along it by a large number, and leaves the coarse ones and those across it as they are.

    Args:
        power: (..., 160, 81), see ``spectrum``
    """
    import torch

    _, _, used, weights = _frequencies(str(power.device))
    rows = _log(power.flatten(-2).index_select(-1, used))
    # one product a picture: a product of matrices rounds by how many there are
    means = torch.stack([weights @ row for row in rows.reshape(-1, len(used))]).reshape(*rows.shape[:-1], -1)
    return means - means.roll(_DIRECTIONS // 2, -1)


def smear_length(power: Tensor, degrees: float) -> float:
    """Returns the length of the smear along a direction that fits the spectrum best, in pixels, in [1, 25].

    A smear of L pixels multiplies the power at the frequency f along it by sinc²(f L). What the picture itself has at a
    distance from the origin, whatever the direction, is taken off first.

    Args:
        power: (160, 81), see ``spectrum``
        degrees: counterclockwise from horizontal
    """
    import torch

    fit = _fit(degrees, str(power.device))
    values = _log(power.take(fit.inside))
    own = torch.bincount(fit.ring, values, _RINGS) / fit.ring_counts
    profile = torch.bincount(fit.along, values - own[fit.ring], _RINGS) / fit.along_counts
    # the models are centered, so that the profile need not be
    return _LENGTHS[int((fit.models @ profile.to(fit.models)).argmax())]


@dataclass(frozen=True)
class MotionBlur(Check):
    """Motion blur: whether the picture is smeared along one direction.

    From the power spectrum of means of 2 x 2 pixels, at a long side of at most 320. Smears of less than 2 % of the long
    side are too short for it. It is a figure of the whole picture: one moving thing
    before a sharp background is not judged by it. A picture that is full of fine parallel lines, such as a page of
    ruled paper, looks smeared to it.
    """

    name: ClassVar[str] = "motion_blur"
    version: ClassVar[int] = 6
    reference: ClassVar[str] = "The sinc of a smear in the power spectrum, after Cannon, IEEE Trans. ASSP 24 (1976)"
    license: ClassVar[str] = "Apache-2.0"
    long_side: ClassVar[int | None] = _LONG_SIDE
    presets: ClassVar[tuple[str, ...]] = ("photos",)  # a camera shakes
    cost: ClassVar[float] = 1.7
    stateless: ClassVar[bool] = True
    ragged: ClassVar[bool] = True
    outputs: ClassVar[tuple[Output, ...]] = (
        Output(
            name="motion_blur",
            unit="nats",
            higher_is_better=False,
            bounds=(-100.0, 100.0),
            description="How much fine detail is missing along one direction, against the one across it.",
            default_threshold=Threshold(">", 2.8, provenance="flags 1 of 100 clean ImageNet photos"),
            failure="motion_blur",
        ),
        Output(
            "motion_angle",
            "degrees counterclockwise from horizontal",
            None,
            (0.0, 180.0),
            "The direction that lacks most; that of the smear where motion_blur is high.",
        ),
        Output(
            "motion_length",
            "share of the long side",
            False,
            (0.0, 1.0),
            "The length of the smear that fits best, 0 where there is none.",
        ),
    )

    def load(self, device: str) -> Callable[[AnyBatch], Scores]:
        import torch

        # means of 2 x 2: what is finer is noise, and says less of a smear
        def frames(batch: Part) -> Tensor:
            small = batch.luma.at(_LONG_SIDE)
            if min(small.shape) < _MIN_SIDE or max(small.shape) < _MIN_LONG_SIDE:
                return torch.full((len(batch), _SIDE, _SIDE), torch.nan, device=batch.device)
            return framed(small.halves)

        def measures(batch: Part) -> Tensor:
            """(N, 2): the variance and the long side."""
            halves = batch.luma.at(_LONG_SIDE).halves
            variance = halves.square().mean((1, 2)) - halves.mean((1, 2)).square()
            return torch.stack((variance, torch.full_like(variance, max(halves.shape[-2:]))), 1)

        def score(batch: AnyBatch) -> Scores:
            power = spectrum(batch.each(frames))
            variance, side = batch.each(measures).unbind(1)
            loss, strongest = directional_loss(power).max(-1)
            angle = strongest * (180 / _DIRECTIONS)
            length = torch.zeros_like(loss)
            smeared = (loss >= _MIN_LOSS).nonzero()[:, 0]
            if len(smeared):
                # the few that look smeared are fitted on the CPU: a device adds their bins up in any order
                facts = zip(power[smeared].cpu(), angle[smeared].tolist(), strict=True)
                lengths = torch.tensor([smear_length(of_it, degrees) for of_it, degrees in facts])
                length[smeared] = side[smeared].reciprocal() * lengths.to(length.device)
            small = loss.isnan()
            unknown = small | (variance < _MIN_SPREAD**2)
            values = [scores.masked_fill(unknown, torch.nan) for scores in (loss, angle, length)]
            reasons = tuple(
                None if not is_unknown else _TOO_SMALL if is_small else "too plain to judge motion blur"
                for is_unknown, is_small in zip(unknown.tolist(), small.tolist(), strict=True)
            )
            names = [output.name for output in self.outputs]
            return Scores(dict(zip(names, values, strict=True)), reasons if any(reasons) else ())

        return score
