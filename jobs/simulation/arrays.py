"""Random streams and the array type that the simulator's parts share."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""A numpy array; its dtype and shape are told where it is declared."""

MICROSECONDS = 1_000_000
HOUR = 3_600 * MICROSECONDS
DAY = 86_400 * MICROSECONDS


def stream(seed: int, *key: int) -> np.random.Generator:
    """The independent random stream of one part of the simulation, the same for the same key."""
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
