"""How results are drawn and told.

The only room that knows Plotly: one theme, the axes, the marks, and one file a figure with its alternative text beside
it. Results in, plain dictionaries out, which `plain.checked` makes figures of Plotly's.
"""
