"""What pages share on screen; Streamlit starts here.

Widgets made from controls, the sidebar, the link, training jobs and the loop that advances them, what is trained ahead, the
live chart, the menu Share, a lecturer's room and speaker's view, the page that phones load, and the entry that describes a page.
"""
