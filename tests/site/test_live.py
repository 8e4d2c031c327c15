"""A reader runs, changes and checks code on the live site, and no other machine is asked."""

import os
import re
import threading
import time
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from conftest import QuietHandler
from convbook.site.serve import Handler
from helpers.live import (
    cell,
    evaluate,
    run,
    said,
    shown,
    state,
    wait_until_kept,
    wait_until_said,
    write,
)
from helpers.pages import NARROW, THEMES, WIDE
from helpers.visits import Visit, is_local, note_error

CHAPTER = "book/3-1_convolution.html"
LIGHT = "book/3-10-2_segmentation.html"  # fewer figures and formulas: it opens sooner
SCRATCH = 2  # a cell near the top, for code of the test's own


SENT = []  # the sizes of Python's files that the server has sent, by several threads


class CountingHandler(QuietHandler):
    """Counts what it sends; what a browser still has is not sent again."""

    def copyfile(self, source, outputfile):
        if "convbook-live/" in self.path:
            SENT.append(os.fstat(source.fileno()).st_size)
        super().copyfile(source, outputfile)


@pytest.fixture(scope="module")
def live_url(live_site, serve):
    """The address of the live site."""
    return serve(live_site, CountingHandler)


@pytest.fixture(scope="module")
def reader(browser, live_url):
    """A Visit to chapter 3-1, which nothing has been run in; tests share it and its Python.

    Its requests are looked at and not stopped, as that would take its cache away; where they could
    go, there is nothing but this machine.
    """
    context = browser.new_context(viewport=WIDE)
    visit = Visit(context.new_page())
    context.on("request", lambda each: is_local(each.url) or visit.outside.append(each.url))
    context.on("console", partial(note_error, visit))
    context.on("weberror", lambda error: visit.errors.append(str(error.error)))
    visit.page.goto(f"{live_url}/{CHAPTER}", wait_until="networkidle")
    yield visit
    assert visit.outside == [] and visit.errors == []
    context.close()


@pytest.fixture(scope="module")
def chapter(reader):
    """That Visit once the first cell has run."""
    if not said(reader.page, 1):
        run(reader.page, 1)
    return reader


@pytest.fixture(scope="module")
def second(chapter, live_url):
    """Another tab of the same reader with the chapter; its Python starts with its first Run."""
    page = chapter.page.context.new_page()
    page.goto(f"{live_url}/{CHAPTER}")
    return page


# --- The first Run -------------------------------------------------------------------------------


def memory_of_pages(browser):
    """Return the bytes of memory of all pages' processes; 0 where the system does not say it."""
    found = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [Path(f"/proc/{each['id']}/statm") for each in found if each["type"] == "renderer"]
    return sum(int(path.read_text().split()[1]) * 4096 for path in pages if path.exists())


def first_run(page):
    """Start Python with a first cell; return how many seconds that took, and the bytes sent."""
    SENT.clear()
    write(page, SCRATCH, "6 * 7")
    began = time.monotonic()
    assert run(page, SCRATCH) == "42"
    return time.monotonic() - began, sum(SENT)


def test_first_run_cold_and_warm_with_a_reload_in_the_middle(browser, reader, record_property):
    page = reader.page
    asked = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    assert asked and not [each for each in asked if "convbook-live/" in each or "editor" in each]
    assert page.locator(".cbl-state").is_hidden() and not SENT

    memory = memory_of_pages(browser)
    cold, sent = first_run(page)
    assert 9e6 < sent < 12e6

    # A reload in the middle of an endless loop leaves nothing behind but the code.
    write(page, 3, "while True:\n    pass")
    cell(page, 3).get_by_role("button", name="Run", exact=True).click()
    wait_until_said(page, 3, "^runs")
    page.reload()
    page.wait_for_selector(".cbl-edited .cm-content")
    assert page.evaluate("convbookLive.cells[2].code") == "while True:\n    pass"
    assert said(page, 3) == "" and page.locator(".cbl-state").is_hidden()

    warm, again = first_run(page)
    assert again < sent / 2  # the browser has kept them
    SENT.clear()
    began = time.monotonic()
    run(page, 1)
    seconds, more = time.monotonic() - began, memory_of_pages(browser) - memory
    inside = page.evaluate("convbookLive.python.memory")
    assert sum(SENT) < 11e6 and inside < 400e6
    record_property(
        "figure",
        f"Python on the page: {sent / 1e6:.1f} MB sent, first result after {cold:.1f} s (cold); "
        f"{again / 1e6:.1f} MB, {warm:.1f} s (warm); Matplotlib: {sum(SENT) / 1e6:.1f} MB and "
        f"{seconds:.1f} s more; {inside / 1e6:.0f} MB of memory in Python, "
        f"{more / 1e6:.0f} MB more in the browser",
    )


