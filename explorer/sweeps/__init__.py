"""What many experiments say.

Two settings against each other, an outcome for every cell, theory's critical line, one experiment at every depth, the cliff
(a net of one unit at every point of a map, and descents on it); and the work, in chunks, done by this process, by several, or by a Dask cluster.
"""
