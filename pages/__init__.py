"""The Streamlit pages: one file a page, holding all that only this page asks and draws."""
