"""No learner's function takes the kernel or the checker with it: it is stopped if it does not end,
and told so if it asks the program to end."""

import signal
import sys
import threading
import time
import types

import nbformat
import numpy as np
import pytest
from nbclient import NotebookClient

from convbook.exercises import EXERCISES, checking
from convbook.exercises.limits import (
    TookTooLong,
    by_alarm,
    by_thread,
    by_trace,
    call_within,
    no_way_out,
)
from helpers.answers import answer_to, correlate

pytestmark = pytest.mark.skipif(sys.gettrace() is not None, reason="a tracer is at work")
WAYS = [by_trace, by_thread] + [by_alarm] * hasattr(signal, "setitimer")
SOON = 0.05


def endless():
    while True:
        pass


def endless_in_a_call():
    while True:
        correlate(np.ones((3, 3)), np.ones((2, 2)))


def endless_and_careless():
    while True:
        try:
            correlate(np.ones((3, 3)), np.ones((2, 2)))
        except Exception:
            continue


def endless_and_swallowing():
    while True:
        try:
            correlate(np.ones((3, 3)), np.ones((2, 2)))
        except:  # noqa: E722 - what a learner may write
            continue


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("function", [endless, endless_in_a_call, endless_and_careless])
def test_an_endless_loop_is_stopped(way, function):
    start = time.monotonic()
    with pytest.raises(TookTooLong):
        way(SOON, function)
    assert SOON <= time.monotonic() - start < 20


@pytest.mark.slow
@pytest.mark.parametrize("way", [way for way in WAYS if way is not by_trace])
def test_a_loop_that_swallows_everything_is_stopped(way):
    with pytest.raises(TookTooLong):
        way(SOON, endless_and_swallowing)


@pytest.mark.skipif(by_alarm not in WAYS, reason="no alarms")
def test_an_alarm_wakes_a_sleeper():
    start = time.monotonic()
    with pytest.raises(TookTooLong):
        by_alarm(SOON, lambda: time.sleep(60))
    assert time.monotonic() - start < 20


