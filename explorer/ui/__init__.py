"""What pages share on screen; Streamlit starts here.

Widgets made from controls, the sidebar, the link, training jobs and the loop that advances them, the live chart, the
share row, and the entry that describes a page.
"""
