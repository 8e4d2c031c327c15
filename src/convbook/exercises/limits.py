"""A time limit for a learner's function, and no way for it to end the program.

There are three ways to stop a function that does not end by itself. On Linux and macOS an alarm
of the operating system interrupts it. On Windows, or in a thread, where no alarm can be set, a
second thread asks Python to raise an exception in the first one. In a browser (Pyodide) there is
neither; there Python looks at the clock before each instruction of the function, which costs
some speed.

None of them can interrupt a single call of a function written in C, such as one matrix product of
enormous arrays: Python is asked again only when it returns.
"""

from __future__ import annotations

import signal
import sys
import threading
import time
from contextlib import contextmanager

LIBRARIES = ("convbook", "numpy")  # what always comes to an end
# Seconds after which a function that has swallowed the exception gets it again. Long enough for
# others to report it where it came in a destructor, from which nothing can be raised.
AGAIN = 0.05


class TookTooLong(BaseException):
    """Raised inside a function that is still at work; `except Exception` does not catch it."""


def call_within(seconds, function, *inputs):
    """Call a function and raise `TookTooLong` in it if it is still at work after some seconds.

    A function in which a debugger is waiting for somebody to type is not disturbed.
    """
    if sys.platform == "emscripten":
        return by_trace(seconds, function, *inputs)
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        return by_alarm(seconds, function, *inputs)
    try:
        return by_thread(seconds, function, *inputs)
    except CannotWatch:
        return by_trace(seconds, function, *inputs)


def by_alarm(seconds, function, *inputs):
    """Call a function, interrupted by a signal; only in the main thread of a POSIX system."""
    running, own = True, sys._getframe().f_code

    def ring(number, frame):
        # When this very frame is interrupted, the function has not begun or has just returned.
        if running and frame.f_code is not own and not _debugged(frame):
            raise TookTooLong

    handler = signal.signal(signal.SIGALRM, ring)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds, AGAIN)
    try:
        return function(*inputs)
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL if handler is None else handler)
        if timer[0]:  # somebody else's alarm was set already
            signal.setitimer(signal.ITIMER_REAL, *timer)


class CannotWatch(Exception):
    """No second thread can be started."""


def by_thread(seconds, function, *inputs):
    """Call a function, interrupted by a second thread, which raises the exception in this one."""
    thread, own = threading.get_ident(), (sys._getframe().f_code, _let_arrive.__code__)
    begun, returned, lock = False, threading.Event(), threading.Lock()

    def watch():
        pause = seconds
        while not returned.wait(pause):
            pause = AGAIN
            with lock:
                frame = sys._current_frames().get(thread)
                if begun and not (
                    returned.is_set() or frame is None or frame.f_code in own or _debugged(frame)
                ):
                    _raise_in(thread, TookTooLong)

    try:
        threading.Thread(target=watch, daemon=True).start()
    except RuntimeError as error:
        raise CannotWatch from error
    try:
        begun = True
        return function(*inputs)
    finally:
        try:
            _let_arrive(returned, lock)
        except TookTooLong:  # it arrived on the way there
            _let_arrive(returned, lock)


def _let_arrive(returned, lock):
    """Let no more exceptions be sent to this thread, and swallow one that is on its way.

    It could be taken back as well, but then Python 3.11 does not trace this thread any more.
    """
    while True:
        try:
            with lock:
                returned.set()
            for _ in range(100):  # Python looks for exceptions at each turn of a loop
                pass
            return
        except TookTooLong:
            continue


def by_trace(seconds, function, *inputs):
    """Call a function with a look at the clock before each instruction, but not in libraries."""
    if sys.gettrace() is not None:
        return function(*inputs)
    end = time.monotonic() + seconds

    def look(frame, event, argument):
        if frame.f_globals.get("__name__", "").partition(".")[0] in LIBRARIES:
            return None
        frame.f_trace_opcodes = True  # a loop in a single line has no other events
        if time.monotonic() > end:
            raise TookTooLong
        return look

    sys.settrace(look)
    try:
        return function(*inputs)
    finally:
        sys.settrace(None)


@contextmanager
def no_way_out():
    """Let `quit` and `exit` of IPython, which would end the kernel, raise SystemExit in its place.

    `sys.exit` raises it by itself. `os._exit` and the like cannot be held back.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython else None
    if shell is None:
        yield
        return

    def refuse():
        raise SystemExit

    shell.ask_exit = refuse  # hides the method of this name
    try:
        yield
    finally:
        del shell.ask_exit


def _raise_in(thread, error):
    """Let Python raise an exception in a thread as soon as it can."""
    import ctypes

    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))


def _debugged(frame):
    """Tell whether a debugger follows this frame or one of its callers."""
    while frame is not None:
        if frame.f_trace is not None:
            return True
        frame = frame.f_back
    return False
