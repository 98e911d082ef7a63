"""A stranger's words, from a link, a file or another machine, as plain text: no markup in them has an effect.

Those in figures are escaped where figures are drawn: `figures.plain`.
"""

import re
import string

ESCAPES = {ord(mark): f"\\{mark}" for mark in string.punctuation}
# Streamlit makes links, icons and arrows of these after escapes are resolved; an invisible character takes them apart.
MADE_AFTER_ESCAPES = re.compile(r":(?=\S)|@|[<>~-](?=[-=>])|www(?=\.)", re.IGNORECASE)
WORD_JOINER = "\u2060"


def verbatim(words: object, limit: int = 300) -> str:
    r"""Write words as Markdown that shows these very words, cut to `limit`: no link, picture, formula or icon.

    >>> print(verbatim("![x](a)"))
    \!\[x\]\(a\)
    """
    text = str(words)
    cut = text if len(text) <= limit else text[:limit] + "…"
    printable = "".join(character if character.isprintable() else "?" for character in cut)
    return MADE_AFTER_ESCAPES.sub(rf"\g<0>{WORD_JOINER}", printable).translate(ESCAPES)
