"""What is told in class.

Named experiments; the tour, scene by scene, in a lecturer's own plan if there is one, and the rooms in which phones vote; the
tutorial's two programs; claims put to the test; challenges to solve; the glossary, and every work that is cited.
"""

from explorer.stories.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
