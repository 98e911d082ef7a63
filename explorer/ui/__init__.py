"""Streamlit starts here: widgets made from controls, the link, training jobs and export."""
