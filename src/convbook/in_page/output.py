"""What a cell prints, draws and shows, on its way to the page."""

import base64
import io
import sys
import time

from . import widgets

SECONDS = 0.05  # printed text is sent in pieces, not letter by letter
LETTERS = 8192
TOO_LONG = "\n… the cell printed more than {:,} characters; the rest is not shown.\n"
BOXES = 500  # values, pictures and pieces of text of one cell
TOO_MANY = "… the cell showed more than {:,} things; the rest is not shown."
LARGEST = 10_000_000  # characters of a picture or of HTML
TOO_LARGE = "… this would be {:.0f} MB of {}; it is not shown."
ITEMS = 1000  # of a list; Jupyter shows as many
FORMS = {  # the first that a value has is shown
    "_repr_html_": "text/html",
    "_repr_svg_": "image/svg+xml",
    "_repr_png_": "image/png",
}


class Writer:
    """Collects printed text into larger pieces, and sends it before anything else that is shown.

    Parameters
    ----------
    send : function(dict)
    shown : int
        How many characters of printed text one cell may show: with ten million a page stands
        still.
    """

    def __init__(self, send, shown):
        self._send, self.shown = send, shown
        self.begin()

    def begin(self):
        """Begin a new cell."""
        self.name, self.text, self.letters = "", [], 0
        self.printed, self.boxes, self.box = 0, 0, ""
        self.sent = time.monotonic()

    def print(self, name, text):
        """Take text printed to the stream `name`."""
        text = self.cut(text)
        if not text:
            return
        if name != self.name:
            self.flush()
            self.name = name
        self.text.append(text)
        self.letters += len(text)
        if self.letters > LETTERS or time.monotonic() - self.sent > SECONDS:
            self.flush()

    def cut(self, text):
        """Return as much of the text as one cell may still show."""
        room = self.shown - self.printed
        if room < 0:
            return ""
        self.printed += len(text)
        if len(text) > room:
            self.printed = self.shown + 1
            return text[:room] + TOO_LONG.format(self.shown)
        return text

    def flush(self):
        """Send the text that waits."""
        same = self.box == self.name and self.boxes <= BOXES
        if self.text and (same or self.opens_a_box()):
            self.box = self.name
            self._send({"stream": self.name, "text": "".join(self.text)})
        self.text, self.letters, self.sent = [], 0, time.monotonic()

    def send(self, message):
        """Send a message, after the text that was printed before it."""
        self.flush()
        if message.get("clear"):
            self.printed = self.boxes = 0
        if "mime" in message:
            message = self.fitting(message)
        if "mime" in message or "html" in message or "clear" in message:
            self.box = ""
            if "clear" not in message and not self.opens_a_box():
                return
        self._send(message)

    def fitting(self, message):
        """Return a message that shows something, or one that says why it does not."""
        mime, data = message["mime"], message["data"]
        if mime == "text/plain":
            return {"mime": mime, "data": self.cut(data)}
        if len(data) > LARGEST:
            return {"mime": "text/plain", "data": TOO_LARGE.format(len(data) / 1e6, mime)}
        return message

    def opens_a_box(self):
        """Whether one thing more may be shown; says so once if not."""
        self.boxes += 1
        if self.boxes == BOXES + 1:
            self._send({"mime": "text/plain", "data": TOO_MANY.format(BOXES)})
        return self.boxes <= BOXES


class Stream(io.TextIOBase):
    """What ``sys.stdout`` and ``sys.stderr`` are while a cell runs."""

    def __init__(self, writer, name):
        self.writer, self.name = writer, name

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.writer.print(self.name, text)
        return len(text)

    def flush(self):
        self.writer.flush()


class Display:
    """Shows values as Jupyter's ``display`` does: widgets alive, else HTML, pictures or text.

    Parameters
    ----------
    writer : Writer
    shown_widgets : widgets.Widgets
    """

    def __init__(self, writer, shown_widgets):
        self.writer, self.widgets = writer, shown_widgets
        self.format, self.options = "png", {}

    def __call__(self, *values):
        for value in values:
            if widgets.is_widget(value):
                self.widgets.show(value)
            else:
                self.writer.send(picture_of(value))

    def use_formats(self, *formats, **options):
        """Stand in for ``set_matplotlib_formats``: "png" or "svg", and arguments of ``savefig``."""
        self.format = "svg" if "svg" in formats else "png"
        self.options = options

    def figures(self):
        """Show Matplotlib's open figures, and close them."""
        pyplot = sys.modules.get("matplotlib.pyplot")
        if pyplot is None:
            return
        for number in pyplot.get_fignums():
            figure = pyplot.figure(number)
            file = io.BytesIO()
            figure.savefig(
                file, format=self.format, bbox_inches="tight", dpi=figure.dpi, **self.options
            )
            if self.format == "svg":
                self.writer.send({"mime": "image/svg+xml", "data": file.getvalue().decode()})
            else:
                self.writer.send(
                    {"mime": "image/png", "data": base64.b64encode(file.getvalue()).decode()}
                )
        pyplot.close("all")

    def forget_figures(self):
        """Close the figures of a cell that failed."""
        if "matplotlib.pyplot" in sys.modules:
            sys.modules["matplotlib.pyplot"].close("all")


def picture_of(value):
    """Return the message that shows a value: the richest form that it has."""
    bundle = getattr(value, "_repr_mimebundle_", None)
    if bundle is not None:
        data = bundle()
        data = data[0] if isinstance(data, tuple) else data
        for mime in FORMS.values():
            if mime in data:
                return {"mime": mime, "data": data[mime]}
    for method, mime in FORMS.items():
        form = getattr(value, method, None)
        data = form() if form is not None and not isinstance(value, type) else None
        if data is not None:
            text = base64.b64encode(data).decode() if isinstance(data, bytes) else data
            return {"mime": mime, "data": text}
    return {"mime": "text/plain", "data": pretty(value)}


def pretty(value):
    """Return the text that Jupyter shows for a value: long lists and dicts on several lines."""
    if not isinstance(value, (dict, list, tuple, set)):
        return repr(value)
    import itertools
    import pprint

    if len(value) <= ITEMS or type(value) not in (dict, list, tuple, set):
        return pprint.pformat(value, sort_dicts=False, width=79)
    items = value.items() if isinstance(value, dict) else value
    text = pprint.pformat(
        type(value)(itertools.islice(items, ITEMS)), sort_dicts=False, width=79, compact=True
    )
    return f"{text[:-1]},\n …{text[-1]}"
