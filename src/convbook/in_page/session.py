"""One run of Python behind a page: its names, and the cells that are run one after the other."""

import ast
import builtins
import json
import linecache
import os
import sys
from contextlib import redirect_stderr, redirect_stdout

from . import bars, errors, needs, standing
from .output import Display, Stream, Writer
from .widgets import Widgets

SHOWN = 200_000  # characters of printed text that a page takes from one cell


class Session:
    """Runs cells in the module ``__main__`` and sends what they do to the page.

    Parameters
    ----------
    post : function(str)
        Takes a message to the page, as JSON.
    """

    def __init__(self, post):
        self._post = post
        self._by_widget, self.moves = {}, 0
        self.writer = Writer(self._send, SHOWN)
        self.widgets = Widgets(self.writer.send)
        self.display = Display(self.writer, self.widgets)
        self.names = sys.modules["__main__"].__dict__
        os.environ["MPLBACKEND"] = f"module://{__package__}.figures"
        standing.install(self.display)
        bars.install(self.writer.send)
        self.names["display"] = self.display
        builtins.input = standing.no_input

    def _send(self, message):
        if "set" not in message:
            message = message | self._by_widget
        self._post(json.dumps(message))

    def run(self, code, number):
        """Run a cell; return True if it came to its end.

        Parameters
        ----------
        code : str
        number : int
            The cell's number on the page, for tracebacks.
        """
        name = f"{errors.CELL}{number}>"
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        return self._shown(self._execute, code, name)

    def _shown(self, function, *arguments):
        """Call a function, and show what it prints, draws and raises; return whether it ended."""
        self.writer.begin()
        try:
            with (
                redirect_stdout(Stream(self.writer, "stdout")),
                redirect_stderr(Stream(self.writer, "stderr")),
            ):
                function(*arguments)
                self.display.figures()
            return True
        except BaseException as error:  # an interrupt and sys.exit too: the page lives on
            self.display.forget_figures()
            self.writer.send({"error": errors.describe(error)})
            return False
        finally:
            self.writer.flush()

    def _execute(self, code, name):
        tree = errors.parse(code, name)
        last = None
        if tree.body and isinstance(tree.body[-1], ast.Expr) and not code.rstrip().endswith(";"):
            last = ast.Expression(tree.body.pop().value)
        exec(compile(tree, name, "exec"), self.names)
        if last is not None:
            value = eval(compile(last, name, "eval"), self.names)
            if value is not None:
                self.display.figures()
                self.display(value)

    def needed(self, codes, stale):
        """Return which cells must run before the last one; both are JSON, as is the answer.

        See `needs.needed`.
        """
        return json.dumps(needs.needed(json.loads(codes), self.names, json.loads(stale)))

    def set_state(self, widget, name, value):
        """Set a widget's trait, because the reader moved something; `value` is JSON.

        What functions print or raise that watch the trait (``widget.observe``) is sent as of this
        widget, with a number that is another one each time.
        """
        self.moves += 1
        self._by_widget = {"from": widget, "move": self.moves}
        try:
            self._shown(self.widgets.set_state, widget, name, json.loads(value))
        finally:
            self._by_widget = {}
