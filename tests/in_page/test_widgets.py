"""A widget that a cell shows: the page hears what Python sets, and Python what the page sets."""

import json
import subprocess
import sys
from textwrap import dedent

# In a fresh Python without anywidget, as in a browser.
PREPARE = """
import json, sys
sys.modules["anywidget"] = None
from convbook.in_page.session import Session

messages = []
session = Session(lambda text: messages.append(json.loads(text)))


def run(code):
    messages.clear()
    assert session.run(code, 1), messages
    return list(messages)


def move(widget, name, value):
    messages.clear()
    session.set_state(widget, name, json.dumps(value))
    return list(messages)

"""


def in_a_browser(code):
    """Run code after the preparation; return what it prints, read as JSON."""
    result = subprocess.run(
        [sys.executable, "-c", PREPARE + dedent(code)], capture_output=True, text=True
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def test_a_widget_is_sent_with_its_script_once_and_its_state():
    found = in_a_browser("""
        first = run("from convbook.widgets import *\\nw = ConvolutionExplorer(stride=2)\\nw")
        again = run("ConvolutionExplorer()")
        print(json.dumps([first, again]))
    """)
    (script, widget), (other,) = found
    assert script["module"] == widget["module"] == "convolution.js" and "render" in script["esm"]
    assert widget["state"]["stride"] == 2 and 'class="convbook-widget"' in widget["html"]
    assert other["widget"] != widget["widget"] and other["state"]["stride"] == 1


def test_python_sees_the_slider_and_the_page_sees_python():
    found = in_a_browser("""
        widget = run("from convbook.widgets import *\\nw = ConvolutionExplorer()\\nw")[-1]["widget"]
        moved = move(widget, "stride", 3)
        seen = run("w.stride")
        changed = run("w.padding = 2")
        refused = move(widget, "stride", -1)
        unknown = move(widget, "nothing", 1) + move("widget-99", "stride", 1)
        print(json.dumps([moved, seen, changed, refused, unknown, widget]))
    """)
    moved, seen, changed, refused, unknown, widget = found
    assert moved == [] and seen == [{"mime": "text/plain", "data": "3"}]
    assert changed == [{"widget": widget, "set": {"padding": 2}}]
    assert refused == [{"widget": widget, "set": {"stride": 3}}] and unknown == []


def test_a_trait_that_follows_another_is_told():
    found = in_a_browser("""
        widget = run("from convbook.widgets import *\\nPoolGradientExplorer()")[-1]["widget"]
        print(json.dumps([widget, move(widget, "stride", 1)]))
    """)
    widget, told = found
    assert all(message["widget"] == widget for message in told)
    assert any("dy" in message["set"] for message in told)


def test_what_watches_a_slider_is_shown_with_it_and_an_error_there_ends_nothing():
    found = in_a_browser("""
        widget = run("from convbook.widgets import *\\nw = ConvolutionExplorer()\\nw")[-1]["widget"]
        run("w.observe(lambda change: print(change.name, 1 / (change.new - 3)), 'stride')")
        moved = [move(widget, "stride", 2), move(widget, "stride", 3)]
        print(json.dumps([widget, *moved, run("w.stride")]))
    """)
    widget, printed, failed, seen = found
    assert "".join(message.pop("text") for message in printed) == "stride -1.0\n"  # in pieces
    assert all(m == {"stream": "stdout", "from": widget, "move": 1} for m in printed)
    assert failed[0]["error"]["kind"] == "ZeroDivisionError" and failed[0]["from"] == widget
    assert seen == [{"mime": "text/plain", "data": "3"}]
