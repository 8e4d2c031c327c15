"""What several tests share: the built site in both editions, a server for it, a browser."""

import gc
import os
import shutil
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hypothesis import settings

from convbook.arrays import gpu_available
from convbook.site.live import runtime
from convbook.stand_in import pretended_gpu
from helpers import ROOT, on_cupy
from helpers.visits import Visit, new_visit

# `make check` asks for this profile: it draws a quarter of the examples (helpers/drawing.py).
settings.register_profile("quick", max_examples=25)

# What nbformat loads makes 38 parsers of addresses of this optional package, for no notebook: it
# would cost every process some seconds.
sys.modules.setdefault("rfc3987_syntax", None)

# Without a window's machinery, the same engine opens a page with half the work: it comes first.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
    "chrome",
)
NO_BROWSER = (
    "The browser tests were left out: no Chromium or Chrome was found "
    "(install one, or name it in CONVBOOK_CHROMIUM)."
)
BROWSER_ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--process-per-site",  # tabs of one profile share the machine code of Python: see live_tab
    # Nothing but this machine has an address: what slips past the filter below goes nowhere.
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE localhost , EXCLUDE 127.0.0.1",
]

NO_PYODIDE = (
    "The tests of Python in the browser were left out: CONVBOOK_PYODIDE names no folder with "
    "Pyodide's files."
)

EDITIONS = {
    "instructor": {"CONVBOOK_EDITION": "instructor", "CONVBOOK_LIVE": ""},
    "student": {"CONVBOOK_EDITION": "student", "CONVBOOK_LIVE": ""},
    "live": {"CONVBOOK_EDITION": "instructor", "CONVBOOK_LIVE": "1"},
    "live-student": {"CONVBOOK_EDITION": "student", "CONVBOOK_LIVE": "1"},
}
BUILD_SECONDS = 300


# --- On a GPU ------------------------------------------------------------------------------------


def pytest_addoption(parser):
    group = parser.getgroup("convbook")
    group.addoption(
        "--cupy",
        action="store_true",
        help="run the tests of the mathematics, and no others, on CuPy arrays",
    )
    group.addoption(
        "--cupy-stand-in",
        action="store_true",
        help="the same without a GPU, on a stand-in for CuPy that computes with NumPy",
    )


def wants_cupy(config):
    """Whether this run is about CuPy arrays."""
    return config.getoption("--cupy") or config.getoption("--cupy-stand-in")


def pytest_configure(config):
    if config.getoption("--cupy-stand-in"):
        on_cupy.use_stand_in()
    if wants_cupy(config) and gpu_available():
        on_cupy.wrap_everything()  # before any test imports the functions


def pytest_ignore_collect(collection_path, config):
    if wants_cupy(config) and collection_path.suffix == ".py":
        return True if collection_path.name not in on_cupy.FILES else None
    return None


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection():
    """Spare the collector of garbage ten thousand tests, which stay to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(tryfirst=True)  # before the marks are looked at
def pytest_collection_modifyitems(config, items):
    for item in items:
        needed = set(getattr(item, "fixturenames", ()))
        if "browser" in needed:
            item.add_marker("browser")
        if needed & {"site", "student_site", "live_site", "live_student_site"}:
            item.add_marker("built")
    if not wants_cupy(config):
        items[:] = in_good_order(items)
        return
    if not gpu_available():
        for item in items:
            item.add_marker(pytest.mark.skip(reason=on_cupy.NO_CUPY))
        return
    left_out = [item for item in items if on_cupy.says_nothing(item)]
    items[:] = [item for item in items if item not in left_out]
    config.hook.pytest_deselected(items=left_out)


def in_good_order(items):
    """Return the tests, file by file, in an order that keeps two processes busy to the end.

    What takes longest comes first: a file that needs the built site, and so builds it; a notebook
    for the other process meanwhile; the browser; the other notebooks; what is slow; and then the
    small ones.
    """
    files = {}
    for item in items:
        files.setdefault(item.path, []).append(item)

    def is_notebook(path):
        return path.suffix == ".ipynb"

    def needs(path, mark):
        return any(item.get_closest_marker(mark) for item in files[path])

    by_size = sorted(files, key=lambda path: -len(files[path]))
    built = [path for path in by_size if needs(path, "built")]
    notebooks = [path for path in by_size if is_notebook(path)]
    browser = [path for path in by_size if needs(path, "browser")]
    slow = [path for path in by_size if needs(path, "slow")]
    ordered = [*built[:1], *notebooks[:1], *built, *browser, *notebooks, *slow, *by_size]
    return [item for path in dict.fromkeys(ordered) for item in files[path]]


@pytest.fixture
def cupy():
    """The stand-in for CuPy, in its place."""
    with pretended_gpu() as module:
        yield module


# --- The site ------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def site(request, tmp_path_factory):
    """The folder of the instructor's site, built for this run with warnings as errors."""
    return built_once(request, tmp_path_factory, "instructor")


@pytest.fixture(scope="session")
def student_site(request, tmp_path_factory):
    """The folder of the student edition, built for this run; the live one if Pyodide is there."""
    edition = "live-student" if os.environ.get(runtime.VARIABLE) else "student"
    return built_once(request, tmp_path_factory, edition)


@pytest.fixture(scope="session")
def live_site(request, tmp_path_factory):
    """The folder of the live site, built for this run; skipped where Pyodide cannot be had."""
    needs_pyodide()
    return built_once(request, tmp_path_factory, "live")


@pytest.fixture(scope="session")
def live_student_site(request):
    """The folder of the live site without solutions; skipped where Pyodide cannot be had."""
    needs_pyodide()
    return request.getfixturevalue("student_site")


