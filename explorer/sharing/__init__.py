"""What can be taken away.

Experiments, plans and answers to challenges as JSON, which can be read again; tables as CSV; the lines of a notebook; offline
pages and hand-outs; the code behind a figure, and the textbook's version of a net.
"""
