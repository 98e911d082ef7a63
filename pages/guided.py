"""Tour: the whole story in scenes, each a question to the room, an answer and a live figure."""

from explorer.ui.tour import show

show()
