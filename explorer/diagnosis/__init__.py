"""What a history says.

`diagnose` reads a history once: facts over all seeds, the verdict and its rule, advice, theory and why, in words.
Remedies and what they did, when somebody applies them or `try_remedies` tries them on a few seeds. A close look: one layer's z
through the lens, one sample walked through with its gradient, how far gradients reach in time.
"""

from explorer.diagnosis.diagnose import Diagnosis, diagnose
from explorer.diagnosis.remedies import REMEDIES
from explorer.diagnosis.trials import Tried, try_remedies
from explorer.diagnosis.verdict import VERDICTS

__all__ = ["REMEDIES", "VERDICTS", "Diagnosis", "Tried", "diagnose", "try_remedies"]
