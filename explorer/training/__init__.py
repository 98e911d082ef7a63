"""How an experiment becomes a history.

The two networks, of layers and of time steps, with their backward passes, in NumPy and in compiled kernels; what is measured
of them and when; a run that can be advanced a slice at a time; the gradient at the start for all depths at once; what a
trained net answers; what all this will cost.
"""

from explorer.training.history import History
from explorer.training.measures import DIAGNOSTICS
from explorer.training.run import train

__all__ = ["DIAGNOSTICS", "History", "train"]
