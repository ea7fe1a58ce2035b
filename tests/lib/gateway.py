"""A roamgated with a raddb that Python wrote."""
import json
import os
import re
import socket
import urllib.request
from pathlib import Path

from .process import BUILD, Process, free_port, run, wait_for


def text(value, level=0):
    """A value as libconfig writes it."""
    pad = "  " * (level + 1)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return f"{value}L" if abs(value) > 2**31 - 1 else str(value)
    if isinstance(value, (str, Path)):
        escaped = str(value).replace("\\", "\\\\").replace('"', '\\"')
        return '"' + re.sub(r"[\x00-\x1f]", lambda m: f"\\x{ord(m[0]):02x}", escaped) + '"'
    if isinstance(value, dict):
        inner = "".join(f"{pad}{key} = {text(each, level + 1)};\n" for key, each in value.items()
                        if each is not None)
        return "{\n" + inner + "  " * level + "}"
    if any(isinstance(each, dict) for each in value):
        inner = ",\n".join(pad + text(each, level + 1) for each in value)
        return "(\n" + inner + "\n" + "  " * level + ")"
    return "[ " + ", ".join(text(each) for each in value) + " ]"


def settings(values):
    return "".join(f"{key} = {text(value)};\n" for key, value in values.items() if value is not None)


class Raddb:
    """The folder that an administrator would write: change the fields, then write()."""

    def __init__(self, folder, port=None, acct_port=None, http_port=None):
        self.folder = Path(folder)
        self.port, self.acct_port = port or free_port(), acct_port or free_port()
        self.http_port = http_port or free_port()
        self.file = self.folder / "roamgate.cfg"
        self.gateway = dict(name="proefstreek", country="NL", workers=2, user="",
                            control=str(self.folder / "control.sock"), state_dir=str(self.folder / "state"),
                            modules=["eap_tls", "dir_ldap"], reject_delay_ms=0)
        self.log = dict(level="info", target="stderr", format="text")
        self.listen = [
            dict(transport="udp", address="127.0.0.1", port=self.port, serves=["auth"]),
            dict(transport="udp", address="127.0.0.1", port=self.acct_port, serves=["acct"]),
            dict(transport="http", address="127.0.0.1", port=self.http_port),
        ]
        self.clients, self.realms, self.peers, self.routes = [], {}, [], []
        self.more = {}  # further groups of roamgate.cfg
        self.refuse = None
        self.secrets = {}

    def secret(self, name, value):
        """Keeps a secret in a file; its path relative to the raddb."""
        self.secrets[name] = value
        return f"secrets/{name}"

    def write(self):
        for folder in ("clients.d", "realms.d", "federation.d", "secrets", "state"):
            (self.folder / folder).mkdir(parents=True, exist_ok=True)
        for name, value in self.secrets.items():
            self._put(f"secrets/{name}", value + "\n", 0o600)
        self._put("roamgate.cfg", settings(dict(gateway=self.gateway, listen=self.listen, log=self.log,
                                                **self.more)))
        self._put("clients.d/all.cfg", settings(dict(clients=self.clients)) if self.clients else "")
        for name, realm in self.realms.items():
            self._put(f"realms.d/{name}.cfg", settings(dict(realms=[realm])))
        for file in (self.folder / "realms.d").glob("*.cfg"):
            if file.stem not in self.realms:
                file.unlink()
        self._put("federation.d/all.cfg", settings(dict(peers=self.peers or None, routes=self.routes or None,
                                                         refuse=self.refuse)))
        return self

    def _put(self, name, content, mode=0o644):
        path = self.folder / name
        new = path.with_name(path.name + ".new")
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w") as out:
            out.write(content)
        new.rename(path)


COMPLAINT = re.compile(r"\*\*\* what failed last:|ERROR: (Address|Leak|Thread|Undefined\w*)Sanitizer|WARNING: ThreadSanitizer|"
                       r"runtime error:|Assertion .* failed|sandbox: .*(was refused|never does)")


