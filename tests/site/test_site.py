"""Every page of the built site from a file: whole, offline, accessible; links, search, index."""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from helpers.accessibility import violations, violations_when_dark
from helpers.pages import NARROW, PAGES, WIDE, WRITTEN, settle
from helpers.whole import assert_no_sideways_scroll, look


def test_every_page_is_looked_at(site):
    built = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {page for page in built if not page.startswith("_static/")} == {*PAGES, "index.html"}


@pytest.mark.parametrize("name", PAGES)
def test_page_from_a_file(name, site, open_page):
    seen = look(open_page, (site / name).as_uri(), "light", viewport=WIDE)
    assert_no_sideways_scroll(seen.page)
    seen.page.set_viewport_size(NARROW)
    assert_no_sideways_scroll(seen.page)
    seen.page.set_viewport_size(WIDE)
    assert violations(seen.page) == []
    # Besides the logo, the same picture twice, nothing is there in one set of colours alone.
    assert seen.page.locator(":is(.only-light, .only-dark):not(.logo__image)").count() == 0
    assert violations_when_dark(seen.page) == []


@pytest.mark.parametrize("where", ["server", "file"])
def test_root_leads_to_the_first_page(where, site, site_url, visit):
    address = site_url if where == "server" else (site / "index.html").as_uri()
    seen = visit(address)
    seen.page.wait_for_url(f"**/{WRITTEN[0]}")
    settle(seen.page)
    assert (seen.outside, seen.errors) == ([], [])


@pytest.mark.parametrize("where", ["server", "file"])
def test_search_finds_a_chapter(where, site, site_url, visit):
    address = site_url if where == "server" else site.as_uri()
    seen = visit(f"{address}/search.html?q=stride")
    seen.page.locator("#search-results li a[href*='3-1']").first.wait_for()
    seen.page.wait_for_load_state("networkidle")
    assert (seen.outside, seen.errors) == ([], [])


# --- Links, read from the files ------------------------------------------------------------------


class Links(HTMLParser):
    """The addresses that a page points to, and the places on it that can be pointed to."""

    def __init__(self):
        super().__init__()
        self.targets, self.places = set(), {""}

    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.add(value)
            elif name == "id" or (tag, name) == ("a", "name"):
                self.places.add(value)


@cache
def links(path):
    """Return the Links of a page."""
    parser = Links()
    parser.feed(path.read_text(encoding="utf-8"))
    return parser


@pytest.mark.parametrize("name", PAGES)
def test_links_lead_somewhere(name, site):
    broken = []
    for target in sorted(links(site / name).targets):
        address, place = urldefrag(target)
        if urlsplit(address).scheme:
            continue
        path = (site / name).parent / unquote(urlsplit(address).path) if address else site / name
        path = path.resolve()
        page = path.suffix == ".html"
        if not path.is_file() or (page and unquote(place) not in links(path).places):
            broken.append(target)
    assert broken == []
