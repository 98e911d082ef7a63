"""Why gradients vanish and explode in deep networks, and what cures them.

>>> from explorer import Experiment, train
>>> history = train(Experiment(depth=3, epochs=10))
>>> history.measures["delta"].shape  # runs, records, layers
(8, 11, 4)
"""

from explorer.choices import Experiment, RecurrentExperiment
from explorer.diagnosis import diagnose
from explorer.training import train

__all__ = ["Experiment", "RecurrentExperiment", "diagnose", "train"]
