"""What the commands say, and how they fail: one sentence, never a traceback."""

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

from .paths import CHECKOUT, LOGS, MADE

# A disk with less room than this is full to most programs.
FULL = 50_000_000
# How the lines begin in which apt, pip, npm, Python and Odoo say what went wrong.
TELLING = re.compile(
    r"E: |ERROR|npm error|FATAL|\w+(\.\w+)*(Error|Exception)\b|\S+ \S+ \d+ (ERROR|CRIT)"
)
# What pip says of every try; its last word is that there is no such package.
UNREACHED = "NewConnectionError"


class Stop(Exception):
    """Something only the person at the keyboard can mend, said in one sentence."""


def say(text):
    print(text, flush=True)


def shown(path):
    """Return the path as the reader would type it."""
    try:
        return str(path.relative_to(CHECKOUT))
    except ValueError:
        return str(path)


def duration(seconds):
    minutes, seconds = divmod(round(seconds), 60)
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"


@contextlib.contextmanager
def step(text):
    """Say what is being done and, where it was worth a wait, how long it took."""
    say(f"• {text}")
    start = time.monotonic()
    yield
    took = time.monotonic() - start
    if took >= 2:
        say(f"  done in {duration(took)}")


def main(function):
    """Run a command and turn what can go wrong around it into a sentence."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    try:
        sys.exit(function(sys.argv[1:]))
    except Stop as stop:
        reason = str(stop)
    except KeyboardInterrupt:
        say("")
        sys.exit(130)
    except OSError as error:
        if error.errno == errno.ENOSPC:
            reason = f"The disk that holds {MADE} is full: make room and call again."
        elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            reason = f"{error.filename or MADE} cannot be written: {error.strerror}."
        else:
            raise
    print(f"\nSorry: {reason}", file=sys.stderr, flush=True)
    sys.exit(1)


def run(command, *, log, failure, env=None, cwd=None, progress=None):
    """Run a long command, its output in a log file, and say how far it is.

    :param str log: name of the log file
    :param str failure: the sentence for when it fails
    :param str progress: expression whose last match in the log tells how far it is
    """
    LOGS.mkdir(parents=True, exist_ok=True)
    path = LOGS / f"{log}.log"
    try:
        with path.open("wb") as output:
            process = subprocess.Popen(
                command,
                env=env,
                cwd=cwd,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
    except FileNotFoundError as error:
        raise Stop(f"{failure}: `{command[0]}` is not on this machine.") from error
    start = said = time.monotonic()
    try:
        while True:
            try:
                code = process.wait(timeout=1)
                break
            except subprocess.TimeoutExpired:
                if time.monotonic() - said >= 15:
                    said = time.monotonic()
                    _say_progress(path, progress, said - start)
    except BaseException:
        process.terminate()
        process.wait()
        raise
    if code:
        reason = _reason(path)
        with path.open("a") as output:
            output.write(f"\nexit code {code}: {shlex.join(map(str, command))}\n")
        raise Stop(f"{failure}: {reason} (all of it: {shown(path)})")
    return path


def foreground(command, *, env, cwd=None):
    """Run a command at the terminal, which tells it of Ctrl-C itself.

    :return: its exit code
    """
    with forwarding(subprocess.Popen(command, env=env, cwd=cwd)) as process:
        return process.wait()


@contextlib.contextmanager
def forwarding(process, *, hears_interrupt=True):
    """Leave it to a process to react to signals, and wait for it to end.

    :param bool hears_interrupt: whether the terminal tells it of Ctrl-C
    """

    def interrupt(*_):
        if not hears_interrupt:
            process.send_signal(signal.SIGINT)

    def terminate(*_):
        process.terminate()

    handlers = {
        signal.SIGINT: interrupt,
        signal.SIGTERM: terminate,
        signal.SIGHUP: terminate,
    }
    before = {number: signal.signal(number, do) for number, do in handlers.items()}
    try:
        yield process
    finally:
        process.wait()
        for number, do in before.items():
            signal.signal(number, do)


def _say_progress(path, expression, seconds):
    where = []
    if expression:
        where = re.findall(expression, path.read_text(errors="replace"))[-1:]
    say(", ".join([f"  … {duration(seconds)}", *where]))


def _reason(path):
    """Return the line of a log that most likely says why."""
    text = path.read_text(errors="replace")
    full = shutil.disk_usage(MADE).free < FULL
    if full or "No space left on device" in text:
        return "the disk is full"
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if TELLING.match(line)]
    # apt says what failed first, and last that something has.
    first = [line for line in telling if line.startswith("E: Failed to fetch")]
    reason = [*first[:1], *telling[-1:], *lines[-1:], "no reason given"][0]
    return reason.rstrip(".") + (", for want of a network" if UNREACHED in text else "")


def output(command, env=None):
    """Return what a short command prints, or raise `CalledProcessError`."""
    return subprocess.run(
        command, env=env, check=True, capture_output=True, text=True
    ).stdout.strip()


def digest(*parts):
    """Return a short hash of strings, bytes and the content of files."""
    result = hashlib.sha256()
    for part in parts:
        if hasattr(part, "read_bytes"):
            part = part.read_bytes()
        elif isinstance(part, str):
            part = part.encode()
        result.update(hashlib.sha256(part).digest())
    return result.hexdigest()[:16]


@contextlib.contextmanager
def lock(name, doing):
    """Let one call at a time do this; a second waits and says so.

    The kernel drops the lock with the process, however that ends.
    """
    MADE.mkdir(exist_ok=True)
    with (MADE / f"{name}.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"• Waiting for another call that is {doing} …")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def is_root():
    return os.geteuid() == 0
