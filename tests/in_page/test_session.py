"""What a page is sent when a cell is run: as in a browser, with this machine's Python."""

import base64
import builtins
import json
import sys
import types

import pytest

from convbook.in_page import errors
from convbook.in_page.output import BOXES, LETTERS
from convbook.in_page.session import SHOWN, Session


@pytest.fixture
def page(monkeypatch):
    """A session whose messages are collected; what it changes in this Python is put back."""
    import matplotlib.pyplot as plt
    import tqdm
    import tqdm.auto
    import tqdm.std

    for module in (tqdm, tqdm.auto, tqdm.std):
        monkeypatch.setattr(module, "tqdm", module.tqdm)
        if hasattr(module, "trange"):
            monkeypatch.setattr(module, "trange", module.trange)
    monkeypatch.setattr(builtins, "input", builtins.input)
    monkeypatch.setitem(sys.modules, "__main__", types.ModuleType("__main__"))
    monkeypatch.setenv("MPLBACKEND", "agg")
    plt.close("all")  # a cell shows every open figure: also one that another test has left
    yield Page()
    plt.close("all")


class Page:
    """The page's side: runs cells and keeps what it is sent."""

    def __init__(self):
        self.messages = []
        self.session = Session(lambda text: self.messages.append(json.loads(text)))
        self.number = 0

    def run(self, code):
        """Run the next cell; return whether it came to its end, and what it sent.

        Text is sent on when some time has gone by: what follows each other is joined here, so that
        a busy machine makes no difference.
        """
        self.number += 1
        self.messages.clear()
        ended = self.session.run(code, self.number)
        joined = []
        for message in self.messages:
            if "stream" in message and joined and joined[-1].get("stream") == message["stream"]:
                joined[-1] = message | {"text": joined[-1]["text"] + message["text"]}
            else:
                joined.append(message)
        return ended, joined

    def error(self, code):
        """Run a cell that fails; return the error that is shown."""
        ended, messages = self.run(code)
        assert not ended
        return messages[-1]["error"]


def printed(messages, stream="stdout"):
    return "".join(message["text"] for message in messages if message.get("stream") == stream)


# --- Output --------------------------------------------------------------------------------------


def test_cells_share_their_names_and_show_the_last_value(page):
    assert page.run("x = 20\nprint('x is', x)") == (
        True,
        [{"stream": "stdout", "text": "x is 20\n"}],
    )
    assert page.run("x + 1") == (True, [{"mime": "text/plain", "data": "21"}])
    assert page.run("x + 1;") == (True, [])
    assert page.run("None") == (True, [])
    assert page.run("# nothing") == (True, [])


def test_printed_text_and_values_keep_their_order(page):
    _, messages = page.run("""
import sys
print("first")
display(1)
print("second", file=sys.stderr)
print("third")
[2]""")
    assert messages == [
        {"stream": "stdout", "text": "first\n"},
        {"mime": "text/plain", "data": "1"},
        {"stream": "stderr", "text": "second\n"},
        {"stream": "stdout", "text": "third\n"},
        {"mime": "text/plain", "data": "[2]"},
    ]


def test_ten_megabytes_of_text_are_cut_and_sent_in_large_pieces(page):
    ended, messages = page.run("for _ in range(100_000):\n    print('x' * 99)")
    text = printed(messages)
    assert ended and len(text) < SHOWN + 200 and text.endswith("the rest is not shown.\n")
    assert len(messages) < 2 * SHOWN / LETTERS + 20
    assert printed(page.run("print('next')")[1]) == "next\n"


def test_ten_megabytes_in_any_other_form_are_cut(page):
    for code in ("'x' * 10_000_000", "raise ValueError('x' * 10_000_000)", "display('x' * 10**7)"):
        _, messages = page.run(code)
        assert len(json.dumps(messages)) < SHOWN + 500, code
    many = page.run("list(range(10**6))")[1][0]["data"]
    assert many.startswith("[0,") and many.endswith("999,\n …]") and len(many) < 10_000
    assert page.run("dict.fromkeys(range(2000))")[1][0]["data"].endswith("999: None,\n …}")
    page.run("class Page:\n    def _repr_html_(self):\n        return 'x' * 20_000_000")
    assert "20 MB of text/html" in page.run("Page()")[1][0]["data"]


def test_thousands_of_things_are_cut(page):
    for code in (
        "for i in range(2000): display(i)",
        "import sys\nfor i in range(2000): print(i, file=(sys.stdout, sys.stderr)[i % 2])",
    ):
        ended, messages = page.run(code)
        assert ended and len(messages) == BOXES + 1
        assert "more than 500 things" in messages[-1]["data"]
    # What is cleared away does not count.
    animation = "from convbook.in_page.standing import clear_output\nfor i in range(2000):\n"
    _, messages = page.run(f"{animation}    clear_output()\n    display(i)")
    assert messages[-1] == {"mime": "text/plain", "data": "1999"}


def test_figures_are_sent_when_they_are_shown_and_at_the_end(page):
    _, messages = page.run("""
import matplotlib.pyplot as plt
plt.switch_backend("module://convbook.in_page.figures")
plt.plot([1, 2])
plt.show()
print("between")
fig, ax = plt.subplots()""")
    kinds = [message.get("mime", message.get("stream")) for message in messages]
    assert kinds == ["image/png", "stdout", "image/png"]
    assert base64.b64decode(messages[0]["data"]).startswith(b"\x89PNG")


