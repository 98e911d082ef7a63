"""What is told in class: named experiments, and the tour, scene by scene."""

from explorer.stories.scenarios import SCENARIOS

__all__ = ["SCENARIOS"]
