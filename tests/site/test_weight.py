"""What a page weighs, and how soon its explorers answer."""

import gzip
from statistics import median
from urllib.parse import urlsplit

import pytest

from helpers import ROOT
from helpers.pages import CHAPTERS, WIDE, settle

LARGEST = 1_000_000  # bytes, each file compressed as a server sends it
WITH_EXPLORERS = [
    name for name in CHAPTERS
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


@pytest.mark.parametrize("name", CHAPTERS)
def test_weight(name, site_url, open_page, record_property):
    page = open_page(viewport=WIDE).page
    responses = []
    page.on("response", lambda response: responses.append(response))
    page.goto(f"{site_url}/{name}")
    settle(page)
    # Pictures further down are loaded when they come into view.
    page.evaluate("() => { for (const image of document.images) image.loading = 'eager'; }")
    page.wait_for_load_state("networkidle")
    sizes = {
        urlsplit(response.url).path: len(gzip.compress(response.body(), mtime=0))
        for response in responses
        if response.url.startswith(site_url)
    }
    largest = sorted(sizes.items(), key=lambda item: -item[1])[:3]
    record_property(
        "figure",
        f"{name}: {sum(sizes.values()) / 1000:.0f} kB gzipped in {len(sizes)} files, of which "
        + ", ".join(f"{path.rpartition('/')[2]} {size / 1000:.0f} kB" for path, size in largest),
    )
    assert sum(sizes.values()) < LARGEST


@pytest.mark.parametrize("name", WITH_EXPLORERS)
def test_explorers_answer_at_once(name, site_url, open_page, record_property):
    loads = []
    for _ in range(3):
        page = open_page(viewport=WIDE).page
        page.goto(f"{site_url}/{name}")
        settle(page)
        loads.append(page.evaluate(TIMES))
    last = median(load["last"] for load in loads)
    record_property(
        "figure",
        f"{name}: the last of {loads[0]['explorers']} explorers answers {abs(last):.0f} ms "
        f"{'after' if last > 0 else 'before'} DOMContentLoaded",
    )
    assert last < LONGEST