class SlowHandler(QuietHandler):
    """Sends Python's files as fast as 3G does, or breaks off within one of them."""

    bytes_per_second = 200_000
    one_line = threading.Lock()
    breaks_off = False

    def copyfile(self, source, outputfile):
        if "convbook-live/" not in self.path:
            return super().copyfile(source, outputfile)
        if SlowHandler.breaks_off:
            outputfile.write(source.read(10_000))
            self.close_connection = True
            return None
        with suppress(ConnectionError):  # the reader pressed Stop
            while piece := source.read(20_000):
                with SlowHandler.one_line:
                    time.sleep(len(piece) / self.bytes_per_second)
                    outputfile.write(piece)
        return None


def test_a_slow_network_and_one_that_breaks_off(live_site, serve, visit):
    page = visit(f"{serve(live_site, SlowHandler)}/{LIGHT}", viewport=NARROW).page
    SlowHandler.breaks_off = True
    try:
        run(page, SCRATCH, "^not run")
    finally:
        SlowHandler.breaks_off = False
    assert "Python could not be loaded" in shown(page, SCRATCH)
    assert "The next Run tries again." in shown(page, SCRATCH)

    cell(page, SCRATCH).get_by_role("button", name="Run", exact=True).click()
    form = re.compile(r"Loading [\w ,]+: (\d+\.\d) of (9|1\d)\.\d MB")
    seen = set()
    while len(seen) < 3:
        page.wait_for_function(
            "(last) => /MB/.test(convbookLive.stateText.textContent)"
            " && convbookLive.stateText.textContent !== last",
            arg=state(page),
        )
        found = form.fullmatch(state(page))
        assert found, state(page)
        seen.add(float(found[1]))
    assert said(page, SCRATCH) == "waits"
    assert page.evaluate("convbookLive.stateProgress.max") > 9e6
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    page.locator(".cbl-state").get_by_role("button", name="Stop").click()
    wait_until_said(page, SCRATCH, "stopped")


# --- Running -------------------------------------------------------------------------------------


def test_a_cell_shows_its_own_output_in_place_of_the_books_and_gives_it_back(chapter):
    page = chapter.page
    place = cell(page, 7)
    book = place.locator(":scope > .cell_output").first.inner_text().strip()
    assert run(page, 7) == book
    assert evaluate(page, 7, "print('mine')") == "mine"
    toggle = place.get_by_role("button", name="Book’s output")
    toggle.click()
    assert shown(page, 7) == book and toggle.get_attribute("aria-pressed") == "true"
    toggle.click()
    assert shown(page, 7) == "mine"
    place.get_by_role("button", name="Book’s code").click()


def test_shift_enter_runs_from_the_editor_and_from_the_buttons(chapter):
    page = chapter.page
    write(page, SCRATCH, "x = 5\nx * 2")
    page.keyboard.press("Shift+Enter")
    wait_until_said(page, SCRATCH, "^took")
    assert shown(page, SCRATCH) == "10"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Run"
    page.keyboard.press("Shift+Enter")
    wait_until_said(page, SCRATCH, "^took")


def test_tab_indents_and_shift_tab_takes_back(chapter):
    page = chapter.page
    write(page, SCRATCH, "for i in range(2):")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    page.keyboard.insert_text("print(i)")
    assert page.evaluate("convbookLive.cells[1].code") == "for i in range(2):\n    print(i)"
    assert run(page, SCRATCH) == "0\n1"


def test_cells_queue_and_say_so(chapter):
    page = chapter.page
    write(page, 2, "import time\ntime.sleep(2)")
    write(page, 3, "print('second')")
    # Stop takes the one that waits out of the queue, and no more.
    page.evaluate(
        "() => { const [, ...cells] = convbookLive.cells.slice(0, 4);"
        " for (const each of cells) each.run(); cells[2].stopButton.click(); }"
    )
    wait_until_said(page, 2, "^runs")
    assert said(page, 3) == "waits" and said(page, 4) == "not run" and "cell 2" in state(page)
    wait_until_said(page, 3, "^took")
    assert re.fullmatch(r"took \d+(\.\d)? s", said(page, 2)) and shown(page, 3) == "second"
    assert state(page) == "Python is ready"


