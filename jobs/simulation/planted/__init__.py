"""The planted kinds: each file declares one, and this list is the registry."""

from jobs.simulation.planted.copypasta_ring import COPYPASTA_RING
from jobs.simulation.planted.device_farm import DEVICE_FARM
from jobs.simulation.planted.kind import PlantedKind
from jobs.simulation.planted.rotating_bot_net import ROTATING_BOT_NET

KINDS: tuple[PlantedKind, ...] = (
    DEVICE_FARM,
    ROTATING_BOT_NET,
    COPYPASTA_RING,
)
