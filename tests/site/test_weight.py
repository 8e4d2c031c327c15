"""What a page weighs, and how soon its explorers answer."""

import gzip
from functools import cache
from statistics import median
from urllib.parse import urlsplit

import pytest

from helpers import ROOT
from helpers.pages import CHAPTERS, WIDE, settle

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


def load(name, site_url, open_page):
    """Open a page in a fresh profile; return it, what it was sent, and its explorers' times."""
    page, responses = open_page(viewport=WIDE).page, []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{site_url}/{name}")
    settle(page)
    return page, responses, page.evaluate(TIMES)


def weight(page, responses, site_url):
    """Return the size of each file that the page needs, compressed, by its path."""
    # Pictures further down are loaded when they come into view.
    page.evaluate("() => { for (const image of document.images) image.loading = 'eager'; }")
    page.wait_for_load_state("networkidle")
    return {
        urlsplit(response.url).path: compressed(response.body())
        for response in responses
        if response.url.startswith(site_url)
    }


@cache
def compressed(content):
    """Return how many bytes are left of a file; most of them come with every page."""
    return len(gzip.compress(content, mtime=0))


@pytest.mark.parametrize("name", CHAPTERS)
def test_weight_and_explorers_that_answer_at_once(name, site_url, open_page, record_property):
    page, responses, times = load(name, site_url, open_page)
    sizes = weight(page, responses, site_url)
    total = sum(sizes.values())
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
    record_property(
        "figure",
        f"{name}: {total / 1000:.0f} kB gzipped in {len(sizes)} files, of which "
        + ", ".join(f"{path.rpartition('/')[2]} {size / 1000:.0f} kB" for path, size in largest),
    )
    assert total < LARGEST
    if name not in WITH_EXPLORERS:
        return
    last = times["last"]
    if last >= LONGEST:  # on a busy machine, or truly: the median of three decides
        page.context.close()
        last = median([last, *(load(name, site_url, open_page)[2]["last"] for _ in range(2))])
    record_property(
        "figure",
        f"{name}: the last of {times['explorers']} explorers answers {abs(last):.0f} ms "
        f"{'after' if last > 0 else 'before'} DOMContentLoaded",
    )
    assert last < LONGEST