def test_an_error_marks_the_line_and_ends_a_run_of_all_above(chapter):
    page = chapter.page
    write(page, 2, "a = 1\nb = a / 0\nc = 3")
    page.evaluate("() => convbookLive.runAbove(convbookLive.cells[3])")
    wait_until_said(page, 2, "error")
    wait_until_said(page, 3, "not run")
    text = shown(page, 2)
    assert "Cell 2, line 2" in text and "ZeroDivisionError: division by zero" in text
    assert "File" not in text and "session.py" not in text
    assert cell(page, 2).locator(".cm-line.cbl-line").inner_text() == "b = a / 0"
    write(page, 2, "pass")
    assert cell(page, 2).locator(".cbl-line").count() == 0


def test_a_name_from_a_cell_that_has_not_run_is_found(chapter):
    page = chapter.page
    evaluate(page, 2, "print(Y_padded)", "error")
    assert "has not been run" not in shown(page, 2)  # it comes from a cell below
    number = page.evaluate(
        "() => convbookLive.cells.find((c) => /^flipped = /m.test(c.book)).number"
    )
    evaluate(page, number + 1, "flipped[0]", "error")
    assert f"flipped comes from cell {number}, which has not been run." in shown(page, number + 1)
    cell(page, number + 1).get_by_role("button", name="Book’s code").click()


def test_ten_megabytes_of_text_leave_the_page_alive(chapter):
    text = evaluate(chapter.page, SCRATCH, "for _ in range(100_000):\n    print('x' * 99)")
    assert 150_000 < len(text) < 250_000 and "the rest is not shown" in text
    assert evaluate(chapter.page, SCRATCH, "print('alive')") == "alive"


def test_what_a_page_cannot_do_is_said(chapter):
    for code, sentence in [
        ("input('name? ')", "cannot ask anything on this page"),
        ("open('photo.png')", "no files of your computer"),
        ("import urllib.request\nurllib.request.urlopen('http://example.com')", "no network"),
        ("import threading\nthreading.Thread(target=print).start()", "one thread"),
        ("import subprocess\nsubprocess.run(['ls'])", "one process"),
        ("import torch", "PyTorch does not run in a browser"),
        ("from convbook.datasets import mnist\nmnist(full=True)", "embedded sample"),
        ("%timeit 1", "do not run on a page"),
    ]:
        assert sentence in evaluate(chapter.page, SCRATCH, code, "error"), code
    write_and_read = "open('note.txt', 'w').write('kept')\nopen('note.txt').read()"
    assert evaluate(chapter.page, SCRATCH, write_and_read) == "'kept'"


def test_a_bar_shows_how_far_a_training_is(chapter):
    page = chapter.page
    code = (
        "import numpy as np\nfrom convbook.layers import Flatten, Linear, Sequential\n"
        "from convbook.training import fit\n"
        "x = np.random.default_rng(0).normal(size=(200, 4)).astype('f')\n"
        "fit(Sequential(Linear(4, 2)), x, (x[:, 0] > 0).astype(int), epochs=3, batch_size=20)"
    )
    assert "History of 3 epochs" in evaluate(page, SCRATCH, code)
    bar = cell(page, SCRATCH).locator(".cbl-progress progress")
    assert bar.get_attribute("max") == "30" and bar.evaluate("bar => bar.value") == 30


# --- Widgets -------------------------------------------------------------------------------------


def test_a_widget_made_in_a_cell_is_alive_and_python_sees_the_slider(chapter):
    page = chapter.page
    evaluate(
        page, 2, "from convbook.widgets import ConvolutionExplorer\nw = ConvolutionExplorer()\nw"
    )
    figure = cell(page, 2).locator(".cbl-output .convbook-widget[data-ready]")
    figure.wait_for()
    slider = figure.get_by_role("slider", name=re.compile("stride")).first
    slider.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(100)  # moves of a slider go to Python together
    assert evaluate(page, 3, "w.stride") == "2"
    assert evaluate(page, 3, "w.padding = 1") == ""
    padding = figure.get_by_role("slider", name=re.compile("padding")).first
    page.wait_for_function("(slider) => slider.value === '1'", arg=padding.element_handle())


