"""Figures as a browser gets them, checked by Plotly's own objects, which tests can also read more easily."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any

from explorer.figures import plain


def _sent(text: str) -> Any:
    """Read a figure's text, without what Plotly itself leaves out, empty lists, or rounds, angles."""
    return json.loads(
        text, object_hook=lambda made: {name: value for name, value in made.items() if name != "angle" and value != []}
    )


def checked(draw: Callable[..., plain.Figure]) -> Callable[..., Any]:
    """Return a function that draws and checks: every property is one of Plotly's, on a narrow screen too, and is sent as it is."""

    @wraps(draw)
    def drawn(*arguments: Any, **options: Any) -> Any:
        figure = draw(*arguments, **options)
        found = plain.checked(figure)
        assert _sent(plain.text(figure)) == _sent(found.to_json())
        layout = figure["layout"]
        plain.checked(figure | {"layout": layout | layout.get("meta", {}).get("narrow", {})})
        return found

    return drawn