def test_figures_as_drawings(page):
    page.session.display.use_formats("svg", metadata={"Date": None})
    _, messages = page.run("import matplotlib.pyplot as plt\nplt.plot([1, 2]);")
    assert messages[0]["mime"] == "image/svg+xml" and "<svg" in messages[0]["data"]


def test_values_are_shown_in_their_richest_form(page):
    _, messages = page.run("""
class Table:
    def _repr_html_(self):
        return "<b>bold</b>"
Table()""")
    assert messages == [{"mime": "text/html", "data": "<b>bold</b>"}]


@pytest.mark.parametrize("given", ["bytes(2)", "'two.png'", "filename=Path('two.png')"])
def test_pictures_are_shown_as_bytes_or_from_a_file(page, given, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "two.png").write_bytes(bytes(2))
    _, messages = page.run(
        f"from pathlib import Path\nfrom convbook.in_page.standing import Image\nImage({given})"
    )
    assert messages == [{"mime": "image/png", "data": base64.b64encode(bytes(2)).decode()}]


def test_a_bar_tells_how_far_it_is(page, monkeypatch):
    monkeypatch.delenv("CONVBOOK_QUIET", raising=False)
    ended, messages = page.run("""
from convbook.progress import progress_bar
with progress_bar(30, unit="batch") as bar:
    for _ in range(30):
        bar.update()""")
    told = [message["progress"] for message in messages if "progress" in message]
    assert ended and told[0]["done"] == 0 and told[-1]["done"] == told[-1]["total"] == 30
    assert told[-1]["ended"] and "30/30 batch" in told[-1]["text"]
    assert len({each["id"] for each in told}) == 1 and not printed(messages, "stderr")


# --- Errors --------------------------------------------------------------------------------------


def test_an_error_shows_own_lines_only(page):
    page.run("def inverse(x):\n    return np.linalg.inv(x)\n\nimport numpy as np")
    error = page.error("y = 1\nz = inverse(np.zeros((2, 2)))")
    assert error["text"] == (
        "Cell 2, line 2:\n    z = inverse(np.zeros((2, 2)))\n"
        "Cell 1, line 2, in inverse:\n    return np.linalg.inv(x)\n"
        "numpy.linalg.LinAlgError: Singular matrix"
    )
    assert (error["cell"], error["line"], error["kind"]) == (1, 2, "LinAlgError")


def test_a_syntax_error_names_its_line(page):
    error = page.error("x = 1\nfor i in range(3)\n    print(i)")
    assert (error["cell"], error["line"]) == (1, 2)
    assert (
        error["text"].startswith("Cell 1, line 2:\n    for i in range(3)")
        and "expected ':'" in error["text"]
    )


def test_what_was_printed_before_an_error_is_shown(page):
    _, messages = page.run("print('before')\n1 / 0")
    assert printed(messages) == "before\n" and "ZeroDivisionError" in messages[-1]["error"]["text"]


def test_a_missing_name_is_named(page):
    assert page.error("print(mistyped)")["name"] == "mistyped"


def test_an_interrupt_and_an_exit_end_the_cell_only(page):
    assert page.error("raise KeyboardInterrupt")["text"].endswith("Stopped.")
    assert page.error("import sys; sys.exit(1)")["kind"] == "SystemExit"
    assert page.run("1") == (True, [{"mime": "text/plain", "data": "1"}])


def test_a_deep_recursion_is_cut(page):
    error = page.error("def f(n):\n    return f(n + 1)\nf(0)")
    assert error["kind"] == "RecursionError"
    assert (
        error["text"].count("Cell 1") == errors.LAST_FRAMES and "more calls above" in error["text"]
    )


@pytest.mark.parametrize(
    "code, sentence",
    [
        ("input('your name? ')", "write the answer into the code"),
        ("%matplotlib inline", "do not run on a page"),
        ("!pip install torch", "do not run on a page"),
        ("import torch_geometric_is_not_there", "packages on this page"),
        (
            "raise ModuleNotFoundError(\"No module named 'torch'\", name='torch')",
            "PyTorch does not run",
        ),
        (
            "raise ModuleNotFoundError(\"No module named 'keras.layers'\", name='keras.layers')",
            "Keras does not",
        ),
        ("raise ModuleNotFoundError(\"No module named 'pooch'\", name='pooch')", "embedded sample"),
        ("open('my-photo.png')", "no files of your computer"),
        ('raise RuntimeError("can\'t start new thread")', "one thread"),
        (
            "import urllib.error\nraise urllib.error.URLError('unknown url type: https')",
            "no network",
        ),
        ("raise MemoryError", "2 GB"),
        ("raise ValueError('array is too big; `arr.size * …')", "2 GB"),
    ],
)
def test_what_a_page_cannot_do_is_said_in_a_sentence(page, code, sentence):
    error = page.error(code)
    assert sentence in error["advice"] + error["text"]


def test_an_ordinary_error_needs_no_sentence(page):
    for code in ("1 / 0", "[][1]", "int('x')", "raise OSError('odd')", "{}['a']"):
        assert page.error(code)["advice"] == ""


def test_a_percent_sign_that_continues_a_formula_is_python(page):
    assert page.run("x = (7\n     % 4)\nx")[1] == [{"mime": "text/plain", "data": "3"}]


# --- Exercises -----------------------------------------------------------------------------------


def test_check_and_hint_answer(page):
    page.run("from convbook.exercises import check, hint")
    assert printed(page.run('check("3-1.1", None)')[1]).startswith("Not yet")
    assert printed(page.run('hint("3-1.1")')[1]).startswith("Hint 1 of 3")