# --- Changes -------------------------------------------------------------------------------------


def test_changes_are_shown_kept_and_taken_back_and_outlive_another_edition(live_url, visit):
    page = visit(f"{live_url}/{LIGHT}", viewport=WIDE).page
    write(
        page,
        5,
        page.evaluate("convbookLive.cells[4].book").replace("mnist()", "mnist()  # are one"),
    )
    place = cell(page, 5)
    place.get_by_role("button", name="What differs").click()
    changes = place.locator(".cbl-changes")
    assert changes.locator("del").count() == changes.locator("ins").count() == 1
    assert "are one" in changes.locator("ins").inner_text()
    wait_until_kept(page, "are one")

    page.reload()
    page.wait_for_selector(".cbl-edited .cm-content")
    assert "are one" in page.evaluate("convbookLive.cells[4].code")
    place.get_by_role("button", name="Book’s code").click()
    assert page.evaluate("convbookLive.cells[4].own") is None
    page.reload()
    page.wait_for_load_state()
    assert page.locator(".cbl-edited").count() == 0

    page.evaluate("() => convbookLive.storage.keep(5, 'another edition of the cell', 'mine = 1')")
    page.reload()
    page.wait_for_selector(".cbl-edited .cm-content")
    assert page.evaluate("convbookLive.cells[4].code") == "mine = 1"
    assert said(page, 5) == "The book’s cell has changed since you changed it."


def test_blocked_storage_is_said_once_and_stops_nothing(chapter, live_url):
    page = chapter.page.context.new_page()
    page.add_init_script(
        "Storage.prototype.getItem = Storage.prototype.setItem = () => "
        "{ throw new DOMException('blocked'); };"
    )
    before = len(chapter.errors)
    page.goto(f"{live_url}/{LIGHT}")
    write(page, SCRATCH, "1 + 1")
    page.get_by_text("This browser keeps nothing for this page").wait_for()
    assert run(page, SCRATCH) == "2"
    page.close()
    assert not [error for error in chapter.errors[before:] if "convbook-live" in error]
    del chapter.errors[before:]  # the theme's own


def test_two_tabs_keep_apart_what_runs_and_together_what_is_kept(chapter, second):
    first = chapter.page
    evaluate(first, 2, "only_here = 1")
    write(second, 3, "print(only_here)")
    assert "NameError" in run(second, 3, "error")
    wait_until_kept(second, "print(only_here)")
    wait_until_kept(second, "only_here = 1")


# --- Stopping ------------------------------------------------------------------------------------


def test_stop_ends_an_endless_loop_in_its_tab_and_says_what_it_cost(chapter, second):
    evaluate(chapter.page, 2, "kept = 1")
    page = second
    evaluate(page, 2, "kept = 2")
    write(page, 3, "while True:\n    pass")
    page.evaluate("() => { convbookLive.cells[2].run(); convbookLive.cells[3].run(); }")
    wait_until_said(page, 3, "^runs")
    stop = cell(page, 3).get_by_role("button", name="Stop")
    assert "its variables go" in stop.get_attribute("title")
    stop.click()
    assert "without the variables of before" in wait_until_said(page, 3, "^stopped")
    assert said(page, 4) == "not run" and "starts it afresh" in state(page)
    assert "NameError" in evaluate(page, 3, "kept", "error")
    page.locator(".cbl-state").get_by_role("button", name="Restart").click()
    assert "starts it afresh" in state(page)
    assert page.evaluate("convbookLive.python.worker") is None
    assert evaluate(chapter.page, 2, "kept") == "1"


class IsolatedHandler(QuietHandler, Handler):
    """The live site's own server, without a line on the terminal for each request."""


