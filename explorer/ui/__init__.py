"""What pages share on screen; Streamlit starts here.

Widgets made from controls, the sidebar, the link, training jobs, the live chart, the row that gives away what is shown.
"""
