"""Processes that never outlive us, and free ports."""
import atexit
import ctypes
import errno
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

SOURCE = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("ROAMGATE_BUILD", SOURCE / "build")).resolve()
SLOW = float(os.environ.get("ROAMGATE_SLOW", "1"))  # sanitizers: deadlines of tests grow by this

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
_running = set()
_BLOCK = 50
_ports = []  # claimed, and not yet given out
_claims = []  # a socket for each block of ports
_random = random.Random(os.urandom(8))


def program(name):
    """The path of a program; /usr/sbin is not on everyone's PATH."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin")
    if not found:
        raise FileNotFoundError(f"{name} is not installed: run scripts/setup")
    return found


def _claim_ports():
    """The ports of a block that no other test process of this machine has or gets: the block's name is a
    socket's, which the kernel takes away when we end."""
    first_ephemeral = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    blocks = list(range(10000, min(first_ephemeral, 60000) - _BLOCK, _BLOCK))
    _random.shuffle(blocks)
    for block in blocks:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            claim.bind(f"\0roamgate-tests-ports-{block}")
        except OSError:
            claim.close()
            continue
        _claims.append(claim)
        return list(range(block, block + _BLOCK))
    raise RuntimeError(f"no free ports from 10000 to {first_ephemeral} (ip_local_port_range)")


def _is_free(host, port):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as udp, \
            socket.socket(family, socket.SOCK_STREAM) as tcp:
        # What a server that ended leaves in TIME-WAIT keeps nobody from listening.
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind((host, port))
            tcp.bind((host, port))
        except OSError:
            return False
    return True


def free_port(host="127.0.0.1"):
    """A port for UDP and TCP that is ours until we end: no other test process is given it, and it lies
    below those that the kernel gives to sockets that name none."""
    while True:
        if not _ports:
            _ports.extend(_claim_ports())
        port = _ports.pop()
        if _is_free(host, port):
            return port


def wait_for(condition, seconds=10, what="condition", every=0.02):
    """Waits until condition() is true, and returns what it returned."""
    end = time.monotonic() + seconds * SLOW
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds * SLOW:.0f} s for {what}")
        time.sleep(every)


def _follow_parent():
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what a shell starts in the background ignores it


class Process:
    """A child in a group of its own, its output in a file. Dies with us, whatever happens."""

    def __init__(self, argv, log, env=None, cwd=None, namespace=None, stdin=subprocess.DEVNULL):
        argv = [str(word) for word in argv]
        argv[0] = program(argv[0])
        self.name = Path(argv[0]).name
        if namespace:
            argv = namespace.enter + argv
        self.log_path = Path(log)
        with open(self.log_path, "ab") as out:
            self.log_before = len(self.log)
            self.child = subprocess.Popen(
                argv, stdin=stdin, stdout=out, stderr=out, cwd=cwd, start_new_session=True,
                env={**os.environ, **(env or {})}, preexec_fn=_follow_parent)
        self.pid = self.child.pid
        _running.add(self)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace")

    @property
    def running(self):
        return self.child.poll() is None

    def signal(self, number):
        if self.running:
            os.killpg(self.pid, number)

    def wait_line(self, pattern, seconds=10, after=None):
        """The match of pattern in the log past that offset, or since it was started; ends early if the process does."""
        expression = re.compile(pattern, re.M)
        after = self.log_before if after is None else after

        def look():
            ended = not self.running
            match = expression.search(self.log, after)
            if not match and ended:
                raise RuntimeError(f"{self.name} ended ({self.child.returncode}):\n{self.log[-3000:]}")
            return match
        try:
            return wait_for(look, seconds, f"/{pattern}/ from {self.name}")
        except TimeoutError as error:
            raise TimeoutError(f"{error}\n{self.log[-3000:]}") from None

    def stop(self, seconds=6, again=None):
        """SIGTERM (a second one after `again` seconds), then SIGKILL; returns the exit code."""
        if self.running:
            self.signal(signal.SIGCONT)
            for wait in [again, seconds] if again else [seconds]:
                self.signal(signal.SIGTERM)
                try:
                    self.child.wait(wait * SLOW)
                    break
                except subprocess.TimeoutExpired:
                    continue
            else:
                self.kill()
        _running.discard(self)
        return self.child.wait()

    def kill(self):
        self.signal(signal.SIGKILL)
        self.child.wait()
        _running.discard(self)


def mounts_apart():
    """unshare's words for a mount namespace that gives nothing away. Where "/" is no mount point, in a chroot, it cannot be
    told to: whoever made that has seen to it."""
    mounted = any(line.split()[4] == "/" for line in Path("/proc/self/mountinfo").read_text().splitlines())
    return ["unshare", "--mount", "--propagation", "private" if mounted else "unchanged"]


class Disk:
    """A file system of a few pages at `path`, for those alone who enter our mount namespace; gone with it."""

    def __init__(self, path, kib=64):
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.holder = Process([*mounts_apart(), "sleep", "infinity"], path.with_name(f"{path.name}-holder.log"))
        ours = os.readlink("/proc/self/ns/mnt")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/mnt") != ours, what="a namespace")
        self.enter = [program("nsenter"), "-t", str(self.holder.pid), "-m", "-r"]
        run([*self.enter, "mount", "-t", "tmpfs", "-o", f"size={kib}k,mode=755", "tmpfs", path])
        self.seen = Path(f"/proc/{self.holder.pid}/root{path}")  # by us, who are outside

    def fill(self):
        """Until not one octet more goes in."""
        with open(self.seen / "ballast", "ab", buffering=0) as ballast:
            for size in (4096, 1):
                try:
                    while ballast.write(bytes(size)):
                        pass
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise

    def clear(self):
        (self.seen / "ballast").unlink()

    def writable(self, may):
        run([*self.enter, "mount", "-o", f"remount,{'rw' if may else 'ro'}", self.path])

    def stop(self):
        self.holder.kill()


@atexit.register
def _end_all():
    for process in list(_running):
        try:
            process.kill()
        except (OSError, subprocess.SubprocessError) as error:
            print(f"{process.name} ({process.pid}): {error}", file=sys.stderr)


def run(argv, seconds=60, check=True, **options):
    """Runs a command to its end; text out, both streams."""
    argv = [str(word) for word in argv]
    argv[0] = program(argv[0])
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=seconds * SLOW, text=True,
                          errors="replace", **options)
    if check and done.returncode:
        raise RuntimeError(f"{' '.join(argv)}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    return done


class Namespace:
    """A network namespace of our own. No name, no file: it is gone when its holder is."""

    def __init__(self, folder, name):
        self.holder = Process(["unshare", "--net", "sleep", "infinity"], Path(folder) / f"{name}.log")
        ours = os.readlink("/proc/self/ns/net")
        wait_for(lambda: os.readlink(f"/proc/{self.holder.pid}/ns/net") != ours, what="a namespace")
        self.enter = [program("nsenter"), "-t", str(self.holder.pid), "-n"]
        self.run("ip", "link", "set", "lo", "up")

    def run(self, *argv, check=True):
        return run(self.enter + list(argv), check=check)

    def veth(self, here, other, there):
        """A cable between this namespace and another."""
        self.run("ip", "link", "add", here, "type", "veth", "peer", "name", there,
                 "netns", str(other.holder.pid))
        self.run("ip", "link", "set", here, "up")
        other.run("ip", "link", "set", there, "up")

    def stop(self):
        self.holder.kill()
