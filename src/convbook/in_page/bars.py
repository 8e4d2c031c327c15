"""Progress bars on a page: tqdm's, drawn by the page."""

import io
import itertools

import tqdm.auto
import tqdm.std

numbers = itertools.count(1)

WITH_TOTAL = "{desc}{n_fmt}/{total_fmt} {unit} [{elapsed}<{remaining}{postfix}]"
WITHOUT = "{desc}{n_fmt} {unit} [{elapsed}{postfix}]"


class PageBar(tqdm.std.tqdm):
    """A tqdm bar that sends how far it is, where others print."""

    send = None

    def __init__(self, *args, **keywords):
        self.number = next(numbers)
        super().__init__(*args, **{**keywords, "file": io.StringIO()})  # nothing of it is printed

    def display(self, msg=None, pos=None):
        self.tell()
        return True

    def close(self):
        shown = not self.disable
        super().close()
        if shown:
            self.tell(ended=True)

    def clear(self, nolock=False):
        """Nothing is printed, and so nothing has to be cleared away."""

    def tell(self, ended=False):
        """Send the bar's place, and its text: what is done, the time left, what was added to it."""
        form = WITH_TOTAL if self.total else WITHOUT
        text = self.format_meter(**{**self.format_dict, "bar_format": form})
        PageBar.send(
            {
                "progress": {
                    "id": self.number,
                    "done": self.n,
                    "total": self.total,
                    "text": text,
                    "ended": ended,
                }
            }
        )


def install(send):
    """Let every bar that is made from now on be the page's.

    Parameters
    ----------
    send : function(dict)
    """
    PageBar.send = staticmethod(send)
    PageBar.monitor_interval = 0
    for module in (tqdm, tqdm.auto, tqdm.std):
        module.tqdm = PageBar
    for module in (tqdm, tqdm.auto):
        module.trange = lambda *args, **keywords: PageBar(range(*args), **keywords)
