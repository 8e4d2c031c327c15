"""Figures store nothing in a profile: their pages share a few, and save most of the way there."""

import json

import pytest

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
    visits = []

    def start(**options):
        visits.append(visit_in(profiles(options)))
        return visits[-1]

    yield start
    for visit in visits:
        visit.page.close()