def test_where_the_headers_allow_it_stop_is_an_interrupt(live_site, serve, visit):
    page = visit(f"{serve(live_site, IsolatedHandler)}/{LIGHT}", viewport=WIDE).page
    assert page.evaluate("crossOriginIsolated")
    evaluate(page, 2, "kept = 1")
    write(page, 3, "print('begun')\nwhile True:\n    kept += 1")
    page.evaluate("() => convbookLive.cells[2].run()")
    wait_until_said(page, 3, "^runs")
    stop = cell(page, 3).get_by_role("button", name="Stop")
    assert "keeps its variables" in stop.get_attribute("title")
    stop.click()
    wait_until_said(page, 3, "error")
    assert "Stopped." in shown(page, 3) and page.evaluate("convbookLive.python.starts") == 1
    assert evaluate(page, 4, "kept > 1") == "True"


# --- Exercises -----------------------------------------------------------------------------------


def exercise_cell(page, start):
    """Return the number of the cell whose code begins so."""
    return page.evaluate(
        "(start) => convbookLive.cells.find((c) => c.book.startsWith(start)).number", start
    )


def test_an_exercise_is_solved_on_a_phone_in_the_student_edition(live_student_site, serve, visit):
    page = visit(f"{serve(live_student_site)}/{CHAPTER}", viewport=NARROW, has_touch=True).page
    checking = exercise_cell(page, 'check("3-1.1"')
    assert not page.locator(".cm-content").count()
    cell(page, checking).scroll_into_view_if_needed()
    cell(page, checking - 1).locator(".cm-content").wait_for()  # open from the start
    assert run(page, checking).startswith("Not yet")  # and what it needs has run before it
    assert said(page, 1).startswith("took") and said(page, 3) == ""
    write(page, checking - 1, "Y_by_hand = [[1, 1], [1, 1]]")
    assert run(page, checking).startswith("Not quite")  # what was changed above runs first
    write(
        page,
        checking - 1,
        "Y_by_hand = [[2 - 0 + 2 * 1, 0 - 1 + 2 * 0, 1 - 3 + 2 * 2],\n"
        "             [1 - 1 + 2 * 3, 1 - 0 + 2 * 1, 0 - 2 + 2 * 1]]",
    )
    assert run(page, checking).startswith("Correct.")
    for n in (1, 2, 3, 1):
        cell(page, checking).get_by_role("button", name="Hint").click()
        cell(page, checking).get_by_text(f"Hint {n} of 3").wait_for()
    assert "Correct." in shown(page, checking)
    assert evaluate(page, checking, 'hint("3-1.1", 2)').startswith("Hint 2 of 3")
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    wait_until_kept(page, "2 - 0 + 2 * 1")
    page.reload()
    page.wait_for_selector(".cbl-edited .cm-content")
    assert "2 - 0 + 2 * 1" in page.evaluate(f"convbookLive.cells[{checking - 2}].code")


# --- As files, on a phone, in the dark -----------------------------------------------------------


def test_opened_as_a_file_it_runs_too(live_site, visit, record_property):
    opened = visit((live_site / CHAPTER).as_uri(), viewport=WIDE)
    page = opened.page
    began = time.monotonic()
    assert evaluate(page, SCRATCH, "6 * 7") == "42"
    record_property(
        "figure",
        f"Python on a page opened as a file: first result after {time.monotonic() - began:.1f} s",
    )
    run(page, 1)
    checking = exercise_cell(page, 'check("3-1.1"')
    assert run(page, checking).startswith("Not yet")
    evaluate(page, 2, "ConvolutionExplorer()")
    cell(page, 2).locator(".cbl-output .convbook-widget[data-ready]").wait_for()
    assert opened.outside == [] and opened.errors == []


def test_an_open_cell_is_accessible_and_fits_a_phone(chapter):
    from axe_playwright_python.sync_playwright import Axe

    page = chapter.page
    page.set_viewport_size(NARROW)
    evaluate(
        page,
        2,
        "print('x' * 200)\n1 / 0  # a comment that is longer than a phone is wide, by far "
        + "—" * 40,
        "error",
    )
    cell(page, 2).get_by_role("button", name="What differs").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= NARROW["width"]
    before = len(chapter.errors)
    for theme in THEMES:
        page.evaluate("(theme) => { document.documentElement.dataset.theme = theme; }", theme)
        found = Axe().run(page, context=".cell:has(.cbl-edited), .cbl-edited, .cbl-bar, .cbl-state")
        assert found.violations_count == 0, found.generate_report()
    del chapter.errors[before:]  # it asks for style sheets by wrong addresses
    cell(page, 2).get_by_role("button", name="What differs").click()
    page.set_viewport_size(WIDE)
