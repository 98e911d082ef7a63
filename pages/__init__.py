"""The table of pages, in the order of the menu: a page is one file here and one line below."""

from explorer.ui.page import Page
from pages import (
    cliff_page,
    depth_page,
    explore_page,
    glossary_page,
    homework_page,
    plan_page,
    remedies_page,
    sweep_page,
    time_page,
    tour_page,
    tutorial_page,
    walk_page,
)

PAGES: tuple[Page, ...] = (
    explore_page.PAGE,
    tour_page.PAGE,
    plan_page.PAGE,
    walk_page.PAGE,
    remedies_page.PAGE,
    depth_page.PAGE,
    sweep_page.PAGE,
    time_page.PAGE,
    cliff_page.PAGE,
    tutorial_page.PAGE,
    homework_page.PAGE,
    glossary_page.PAGE,
)
