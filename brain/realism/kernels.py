"""Distances of distributions by kernels: KID's cubic polynomial, and the Gaussian of CMMD."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np

if TYPE_CHECKING:
    from torch import Tensor

#: CMMD's width on vectors of unit length: Jayasumana et al., Rethinking FID, CVPR 2024, arXiv:2401.09603
CMMD_SIGMA = 10.0


class KernelSums:
    """Sums of a kernel over the pairs of parts of two sets, while their tiles stream by.

    A tile's kernel is multiplied by all parts at once, so that a hundred parts cost little more than one.

    Attributes:
        sums: (S,) float64: for each part, of the pairs of its left and its right members
    """

    def __init__(
        self,
        kernel: Literal["cubic", "gaussian"],
        left: np.ndarray,
        right: np.ndarray,
        *,
        size: int,
        left_lengths: np.ndarray,
        right_lengths: np.ndarray,
        sigma: float = CMMD_SIGMA,
    ) -> None:
        """Prepares the sums.

        Args:
            kernel: ``"cubic"``: (x·y / D + 1)³, as KID has it: Bińkowski et al., Demystifying MMD GANs, ICLR 2018;
                ``"gaussian"``: exp(-d² / 2 sigma²) of the vectors brought to unit length, as CMMD has it, less 1: a
                constant falls out of the discrepancy, and beside it float32 would lose what is left
            left, right: (N, S) and (M, S) bool: the members of each part
            size: D, of the vectors
            left_lengths, right_lengths: (N,) and (M,) squared lengths of the vectors, before they were centered
            sigma: width of the Gaussian
        """
        import torch

        self.kernel, self.size, self.sigma = kernel, size, sigma
        self._left, self._right = (torch.from_numpy(np.asarray(each, np.float32)) for each in (left, right))
        self._left_lengths = torch.from_numpy(np.asarray(left_lengths, np.float32))[:, None]
        self._right_lengths = torch.from_numpy(np.asarray(right_lengths, np.float32))[None]
        self.sums = np.zeros(left.shape[1])

    def read(self, rows: slice, columns: slice, squared: Tensor) -> None:
        """Takes a tile; see ``tiles.Reader``."""
        where = squared.device
        left, right = self._left_lengths[rows].to(where), self._right_lengths[:, columns].to(where)
        # 2 x·y = |x|² + |y|² - d²: centering changes the lengths, and no distance. In place: a tile is large
        if self.kernel == "cubic":
            scale = 1 / (2 * self.size)
            values = (left * scale + 1).sub(squared, alpha=scale).add_(right * scale).pow_(3)
        else:
            inverse = [each.sqrt().clamp_min(1e-6).reciprocal() for each in (left, right)]
            values = left.sub(squared).add_(right).mul_(inverse[0] / (2 * self.sigma**2)).mul_(inverse[1])
            values = values.sub_(1 / self.sigma**2).exp_().sub_(1)
        products = values @ self._right[columns].to(where)
        self.sums += (products * self._left[rows].to(where)).double().sum(0).cpu().numpy()


def own_values(kernel: Literal["cubic", "gaussian"], lengths: np.ndarray, size: int) -> np.ndarray:
    """Returns the kernel of each vector with itself: (N,) float64.

    Args:
        kernel: as for ``KernelSums``
        lengths: (N,) squared lengths of the vectors as they were given
        size: D
    """
    lengths = np.asarray(lengths, np.float64)
    return (lengths / size + 1) ** 3 if kernel == "cubic" else np.zeros_like(lengths)


def mmd2_of_sums(
    within_left: np.ndarray,
    within_right: np.ndarray,
    across: np.ndarray,
    n_left: np.ndarray | int,
    n_right: np.ndarray | int,
) -> np.ndarray:
    """Returns the unbiased squared maximum mean discrepancy: around 0 for two draws of one distribution.

    Gretton et al., JMLR 13 (2012), equation 3.

    Args:
        within_left, within_right: sums of the kernel over the ordered pairs of different members
        across: sum over the pairs of either side
        n_left, n_right: members, at least 2 of each
    """
    return np.asarray(
        within_left / (n_left * (n_left - 1))
        + within_right / (n_right * (n_right - 1))
        - 2 * across / (n_left * n_right)
    )
