"""Every page of the built site: whole, offline, narrow and wide, from a server and from a file."""

from functools import cache
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urlsplit

import pytest

from helpers.accessibility import violations, violations_when_dark
from helpers.pages import NARROW, PAGES, WIDE, WRITTEN, choose_theme, settle

# Text in TeX's delimiters that was not set; code may well show some.
RAW_MATHEMATICS = r"""
() => {
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const { data, parentElement } = walker.currentNode;
    if (/\\\(|\\\)|\\\[|\\\]|\$\$|\\begin\{/.test(data)
      && !parentElement.closest("code, pre, script, style, mjx-container")) found.push(data.trim());
  }
  return found;
}
"""

# What sticks out of the window to the right, for the message of a failure.
STICKING_OUT = """
() => [...document.body.querySelectorAll("*")]
  .filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1)
  .map((e) => `${e.localName}.${e.className} ${e.textContent.trim().slice(0, 30)}`).slice(0, 10)
"""


def look(open_page, address, theme, **options):
    """Open a page, see that nothing on it is missing, unset or dead, and return its Visit."""
    seen = open_page(**options)
    page, missing = seen.page, []
    page.on("requestfailed", lambda request: missing.append(request.url))
    page.on("response", lambda response: missing.append(response.url) if not response.ok else None)
    choose_theme(page, theme)
    page.goto(address)
    settle(page)
    page.evaluate("() => { for (const i of document.images) i.loading = 'eager'; }")
    page.wait_for_function("() => [...document.images].every((image) => image.complete)")

    assert seen.outside == []
    assert seen.errors == []
    assert missing == []
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    assert page.evaluate(
        "[...document.images].filter((image) => !image.naturalWidth).map((image) => image.src)"
    ) == []  # fmt: skip
    assert_mathematics_is_set(page)
    assert_explorers_live(page)
    return seen


def assert_mathematics_is_set(page):
    unset = page.evaluate(
        "[...document.querySelectorAll('.math')].filter((e) => !e.querySelector('mjx-container'))"
        ".map((e) => e.textContent)"
    )
    assert unset == []
    assert page.evaluate(RAW_MATHEMATICS) == []
    assert page.locator("mjx-merror, [data-mjx-error]").all_inner_texts() == []


def assert_explorers_live(page):
    places = page.locator(".convbook-widget[data-module]")
    assert places.count() == page.locator(".convbook-widget > section.cb").count()
    assert page.locator(".convbook-widget .cb-plain").count() == 0


def assert_no_sideways_scroll(page):
    page.evaluate("scrollTo(1000, 0)")
    sideways = page.evaluate("[scrollX, document.documentElement.scrollWidth - innerWidth]")
    assert sideways[0] == 0 and sideways[1] <= 0, page.evaluate(STICKING_OUT)


def test_every_page_is_looked_at(site):
    built = {path.relative_to(site).as_posix() for path in site.rglob("*.html")}
    assert {page for page in built if not page.startswith("_static/")} == {*PAGES, "index.html"}


@pytest.mark.parametrize("name", PAGES)
def test_page_on_a_telephone(name, site_url, open_page):
    options = {"viewport": NARROW, "is_mobile": True, "has_touch": True}
    seen = look(open_page, f"{site_url}/{name}", "dark", **options)
    assert_no_sideways_scroll(seen.page)


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
