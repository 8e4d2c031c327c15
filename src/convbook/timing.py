"""How long something takes: for pages and benchmarks, so that none writes a clock of its own."""

from time import perf_counter, process_time


def milliseconds(function, *arguments, repeats=5):
    """Return the time of the fastest of several calls, in milliseconds.

    The fastest, because whatever else the machine does can only make a call slower.

    Parameters
    ----------
    function : function(*arguments)
    *arguments
    repeats : int
        How many calls.

    Returns
    -------
    float
    """
    times = []
    for _ in range(repeats):
        start = perf_counter()
        function(*arguments)
        times.append(perf_counter() - start)
    return 1000 * min(times)


def timed(function, *arguments, **options):
    """Return what a function returns, and the processor time that it took, in seconds.

    Processor time does not count while other programs have the processor. It adds up the threads of
    this one.
    """
    start = process_time()
    result = function(*arguments, **options)
    return result, process_time() - start
