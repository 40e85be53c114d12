"""The planted kinds: each file declares one, and this list is the registry."""

from jobs.simulation.planted.ban_evasion import BAN_EVASION
from jobs.simulation.planted.content_farm import CONTENT_FARM
from jobs.simulation.planted.copypasta_ring import COPYPASTA_RING
from jobs.simulation.planted.device_farm import DEVICE_FARM
from jobs.simulation.planted.emulator_farm import EMULATOR_FARM
from jobs.simulation.planted.engagement_ring import ENGAGEMENT_RING
from jobs.simulation.planted.false_reporting import FALSE_REPORTING
from jobs.simulation.planted.hijacked_accounts import HIJACKED_ACCOUNTS
from jobs.simulation.planted.kind import PlantedKind
from jobs.simulation.planted.reshare_amplifier import RESHARE_AMPLIFIER
from jobs.simulation.planted.rotating_bot_net import ROTATING_BOT_NET
from jobs.simulation.planted.sign_up_burst import SIGN_UP_BURST
from jobs.simulation.planted.sleeper_network import SLEEPER_NETWORK
from jobs.simulation.planted.spam_link_campaign import SPAM_LINK_CAMPAIGN

PLANTED_KINDS: tuple[PlantedKind, ...] = (
    DEVICE_FARM,
    ROTATING_BOT_NET,
    COPYPASTA_RING,
    ENGAGEMENT_RING,
    SIGN_UP_BURST,
    SLEEPER_NETWORK,
    FALSE_REPORTING,
    RESHARE_AMPLIFIER,
    HIJACKED_ACCOUNTS,
    EMULATOR_FARM,
    SPAM_LINK_CAMPAIGN,
    CONTENT_FARM,
    BAN_EVASION,
)
"""Those on request come last: what is planted before them is the same with them and without."""
