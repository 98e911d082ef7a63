"""What many experiments say.

Two settings against each other, an outcome for every cell, the work in portions, and the workers that do it: this
process, several, or a Dask cluster.
"""
