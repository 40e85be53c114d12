"""Mass false reporting: a group reports the same person again and again to silence them.

Modelled on what Meta's adversarial threat reports call mass reporting (2021): the same targets
within minutes, from people's own phones. The targets are the victims.
"""

from jobs.simulation.actions import Event
from jobs.simulation.network import Aim, Tactic
from jobs.simulation.planted.kind import PlantedKind

FALSE_REPORTING = PlantedKind(
    name="false_reporting",
    share=0.0015,
    tactics=(
        Tactic(Event.REPORT, Aim.CLIENT, window_s=180, rounds=4, participation=0.7),
        Tactic(Event.COMMENT, Aim.CLIENT_POST, window_s=180, rounds=2, participation=0.5),
    ),
    age_days=(30, 900),
    clients=10,
)
