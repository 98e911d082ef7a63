"""Cliff: the loss of a recurrent net of one unit over its two parameters, and what clipping does at its wall."""

from explorer.ui.cliff import show

show()
