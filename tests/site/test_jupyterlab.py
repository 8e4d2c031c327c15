"""An explorer in a real JupyterLab: the page and Python see the same numbers, both ways."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

import nbformat
import pytest

from convbook.widgets import ConvolutionExplorer, bundle
from helpers.pages import WIDE

CELLS = [
    "from convbook.widgets import ConvolutionExplorer\nw = ConvolutionExplorer()\nw",
    "w.padding = w.padding + 1",
    "import json\nprint(json.dumps([w.stride, w.padding, w.output.tolist()]))",
    "from convbook.widgets import AnswerGrid\nAnswerGrid([[1, 2]])",
]
OPTIONS = [
    "--no-browser",
    "--allow-root",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.port_retries=0",
    "--IdentityProvider.token=",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    "--LabApp.extension_manager=readonly",
]
START_SECONDS = 60
PAGE_MILLISECONDS = 60_000  # the first load of JupyterLab takes long on a busy machine


@pytest.fixture
def lab(tmp_path, browser):
    """The address of a JupyterLab of its own, in a folder with one notebook."""
    notebook = nbformat.v4.new_notebook(
        cells=[nbformat.v4.new_code_cell(text) for text in CELLS],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}},
    )
    (tmp_path / "work").mkdir()
    nbformat.write(notebook, tmp_path / "work" / "explorer.ipynb")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "jupyter", "lab", *OPTIONS, f"--ServerApp.port={port}"]
    # Nothing of the user's own set-up, and nothing left behind in it.
    homes = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR")
    homes += ("JUPYTERLAB_SETTINGS_DIR", "JUPYTERLAB_WORKSPACES_DIR")
    with open(tmp_path / "lab.log", "w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            command,
            cwd=tmp_path / "work",
            env=os.environ | {name: str(tmp_path / name.lower()) for name in homes},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            wait_for_server(f"http://127.0.0.1:{port}/api", server, log)
            yield f"http://127.0.0.1:{port}/lab/tree/explorer.ipynb"
        finally:
            server.terminate()  # its kernel goes with it
            try:
                server.wait(15)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def wait_for_server(address, server, log):
    """Wait until the server answers; fail with what it wrote if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    log.seek(0)
    pytest.fail(f"JupyterLab did not start:\n{log.read()}", pytrace=False)


def as_text(message):
    """Return a message of a web socket as text, whatever it holds besides."""
    return message if isinstance(message, str) else message.decode("utf-8", "replace")


# All kernels end.
END_SESSIONS = """
async () => {
  const [, token] = /_xsrf=([^;]+)/.exec(document.cookie) ?? [];
  const headers = { "X-XSRFToken": token };
  for (const { id } of await (await fetch("/api/sessions")).json())
    await fetch(`/api/sessions/${id}`, { method: "DELETE", headers });
}
"""

# Whether the figure shows this output.
SHOWS = """
([figure, output]) => JSON.stringify(output) === JSON.stringify(
  [...figure.querySelectorAll('[aria-label="Output Y"] tr')]
    .map((row) => [...row.cells].map((cell) => Number(cell.dataset.value))))
"""


def test_explorer_in_jupyterlab(lab, open_page):
    seen = open_page(viewport=WIDE)
    page = seen.page
    page.set_default_timeout(PAGE_MILLISECONDS)
    received = []  # the kernel's messages
    note = lambda message: received.append(as_text(message))  # noqa: E731
    page.on("websocket", lambda socket: socket.on("framereceived", note))
    page.goto(lab)
    cells = page.locator(".jp-Notebook .jp-CodeCell")
    figure = cells.nth(0).locator(".convbook-widget:has(.cb)")
    stride = figure.get_by_role("slider", name="stride")
    printed = cells.nth(2).locator(".jp-OutputArea-output pre")
    twin = ConvolutionExplorer()

    def run(index):
        cells.nth(index).locator(".cm-content").click()
        page.keyboard.press("Control+Enter")

    def assert_python_and_page_agree():
        """Python prints what its twin has, and the figure shows it."""
        run(2)
        expected = json.dumps([twin.stride, twin.padding, twin.output.tolist()])
        page.wait_for_function(
            "([element, text]) => element.textContent.trim() === text",
            arg=[printed.element_handle(), expected],
        )
        page.wait_for_function(SHOWS, arg=[figure.element_handle(), twin.output.tolist()])

    # The notebook's own sign is idle before a kernel is there at all.
    page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()
    figure.wait_for()
    printed.wait_for()
    twin.padding = 1
    assert_python_and_page_agree()

    # The slider takes the arrow keys, and the notebook does not move on to another cell.
    cells.nth(0).locator(".jp-InputPrompt").first.click()  # command mode, where it would
    stride.focus()
    page.keyboard.press("ArrowRight")
    assert stride.input_value() == "2"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    twin.stride = 3
    assert stride.evaluate("(slider) => document.activeElement === slider")
    assert "jp-mod-active" in cells.nth(0).get_attribute("class")
    assert_python_and_page_agree()

    # So do the cells of a matrix; and letters typed there are not taken for commands.
    figure.locator('[aria-label="Output Y"] td').first.focus()
    page.keyboard.press("ArrowDown")
    picked = figure.locator('[aria-label="Output Y"] td.picked')
    assert picked.evaluate("(cell) => [cell.parentNode.rowIndex, cell.cellIndex]") == [1, 0]
    figure.get_by_role("textbox", name="F row 0, column 0").focus()
    page.keyboard.type("-5")
    twin.f = [[-5, *twin.f[0][1:]], *twin.f[1:]]
    assert cells.count() == len(CELLS)
    assert_python_and_page_agree()

    # What Python sets, the figure shows.
    run(1)
    twin.padding = 2
    page.wait_for_function(SHOWS, arg=[figure.element_handle(), twin.output.tolist()])
    assert_python_and_page_agree()
    assert seen.outside == []

    # Ctrl+S in a figure saves the notebook.
    stride.focus()
    with page.expect_response(
        lambda response: response.request.method == "PUT" and "explorer.ipynb" in response.url
    ):
        page.keyboard.press("Control+s")

    # The second figure shares the first one's parts: each has travelled once.
    cells.nth(3).locator(".convbook-widget .cb").wait_for()
    modules = bundle.with_imports("convolution.js", "answer.js")
    sent = [message for message in received if "comm_open" in message]
    for name in [*modules, *bundle.sheets(modules)]:
        assert sum(f'"name": "{name}"' in message for message in sent) == 1, name

    # Opened again without the kernel that made it, the notebook shows the static form, and no error
    # beside it.
    assert not cells.nth(0).locator(".cb-plain").first.is_visible()
    page.evaluate(END_SESSIONS)
    page.reload()
    cells.nth(0).locator(".cb-plain").wait_for()
    cells.nth(0).get_by_text("model not found").wait_for(state="attached")
    shown = cells.nth(0).locator(".jp-OutputArea").inner_text()
    assert "model not found" not in shown and "4 × 4" in shown
