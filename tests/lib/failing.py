"""Calls of a gateway that fail on demand: lib/fail.c loaded before all else, and the memory that both share."""
import ctypes
import errno
import mmap
from pathlib import Path

from .process import SOURCE, run

NONE, SHORT = 0xffffffff, -1
CUT_READ = (errno.EINTR, errno.EAGAIN, errno.ECONNRESET, errno.EIO, errno.ENOMEM, SHORT)
NO_ROOM = (errno.EMFILE, errno.ENFILE, errno.ENOMEM)

# As in fail.c, and with what each may fail. A loop that cannot watch a descriptor (epoll_ctl: max_user_watches is
# used up) is ended by libuv itself, and is not among them.
KINDS = {
    "memory": (errno.ENOMEM,),
    "read": CUT_READ,
    "recvmmsg": (errno.EINTR, errno.EAGAIN, errno.ECONNREFUSED, errno.ENOBUFS, errno.ENOMEM, errno.EIO, SHORT),
    "write": (errno.EINTR, errno.EAGAIN, errno.ECONNRESET, errno.EPIPE, errno.ENOSPC, errno.ENOBUFS, errno.EIO, SHORT),
    "sendmmsg": (errno.EINTR, errno.EAGAIN, errno.ENOBUFS, errno.ENOMEM, errno.ENETUNREACH, errno.EPERM, SHORT),
    "accept": (*NO_ROOM, errno.ENOBUFS, errno.EINTR, errno.EAGAIN, errno.ECONNABORTED),
    "open": (*NO_ROOM, errno.EACCES, errno.EIO, errno.EINTR),
    "connect": (errno.ECONNREFUSED, errno.ETIMEDOUT, errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAGAIN,
                errno.ENOBUFS),
    "descriptor": (*NO_ROOM, errno.ENOBUFS),
    "thread": (errno.EAGAIN,),
    "option": (errno.ENOBUFS, errno.ENOMEM, errno.EADDRINUSE),
    "entropy": (errno.EIO,),
    "status": (errno.EIO, errno.ENOENT, errno.ENOMEM),
    "rename": (errno.EIO, errno.ENOSPC),
    "name": (errno.EAGAIN,),
}


def error_name(error):
    return "short" if error == SHORT else errno.errorcode[error]


class _Child(ctypes.Structure):
    _fields_ = [("status", ctypes.c_int32), ("said", ctypes.c_uint32)]


class _Page(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_uint32), ("error", ctypes.c_int32), ("left", ctypes.c_int64),
                ("last", ctypes.c_int64), ("every", ctypes.c_uint32), ("fired", ctypes.c_uint32),
                ("calls", ctypes.c_uint64 * len(KINDS)), ("apart", ctypes.c_uint64), ("not_before", ctypes.c_uint64),
                ("seen", ctypes.c_uint32), ("places", ctypes.c_uint64 * 65536), ("splits", ctypes.c_uint32),
                ("child", ctypes.c_int32), ("children", ctypes.c_uint32), ("alone", ctypes.c_uint32),
                ("ended", _Child * 65536), ("beneath", ctypes.c_char * 32)]


class Failing:
    def __init__(self, folder):
        folder = Path(folder)
        self.library, control = folder / "fail.so", folder / "fail"
        run(["gcc", "-shared", "-fPIC", "-O2", "-o", self.library,
             *(SOURCE / "tests" / "lib" / name for name in ("fail.c", "fail_calls.c", "fail_place.c"))])
        control.write_bytes(bytes(ctypes.sizeof(_Page)))
        with open(control, "r+b") as file:
            self.memory = mmap.mmap(file.fileno(), 0)
        self.page = _Page.from_buffer(self.memory)
        self.page.kind = NONE
        self.environment = dict(LD_PRELOAD=str(self.library), FAIL_CONTROL=str(control))

    def start(self, gateway, ready=True, **more):
        """Starts a gateway that may fail; commands that it is asked by do not. ready: and waits until it serves."""
        before = dict(gateway.env)
        gateway.env.update(self.environment, **more)
        gateway.env["ASAN_OPTIONS"] += ":verify_asan_link_order=0:allocator_may_return_null=1"
        try:
            if ready:
                gateway.start()
            else:
                gateway.begin()
        finally:
            gateway.env = before

    def arm(self, kind, error, at=1, count=1):
        """From now on the at-th call of that kind fails, and those that follow it until there were `count`."""
        self._arm(kind, error, left=at, last=-count)

    def arm_every(self, kind, error, every):
        self._arm(kind, error, every=every)

    def arm_places(self, kind, error, apart, at=1, beneath=""):
        """The first call from each place fails, unless one from there has since forget_places(), and so many calls apart or
        more; of those from the at-th on, and of those beneath that function. A place is the sixteen innermost functions on
        the stack."""
        self._arm(kind, error, apart=apart, not_before=self.calls()[kind] + at - 1, beneath=beneath.encode())

    def arm_children(self, kind, error, places, at=1):
        """The next gateway is split at each call from the at-th on, or at the first of those from each place, for as long as
        it has one thread: its children go on with a call that failed, one after the other."""
        self.page.splits, self.page.children, self.page.child, self.page.alone = 1, 0, 0, 0
        if places:
            self.arm_places(kind, error, 1, at)
        else:
            self._arm(kind, error, left=at, last=-1 << 40)

    def forget_places(self):
        self.page.kind = NONE
        ctypes.memset(self.page.places, 0, ctypes.sizeof(self.page.places))

    def _arm(self, kind, error, **more):
        page = self.page
        page.kind = NONE
        page.error, page.every, page.apart, page.fired, page.seen, page.beneath = error, 0, 0, 0, 0, b""
        for name, value in more.items():
            setattr(page, name, value)
        page.kind = list(KINDS).index(kind)

    def disarm(self):
        """How many calls failed."""
        self.page.kind, self.page.splits = NONE, 0
        return self.page.fired

    @property
    def waiting(self):
        """How many calls came from places whose turn has not come yet."""
        return self.page.seen - self.page.fired

    def calls(self):
        return dict(zip(KINDS, self.page.calls))
