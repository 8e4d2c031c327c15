"""Figures store nothing in a profile: their pages share a few, and save most of the way there."""

import json

import pytest

from convbook.widgets import heart_explorer
from convbook.widgets.heart_film import draw_film
from helpers.visits import visit_in


@pytest.fixture(scope="session")
def profiles(browser):
    """A function that returns the profile with these options: one, however often it is asked."""
    kept = {}

    def profile(options):
        key = json.dumps(options, sort_keys=True)
        if key not in kept:
            kept[key] = browser.new_context(**options)
        return kept[key]

    yield profile
    for context in kept.values():
        context.close()


@pytest.fixture
def open_page(profiles):
    """A function that opens a blank page and returns its Visit; the options are a profile's."""
    yield from opened_in(profiles)


@pytest.fixture(scope="module")
def open_for_all(profiles):
    """The same, for a page that several tests of a file read, and none of them changes."""
    yield from opened_in(profiles)


def opened_in(profiles):
    """Yield a function that opens pages in the profiles; close them afterwards."""
    visits = []

    def start(**options):
        visits.append(visit_in(profiles(options)))
        return visits[-1]

    yield start
    for visit in visits:
        visit.page.close()


@pytest.fixture(scope="session", autouse=True)
def each_beat_is_drawn_once():
    films = {}

    def once(person):
        key = repr(person)  # says all that there is to a person
        if key not in films:
            films[key] = draw_film(person)
        return films[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(heart_explorer, "draw_film", once)
        yield
