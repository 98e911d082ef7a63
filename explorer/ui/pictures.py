"""The app's own two pictures, as Streamlit takes them."""

from base64 import b64encode
from pathlib import Path

_HERE = Path(__file__).parent

LOGO = _HERE / "logo.svg"
# A named icon would be fetched from the network; a file would be served anew, and sometimes missed, at every rerun.
FAVICON = "data:image/png;base64," + b64encode((_HERE / "favicon.png").read_bytes()).decode()
