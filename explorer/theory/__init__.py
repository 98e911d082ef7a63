"""What is known before any training.

Gaussian moments of an activation, mean field and its corrections for finite width, the prediction layer by layer, products
of random factors, and what the gates of a recurrent net keep.
"""

from explorer.theory.prediction import predict

__all__ = ["predict"]