def needs_pyodide():
    """Skip the test without the folder of Pyodide's files; tests download nothing."""
    if not os.environ.get(runtime.VARIABLE):
        pytest.skip(NO_PYODIDE)


def built_once(request, tmp_path_factory, edition):
    """Build an edition, once for all parallel test processes, and return the site's folder."""
    shared = tmp_path_factory.getbasetemp()
    if hasattr(request.config, "workerinput"):
        shared = shared.parent  # each process has a folder of its own inside the run's
    folder = shared / f"site-{edition}"
    log = shared / f"site-{edition}.log"
    try:
        folder.mkdir()
    except FileExistsError:
        wait_for(log)
    else:
        build(folder, edition, log)
    status, _, output = log.read_text(encoding="utf-8").partition("\n")
    if status != "0":
        pytest.fail(f"The {edition}'s site does not build cleanly:\n{output}", pytrace=False)
    return folder / "_build" / "html"


def build(folder, edition, log):
    """Run jupyter-book; the log (exit status, then output) appears when all is done."""
    command = [Path(sys.executable).parent / "jupyter-book", "build", ROOT]
    command += ["--path-output", folder, "-W", "--keep-going", "-q"]
    result = subprocess.run(
        [str(part) for part in command],
        env=os.environ | EDITIONS[edition],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        encoding="utf-8",
        errors="replace",
    )
    unfinished = log.with_suffix(".unfinished")
    unfinished.write_text(f"{result.returncode}\n{result.stdout}", encoding="utf-8")
    unfinished.replace(log)


def wait_for(path):
    """Wait until another process has written the file."""
    deadline = time.monotonic() + BUILD_SECONDS
    while not path.exists():
        if time.monotonic() > deadline:
            pytest.fail(f"{path} was not written within {BUILD_SECONDS} s", pytrace=False)
        time.sleep(0.1)


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves files without a line on the terminal for each."""

    def log_message(self, *args):
        pass


@pytest.fixture(scope="session")
def serve():
    """A function that serves a folder on localhost and returns its address, without a slash."""
    servers = []

    def start(folder, handler=QuietHandler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def site_url(site, serve):
    """The address of the instructor's site, without a slash at the end."""
    return serve(site)


@pytest.fixture(scope="session")
def student_url(student_site, serve):
    """The address of the student edition, without a slash at the end."""
    return serve(student_site)


# --- The browser ---------------------------------------------------------------------------------


def find_browser():
    """Return the path of the browser to test with, or None."""
    named = os.environ.get("CONVBOOK_CHROMIUM")
    candidates = (named,) if named else BROWSERS
    return next(filter(None, map(shutil.which, candidates)), None)


def browser_required():
    """Whether a missing browser is a failure."""
    return os.environ.get("CONVBOOK_REQUIRE_BROWSER", "") not in ("", "0")


@pytest.fixture(scope="session")
def browser():
    """A Chromium without a window; tests are skipped, or fail, where there is none."""
    executable = find_browser()
    if executable is None:
        if browser_required():
            pytest.fail("CONVBOOK_REQUIRE_BROWSER is set, and no browser was found", pytrace=False)
        pytest.skip(NO_BROWSER)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=executable, args=BROWSER_ARGUMENTS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser):
    """A function that opens a blank page in a fresh profile and returns its Visit.

    The options are those of Playwright's ``new_context``: ``viewport``, ``color_scheme``,
    ``has_touch``, ``reduced_motion`` …
    """
    visits = []

    def start(**options):
        visits.append(new_visit(browser, **options))
        return visits[-1]

    yield start
    for visit in visits:
        visit.page.context.close()


@pytest.fixture
def visit(open_page):
    """A function that opens an address in a fresh profile and returns the Visit."""

    def go(address, wait_until="load", **options):
        opened = open_page(**options)
        opened.page.goto(address, wait_until=wait_until)
        return opened

    return go


@pytest.fixture(scope="module")
def live_tab(browser, live_site, serve):
    """A function that opens a page of the live site in a tab of its own and returns the Visit.

    The first starts Python; it stays open, and lends its Python to those that come after it, each
    of which finds it as after a start. Formulas are not set.
    """
    from helpers.live import is_idle, lend_python

    first, url, tabs = new_visit(browser), serve(live_site), []
    context = first.page.context
    context.route("**/mathjax/**", lambda route: route.fulfill(content_type="text/javascript"))

    def go(name):
        idle = bool(tabs) and is_idle(tabs[-1])  # not after a failure in the middle of a cell
        for tab in tabs[idle:]:
            tab.close()
        del tabs[idle:]
        first.outside.clear()
        first.errors.clear()
        if tabs:
            with tabs[0].expect_popup() as opened:
                tabs[0].evaluate("(address) => void open(address)", f"{url}/{name}")
            tabs.append(opened.value)
            tabs[-1].wait_for_load_state()
        else:
            tabs.append(context.new_page())
            tabs[0].goto(f"{url}/{name}")
        lend_python(tabs[-1])
        return Visit(tabs[-1], first.outside, first.errors)

    yield go
    context.close()


def pytest_terminal_summary(terminalreporter):
    """Print the figures that tests measured, and say in one sentence what was left out."""
    stats = terminalreporter.stats
    for report in [*stats.get("passed", []), *stats.get("failed", [])]:
        for name, value in report.user_properties:
            if name == "figure" and report.when == "call":
                terminalreporter.write_line(value)
    skipped = stats.get("skipped", [])
    for reason in (NO_BROWSER, NO_PYODIDE, on_cupy.NO_CUPY):
        if any(reason in str(report.longrepr) for report in skipped):
            terminalreporter.write_line(reason)
