"""What can be chosen, and the experiments that are made of it.

Every activation, initialization, normalization, task, loss, optimizer, clipping and cell is one entry of a registry that
carries its mathematics and its words; every setting is one field of `Experiment` or `RecurrentExperiment` with a control
that carries its range, its default and its words. Menu, link, check and caption follow from these.
"""

from explorer.choices.activations import ACTIVATIONS
from explorer.choices.clipping import CLIPPERS
from explorer.choices.datasets import DATASETS
from explorer.choices.experiment import Experiment
from explorer.choices.initializers import INITIALIZERS
from explorer.choices.losses import LOSSES
from explorer.choices.normalizations import NORMALIZATIONS
from explorer.choices.optimizers import OPTIMIZERS
from explorer.choices.recurrent_experiment import RecurrentExperiment

__all__ = [
    "ACTIVATIONS",
    "CLIPPERS",
    "DATASETS",
    "INITIALIZERS",
    "LOSSES",
    "NORMALIZATIONS",
    "OPTIMIZERS",
    "Experiment",
    "RecurrentExperiment",
]
