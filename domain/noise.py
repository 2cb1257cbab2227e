"""Noise that hides any one person in published sums (differential privacy), by OpenDP.

Each sum gets noise of the discrete Laplace distribution, sampled exactly from the system's secure
randomness (Canonne, Kamath and Steinke 2020, https://arxiv.org/abs/2004.00010). The privacy loss is
what OpenDP's own map says of the mechanism that is used; nothing here derives it anew.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast


@dataclass(frozen=True, slots=True)
class Mechanism:
    """Adds noise to whole numbers, all of one release at once."""

    release: Callable[[Sequence[int]], list[int]]
    """The numbers with noise: every call is a release of its own, to be paid for anew."""
    scale: float
    """Of the Laplace distribution, in units of the numbers."""

    def margin(self, confidence: float) -> float:
        """How far from its number a released one is at most, in that part of all cases."""
        return -self.scale * math.log(1 - confidence)


def mechanism(sensitivity: int, epsilon: float) -> Mechanism:
    """The mechanism under which releases are `epsilon`-differentially private.

    `sensitivity`: by how much one person changes the numbers, all differences added up (L1).
    """
    # 30 MB of memory and a fifth of a second, spent by a process only once it draws.
    from opendp.domains import atom_domain, vector_domain  # noqa: PLC0415
    from opendp.measurements import make_laplace  # noqa: PLC0415
    from opendp.metrics import l1_distance  # noqa: PLC0415
    from opendp.mod import enable_features  # noqa: PLC0415

    enable_features("contrib")  # what OpenDP calls every mechanism that is not formally vetted yet
    scale = sensitivity / epsilon
    while True:
        made = make_laplace(vector_domain(atom_domain(T="i64")), l1_distance(T="i64"), scale=scale)
        loss = cast(Callable[[int], float], made.map)
        if loss(sensitivity) <= epsilon:
            return Mechanism(made, scale)
        scale = math.nextafter(scale, math.inf)  # the map rounds up