class Gateway:
    def __init__(self, raddb, namespace=None, build=None, start=True):
        self.raddb, self.namespace, self.build = raddb, namespace, Path(build or BUILD)
        self.env = {
            "ROAMGATE_MODULES": str(self.build / "modules"),
            "ASAN_OPTIONS": "exitcode=99:detect_leaks=1:" + os.environ.get("ASAN_OPTIONS", ""),
            "UBSAN_OPTIONS": "print_stacktrace=1:exitcode=99:" + os.environ.get("UBSAN_OPTIONS", ""),
        }
        self.log_path = raddb.folder / "roamgated.log"
        self.process = None
        if start:
            self.raddb.write()
            self.start()

    @property
    def server(self):
        return ("127.0.0.1", self.raddb.port)

    @property
    def log(self):
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    @property
    def pid(self):
        return self.process.pid

    def begin(self):
        self.process = Process([self.build / "src" / "roamgated", "-f", "-c", self.raddb.file],
                               self.log_path, env=self.env, namespace=self.namespace)

    def start(self):
        after = len(self.log)
        self.begin()
        self.process.wait_line(r"roamgated ready:", 10, after)

    def stop(self, expect=0):
        """SIGTERM, and again for at once; fails on a wrong exit code, on a sanitizer's complaint, and on a call that
        the sandbox refused."""
        code = self.process.stop(8, again=0.3)
        complaint = COMPLAINT.search(self.log)
        if complaint:
            raise AssertionError(f"it complains:\n{self.log[complaint.start():complaint.start() + 6000]}")
        if expect is not None and code != expect:
            raise AssertionError(f"roamgated ended with {code}:\n{self.log[-3000:]}")
        return code

    def kill(self):
        self.process.kill()

    def check_daemon(self):
        """roamgated -t"""
        return self._run("roamgated", "-t", "-c", str(self.raddb.file))

    def _run(self, name, *arguments, seconds=30):
        return run([self.build / "src" / name, *arguments], seconds=seconds, check=False,
                   env={**os.environ, **self.env})

    def command(self, name, *arguments, seconds=30):
        """roamgate NAME …: the finished process."""
        return self._run("roamgate", name, "-c", str(self.raddb.file), *arguments, seconds=seconds)

    def json(self, name, *arguments, codes=(0,), seconds=30):
        done = self.command(name, "--json", *arguments, seconds=seconds)
        if done.returncode not in codes:
            raise AssertionError(f"roamgate {name}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return json.loads(done.stdout)

    def control(self, command, **more):
        """What `roamgate` says to the control socket, without a process for it."""
        with socket.socket(socket.AF_UNIX) as line, line.makefile("rw") as file:
            line.settimeout(30)
            line.connect(self.raddb.gateway["control"])
            file.write(json.dumps({"command": command, **more}) + "\n")
            file.flush()
            return json.loads(file.readline())

    def status(self):
        return self.json("status")

    def reload(self, codes=(0,)):
        return self.json("reload", codes=codes)

    def trace(self, who):
        """Sign-ins of a person or MAC, newest first; [] when none was seen."""
        return self.json("trace", who, codes=(0, 5)).get("sign_ins", [])

    def last(self, who, since=0, seconds=3):
        """The newest sign-in of who once there are more than `since` of them."""
        return wait_for(lambda: (lambda found: found[0] if len(found) > since else None)(self.trace(who)),
                        seconds, f"a trace of {who}", every=0.05)

    def memory_kib(self):
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+)", status)[1])

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_s(self):
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def wait_log(self, pattern, seconds=10, after=0):
        return self.process.wait_line(pattern, seconds, after)

    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.raddb.http_port}/metrics", timeout=10) as page:
            return page.read().decode()

    def counters(self):
        """Every sample of /metrics: 'roamgate_dropped_total{reason="malformed"}' -> value."""
        samples = [line.rsplit(" ", 1) for line in self.metrics().splitlines() if not line.startswith("#")]
        return {name.removeprefix("roamgate_"): float(value) for name, value in samples}

    def counted(self, name, before, more=1, seconds=3):
        """Waits until a counter has grown by `more`; the counters then."""
        def grown():
            now = self.counters()
            return now if now.get(name, 0) >= before.get(name, 0) + more else None
        return wait_for(grown, seconds, f"{name} to grow by {more}")

    def sign_in_counts(self, realm):
        """Reason -> count of a realm, as `roamgate status` says."""
        return self.status()["sign_ins"].get(realm, {})
