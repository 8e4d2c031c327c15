"""The site in a frame without rights, on paper, without scripts, and under a finger."""

import re

import pytest

from convbook.site import assets
from helpers.pages import CHAPTERS, NARROW, THEMES, WIDE, choose_theme, settle

CHAPTER = "book/3-2_pooling.html"


def test_search_in_a_frame_without_storage(site, site_url, open_page):
    """In a learning platform a page may be sandboxed: storage throws, other pages can't be read."""
    page = open_page(viewport=WIDE).page
    page.set_content(
        f'<iframe sandbox="allow-scripts" width="1200" height="800" '
        f'src="{site_url}/search.html?q=stride"></iframe>'
    )
    frame = page.frame_locator("iframe")
    frame.locator("#search-results li a[href*='3-1']").first.wait_for()


# How dark the text is, and the ground it stands on.
INK = """
() => {
  const style = getComputedStyle(document.querySelector(".bd-content p"));
  const grey = (colour) =>
    colour.match(/[\\d.]+/g).slice(0, 3).reduce((a, b) => a + Number(b), 0) / 3;
  return [grey(style.color), document.documentElement.dataset.theme];
}
"""


@pytest.mark.parametrize("theme", THEMES)
def test_paper_is_white(theme, site_url, open_page):
    page = open_page(viewport=WIDE).page
    choose_theme(page, theme)
    page.goto(f"{site_url}/book/3-5-1_cnn.html")
    settle(page)
    page.set_viewport_size({"width": 718, "height": 1000})  # A4 between its margins
    page.emulate_media(media="print")
    page.wait_for_function(f"() => ({INK})()[0] < 90")
    # Hints and solutions stay as they were.
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    opened = ".toggle:not(.toggle-hidden), details[open]"
    assert page.locator(opened).count() == 0
    # The title of a figure is not parted from it, and what works on a screen only is left out.
    head = page.locator(".convbook-widget .cb-head").first
    assert head.evaluate("(e) => getComputedStyle(e).breakAfter") == "avoid"
    assert not page.locator(".cb-tools").first.is_visible()
    # No line of a program or of its output is cut off.
    assert (
        page.evaluate(
            """() => [...document.querySelectorAll(".bd-content pre")].filter((box) =>
          box.checkVisibility() && box.scrollWidth > box.clientWidth + 1
          ).map((box) => box.textContent)"""
        )
        == []
    )
    page.emulate_media(media="screen")
    page.wait_for_function(f"() => document.documentElement.dataset.theme === '{theme}'")


MARKED = """
() => [...document.querySelectorAll(".bd-toc-nav a.nav-link.active")].at(-1)?.hash
"""


def test_contents_mark_the_section_that_is_read(site_url, open_page):
    page = open_page(viewport=WIDE).page
    page.goto(f"{site_url}/{CHAPTER}")
    settle(page)
    targets = page.evaluate(
        "[...document.querySelectorAll('.bd-toc-nav a.nav-link')].map((link) => link.hash)"
    )
    for target in [*targets[1:6], *targets[4:0:-1]]:
        # In the middle of a section, where no heading is to be seen, too.
        page.evaluate("(id) => document.getElementById(id).scrollIntoView()", target[1:])
        page.wait_for_function(f"() => ({MARKED})() === '{target}'")
        page.mouse.wheel(0, 25)
        page.wait_for_timeout(100)
        assert page.evaluate(MARKED) == target


def test_telephones_do_not_zoom_into_fields(site_url, open_page):
    page = open_page(viewport=NARROW, is_mobile=True, has_touch=True).page
    page.goto(f"{site_url}/search.html")
    small = page.evaluate(
        """() => [...document.querySelectorAll("input:not([type=checkbox]), select, textarea")]
          .filter((field) => parseFloat(getComputedStyle(field).fontSize) < 16)
          .map((field) => field.outerHTML)"""
    )
    assert small == []


def test_words_of_a_program_are_not_hyphenated(site_url, open_page):
    page = open_page(viewport=NARROW).page
    page.goto(f"{site_url}/{CHAPTER}")
    assert page.evaluate(
        "[...document.querySelectorAll('.bd-content code')]"
        ".every((code) => getComputedStyle(code).hyphens === 'none')"
    )


def test_each_page_has_the_script_that_comes_first(site):
    for page in (site / "book").glob("*.html"):
        text = page.read_text(encoding="utf-8")
        first = re.search(r"<script\b", text).start()
        assert text[first:].startswith(assets.head_script()[:60]), page.name


@pytest.mark.parametrize("name", CHAPTERS)
def test_formulas_are_read_without_a_script(name, site_url, open_page):
    page = open_page(viewport=WIDE, java_script_enabled=False).page
    page.goto(f"{site_url}/{name}")
    shown = page.locator(".bd-content").first.inner_text()
    assert not re.search(r"\\[()\[\]]|\\frac|\\sum", shown)
    formulas = page.locator("math")
    assert formulas.count() == page.locator(".math.notranslate").count()
    if formulas.count():
        assert formulas.first.is_visible()
        assert not page.locator(".math.notranslate").first.is_visible()
