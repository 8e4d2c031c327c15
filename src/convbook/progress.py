"""The progress bar of everything that takes its time."""

import os


def progress_bar(total, wanted=None, **options):
    """Return a progress bar: a widget in a notebook, text elsewhere.

    Parameters
    ----------
    total : int
        How many steps there are.
    wanted : bool, optional
        Whether it is shown; if not given, it is unless the environment variable CONVBOOK_QUIET is
        set.
    **options
        Further arguments of tqdm, such as ``unit`` and ``desc``.
    """
    from tqdm.auto import tqdm  # not at the top: it takes longer to import than all of this package

    tqdm.monitor_interval = 0  # no thread that watches the bars: a browser has none to give
    if wanted is None:
        wanted = not os.environ.get("CONVBOOK_QUIET")
    return tqdm(total=total, disable=not wanted, **options)