@pytest.mark.parametrize("way", WAYS)
def test_what_ends_in_time_is_not_disturbed(way):
    assert way(20, divmod, 7, 3) == (2, 1)
    with pytest.raises(ZeroDivisionError):
        way(20, lambda: 1 // 0)
    with pytest.raises(KeyboardInterrupt):  # whoever interrupts the kernel means the check as well
        way(20, lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert sys.gettrace() is None


@pytest.mark.parametrize("way", WAYS)
def test_nothing_arrives_after_the_end(way):
    """Calls that end about when their time is up: stopped or not, never later."""

    def busy(seconds):
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            pass
        return "done"

    outcomes = set()
    for k in range(60):
        try:
            outcomes.add(way(0.003, busy, 0.002 + k * 4e-5))
        except TookTooLong:
            outcomes.add("stopped")
    for _ in range(2000):  # an exception on its way would be raised here
        pass
    time.sleep(0.02)
    assert outcomes <= {"done", "stopped"}


@pytest.mark.skipif(by_alarm not in WAYS, reason="no alarms")
def test_another_alarm_is_put_back():
    rung = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 30)
        with pytest.raises(TookTooLong):
            by_alarm(SOON, endless)
        assert 20 < signal.getitimer(signal.ITIMER_REAL)[0] <= 30
        signal.raise_signal(signal.SIGALRM)
        assert rung == [signal.SIGALRM]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


# --- which way is taken --------------------------------------------------------------------------


def in_a_thread(function):
    result = []
    thread = threading.Thread(target=lambda: result.append(function()))
    thread.start()
    thread.join(60)
    return result[0]


def stopped():
    try:
        call_within(SOON, endless)
    except TookTooLong:
        return True
    return False


def test_it_works_in_a_thread_which_has_no_alarms():
    assert in_a_thread(stopped)


def test_it_works_without_alarms(monkeypatch):
    monkeypatch.delattr(signal, "setitimer", raising=False)  # as on Windows
    assert stopped()


def test_it_works_without_alarms_and_threads(monkeypatch):
    def start(self):
        raise RuntimeError("can't start new thread")

    monkeypatch.delattr(signal, "setitimer", raising=False)
    monkeypatch.setattr(threading.Thread, "start", start)
    assert stopped()


def test_it_works_in_a_browser(monkeypatch):
    def never(*arguments):
        raise AssertionError("this does nothing in Pyodide")

    monkeypatch.setattr(sys, "platform", "emscripten")
    monkeypatch.setattr(signal, "setitimer", never, raising=False)
    monkeypatch.setattr(threading.Thread, "start", never)
    assert stopped()
    assert call_within(20, correlate, np.ones((3, 3)), np.ones((2, 2))).shape == (2, 2)


@pytest.mark.parametrize("way", WAYS)
def test_a_debugger_may_wait(way):
    def debugged():
        sys.settrace(lambda *event: None)
        sys._getframe().f_trace = lambda *event: None  # as pdb leaves it
        end = time.monotonic() + 6 * SOON
        while time.monotonic() < end:
            pass
        sys.settrace(None)
        return "went on"

    try:
        assert way(SOON, debugged) == "went on"
    finally:
        sys.settrace(None)


# --- what is said --------------------------------------------------------------------------------


def test_an_endless_function_is_told_so(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 0.2)
    calls = []

    def waiting(x, f):
        calls.append(x.shape)
        while True:
            pass

    message = answer_to("3-1.2", waiting)
    assert message.startswith("Not quite: it does not come to an end in the first trial: a square")
    assert "was still at work after 0.2 seconds, and was stopped." in message
    assert "Likely cause: a loop that never ends" in message
    assert len(calls) == 1  # the other trials would only take as long


def test_a_function_that_ends_sometimes_is_told_when_not(monkeypatch):
    monkeypatch.setattr(checking, "SECONDS", 0.2)

    def steps(size, kernel_size, stride, padding):
        places, start = 0, 0
        while start != size + 2 * padding - kernel_size:  # != where it should be <=
            start, places = start + stride, places + 1
        return places + 1

    message = answer_to("3-1.4", steps)
    assert "+ a stride that divides" in message
    assert "x a stride that leaves half a step" in message
    assert "output_length(4, 3, 2, 1) was still at work" in message


@pytest.mark.parametrize("leave", [sys.exit, lambda: exit(1), lambda: quit()])
def test_a_function_that_ends_the_program_is_told_so(leave, monkeypatch):
    monkeypatch.setattr(sys, "stdin", types.SimpleNamespace(close=lambda: None))
    message = answer_to("3-1.2", lambda x, f: leave())
    assert "raised SystemExit" in message and "A function ends with return." in message


def test_quit_of_ipython_is_held_back(monkeypatch):
    asked = []
    shell = type("Shell", (), {"ask_exit": lambda self: asked.append(True)})()
    monkeypatch.setitem(sys.modules, "IPython", types.SimpleNamespace(get_ipython=lambda: shell))
    with no_way_out(), pytest.raises(SystemExit):
        shell.ask_exit()
    assert not asked
    shell.ask_exit()
    assert asked == [True]


def test_a_network_that_never_answers_is_told_so(monkeypatch):
    class Waiting:
        params = types.MappingProxyType({"w": np.zeros(3)})

        def eval(self):
            while True:
                pass

        def __call__(self, x):
            return x

    monkeypatch.setattr(checking, "SECONDS_OPEN", 0.2)
    assert "still at work after 0.2 seconds" in answer_to("3-5-1.7", Waiting())


def test_a_network_that_ends_the_program_is_told_so():
    class Leaving:
        params = types.MappingProxyType({"w": np.zeros(3)})

        def eval(self):
            sys.exit()

        def __call__(self, x):
            return x

    assert "ends the program" in answer_to("3-5-1.7", Leaving())


@pytest.mark.slow
def test_a_kernel_lives_on():
    """In a kernel: an endless loop, IPython's quit, sys.exit, and then it still answers."""
    cells = [
        "from convbook.exercises import check, checking\nchecking.SECONDS = 1\n"
        "def endless(x, f):\n    while True:\n        pass\ncheck('3-1.2', endless)",
        "def leave(x, f):\n    quit()\ncheck('3-1.2', leave)",
        "import sys\ncheck('3-1.2', lambda x, f: sys.exit('good bye'))",
        "print('alive')",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(c) for c in cells])
    NotebookClient(notebook, timeout=120, kernel_name="python3").execute()
    said = ["".join(out.get("text", "") for out in cell.outputs) for cell in notebook.cells]
    assert "was still at work after 1 seconds" in said[0]
    assert "raised SystemExit" in said[1] and "A function ends with return" in said[1]
    assert "raised SystemExit: good bye" in said[2]
    assert said[3] == "alive\n"


def test_the_references_do_not_come_near_the_limit():
    start = time.process_time()
    for key in ("3-1.7", "3-3.7", "3-5-1.5", "3-6-1.4"):
        for _, inputs in EXERCISES[key].trials:
            checking.attempt(EXERCISES[key], EXERCISES[key].reference, inputs)
    assert time.process_time() - start < checking.SECONDS / 5
