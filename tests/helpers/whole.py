"""A page of the site as it must always be: nothing on it missing, unset, dead or too wide."""

from helpers.pages import choose_theme, settle

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


def look(open_page, address, theme, responses=None, **options):
    """Open a page, see that nothing on it is missing, unset or dead, and return its Visit.

    What the page was sent, its pictures further down among it, is added to the responses.
    """
    seen = open_page(**options)
    page, missing = seen.page, []
    if responses is not None:
        page.on("response", lambda response: responses.append(response))
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
