"""What a history says.

Facts over all seeds, the verdict and its rule, advice and remedies and why they worked, in words; how far gradients
reach in time; the cliff of a net of one unit.
"""

from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.verdict import VERDICTS

__all__ = ["REMEDIES", "VERDICTS"]
