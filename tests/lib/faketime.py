"""A gateway whose clock on the wall shows another time: Debian's libfaketime is loaded before all else."""
import contextlib
import os

from .process import program, run


class Faketime:
    """The monotonic clock stays as it is, as with a real clock that is set."""

    def __init__(self, folder):
        self.file = folder / "faketime"
        found = run([program("dpkg-query"), "-L", "libfaketime"]).stdout.split()
        self.library = next(each for each in found if each.endswith("/libfaketime.so.1"))
        self.shift(0)
        self.environment = dict(
            LD_PRELOAD=self.library, FAKETIME_TIMESTAMP_FILE=str(self.file), FAKETIME_NO_CACHE="1",
            FAKETIME_DONT_FAKE_MONOTONIC="1", DONT_FAKE_MONOTONIC="1", FAKETIME_DISABLE_SHM="1",
            NO_FAKE_STAT="1")

    def shift(self, seconds):
        """From now on it shows the time of so many seconds from now."""
        new = self.file.with_suffix(".new")
        new.write_text(f"{seconds:+d}\n")
        new.rename(self.file)
        self.seconds = seconds

    @contextlib.contextmanager
    def everywhere(self, seconds):
        """What is started meanwhile has such a clock."""
        self.shift(seconds)
        before = dict(os.environ)
        os.environ.update(self.environment)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(before)
            self.shift(0)

    def laptop(self, controller):
        """Supplicants of this wifi controller have the same clock."""
        controller.enter = ["env", *(f"{name}={value}" for name, value in self.environment.items())]

    def start(self, gateway):
        """Each look at the clock reads a file: the sandbox would refuse that."""
        gateway.raddb.gateway["sandbox"] = False
        gateway.raddb.write()
        before = dict(gateway.env)
        gateway.env.update(self.environment)
        gateway.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0"
        try:
            gateway.start()
        finally:
            gateway.env = before
