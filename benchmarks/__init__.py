"""Speed as ratios against a textbook NumPy trainer, and against PyTorch where it is installed."""

import os

# Before NumPy is imported: on nets of this size two threads of BLAS are slower than one.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
