"""Ctrl-C is never lost, wherever Python was when it came."""

import signal
import threading
import weakref

import pytest
from sharewell.interruption import Interruption


class Thing:
    pass


def interrupt(*_):
    signal.raise_signal(signal.SIGINT)


@pytest.fixture(autouse=True)
def ctrl_c_interrupts():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_it_is_raised_at_once_in_ordinary_code():
    with pytest.raises(KeyboardInterrupt), Interruption():
        interrupt()


def test_one_that_a_callback_swallowed_is_raised_at_the_next_check(monkeypatch):
    shown = []
    monkeypatch.setattr("sys.unraisablehook", shown.append)
    with pytest.raises(KeyboardInterrupt), Interruption() as interruption:
        thing = Thing()
        reference = weakref.ref(thing, interrupt)
        del thing  # the callback runs here, and Python swallows what it raises
        assert reference() is None
        interruption.check()
    assert shown == []


def test_without_ctrl_c_a_check_does_nothing_and_the_handler_is_put_back():
    with Interruption() as interruption:
        interruption.check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_other_errors_in_a_callback_are_still_shown(monkeypatch):
    shown = []
    monkeypatch.setattr("sys.unraisablehook", shown.append)

    def fail(_):
        raise RuntimeError("shown")

    with Interruption():
        thing = Thing()
        reference = weakref.ref(thing, fail)
        del thing
        assert reference() is None
    assert [error.exc_type for error in shown] == [RuntimeError]


def test_ctrl_c_that_is_ignored_stays_ignored():
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Interruption() as interruption:
        interrupt()
        interruption.check()


def test_in_another_thread_it_changes_nothing():
    seen = []

    def work():
        with Interruption() as interruption:
            interruption.check()
            seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [signal.default_int_handler]
