"""Every page on a telephone, from a server: whole, narrow, light, and quick to answer."""

import gzip
from functools import cache
from statistics import median
from urllib.parse import urlsplit

import pytest

from helpers import ROOT
from helpers.pages import CHAPTERS, PAGES, TELEPHONE, settle
from helpers.whole import assert_no_sideways_scroll, look

LARGEST = 1_000_000  # bytes, each file compressed as a server sends it
WITH_EXPLORERS = [
    name
    for name in CHAPTERS
    if "convbook-widget" in (ROOT / name).with_suffix(".ipynb").read_text(encoding="utf-8")
]
LONGEST = 100  # milliseconds from DOMContentLoaded until the last explorer of the page answers

TIMES = """
() => {
  const loaded = performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd;
  const explorers = [...document.querySelectorAll(".convbook-widget")];
  const ready = explorers.map((place) => Number(place.dataset.ready));
  return { explorers: ready.length, last: Math.max(...ready) - loaded };
}
"""


def times_of_another_visit(name, site_url, open_page):
    """Open a page in a fresh profile and return when its explorers answered."""
    page = open_page(**TELEPHONE).page
    page.goto(f"{site_url}/{name}")
    settle(page)
    return page.evaluate(TIMES)


def weight(responses, site_url):
    """Return the size of each file that a page was sent, compressed, by its path."""
    return {
        urlsplit(response.url).path: compressed(response.body())
        for response in responses
        if response.url.startswith(site_url)
    }


@cache
def compressed(content):
    """Return how many bytes are left of a file; most of them come with every page."""
    return len(gzip.compress(content, mtime=0))


@pytest.mark.parametrize("name", PAGES)
def test_page_is_whole_and_light_and_answers_at_once(name, site_url, open_page, record_property):
    responses = []
    seen = look(open_page, f"{site_url}/{name}", "dark", responses, **TELEPHONE)
    assert_no_sideways_scroll(seen.page)
    times = seen.page.evaluate(TIMES)
    sizes = weight(responses, site_url)
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
    record_property(
        "figure",
        f"{name}: {total / 1000:.0f} kB gzipped in {len(sizes)} files, of which "
        + ", ".join(f"{path.rpartition('/')[2]} {size / 1000:.0f} kB" for path, size in largest),
    )
    assert total < LARGEST
    assert times["explorers"] or name not in WITH_EXPLORERS
    if not times["explorers"]:
        return
    last = times["last"]
    if last >= LONGEST:  # on a busy machine, or truly: the median of three decides
        seen.page.context.close()
        again = [times_of_another_visit(name, site_url, open_page) for _ in range(2)]
        last = median([last, *(times["last"] for times in again)])
    record_property(
        "figure",
        f"{name}: the last of {times['explorers']} explorers answers {abs(last):.0f} ms "
        f"{'after' if last > 0 else 'before'} DOMContentLoaded",
    )
    assert last < LONGEST
