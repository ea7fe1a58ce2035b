"""A laptop behind a wifi controller: hostap's eapol_test."""
import itertools
import re
import time
from pathlib import Path

from .process import SLOW, Process, run

DECIMAL = {5, 6, 7, 12, 13, 27, 28, 29, 61}  # integers that eapol_test prints as such

_numbers = itertools.count(1)  # of configuration files: threads share it


def _quoted(value):
    """A string of wpa_supplicant's configuration; what needs escapes is given as octets."""
    value = str(value)
    if value.isascii() and value.isprintable() and '"' not in value:
        return f'"{value}"'
    return value.encode(errors="surrogateescape").hex()


class Attributes(dict):
    """Number -> list of values (octets) of one RADIUS message, as eapol_test printed it."""

    @property
    def vlan(self):
        values = self.get(81)
        return values[-1].lstrip(b"\x00").decode() if values else None

    @property
    def user_name(self):
        return self[1][0].decode(errors="replace") if 1 in self else None


class Result:
    """What became of a sign-in."""

    def __init__(self, output, code, ms):
        self.output, self.code, self.ms = output, code, ms
        self.accepted = bool(re.search(r"^SUCCESS$", output, re.M)) and code == 0
        codes = re.findall(r"^RADIUS message: code=(\d+)", output, re.M)
        self.last_code = int(codes[-1]) if codes else None
        self.rejected = "3" in codes
        self.answered = any(code in ("2", "3", "11") for code in codes)
        self.round_trips = sum(code in ("2", "3", "11") for code in codes)
        keys = re.search(r"^MPPE keys OK: (\d+)\s+mismatch: (\d+)", output, re.M)
        self.keys_ok, self.keys_wrong = (int(keys[1]), int(keys[2])) if keys else (0, 0)
        self.resumed = len(re.findall(r"resumed=1", output))
        tls = re.findall(r"Using TLS version (\S+)", output)
        self.tls = tls[-1] if tls else None
        self.ciphers = re.findall(r"CTRL-EVENT-EAP-METHOD EAP vendor 0 method (\d+)", output)
        self.reply = self._last_reply(output)
        self.accepts = output.count("code=2 (Access-Accept)")

    @staticmethod
    def _last_reply(output):
        messages = re.split(r"^RADIUS message: ", output, flags=re.M)
        final = [m for m in messages if m.startswith(("code=2 ", "code=3 "))]
        attributes = Attributes()
        for number, value in re.findall(
                r"^   Attribute (\d+) \([^)]*\) length=\d+\n(?:      Value: (.*)$)?",
                final[-1] if final else "", re.M):
            attributes.setdefault(int(number), []).append(_value(value, int(number) in DECIMAL))
        return attributes

    def __repr__(self):
        return (f"<{'accepted' if self.accepted else 'rejected' if self.rejected else 'no answer'} "
                f"{self.tls} vlan={self.reply.vlan} resumed={self.resumed} "
                f"keys={self.keys_ok}/{self.keys_wrong} {self.ms:.0f} ms>")


def _value(text, decimal):
    text = text.strip()
    if decimal:
        return int(text).to_bytes(4, "big")
    if re.fullmatch(r"'.*'", text):
        return text[1:-1].encode()
    if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", text):
        return bytes.fromhex(text)
    return text.encode()


class Eapol:
    """A wifi controller: its own address, its secret, and the gateway (or proxy) that it asks."""

    def __init__(self, folder, server, secret, address="127.0.0.1", called="02-00-00-AA-00-01:govroam",
                 namespace=None):
        self.folder, self.server, self.secret, self.address = Path(folder), server, secret, address
        self.called, self.enter = called, namespace.enter if namespace else []
        self.folder.mkdir(parents=True, exist_ok=True)

    def network(self, method, identity, ca, pair=None, password=None, anonymous=None, server_name=None,
                tls=None, phase1="", phase2=None, fragment=None, extra=()):
        """The network block of wpa_supplicant. tls: "1.2" or "1.3", None for both."""
        old = "tls_disable_tlsv1_0=1 tls_disable_tlsv1_1=1 "
        off = old + {"1.2": "tls_disable_tlsv1_3=1", "1.3": "tls_disable_tlsv1_2=1 tls_disable_tlsv1_3=0",
                     None: "tls_disable_tlsv1_3=0"}[tls]
        lines = ["key_mgmt=WPA-EAP IEEE8021X", "eapol_flags=0", f"eap={method.upper()}",
                 f"identity={_quoted(identity)}", f'phase1="{(phase1 + " " + off).strip()}"']
        if ca:
            lines.append(f'ca_cert="{ca}"')
        if anonymous is not None:
            lines.append(f"anonymous_identity={_quoted(anonymous)}")
        if pair:
            lines += [f'client_cert="{pair.certificate}"', f'private_key="{pair.key}"']
        if password is not None:
            lines.append(f"password={_quoted(password)}")
        if server_name:
            lines.append(f'domain_match="{server_name}"')
        if phase2:
            lines.append(f'phase2="{phase2}"')
        if fragment:
            lines.append(f"fragment_size={fragment}")
        lines += extra
        return "network={\n" + "".join(f"\t{line}\n" for line in lines) + "}\n"

    def command(self, network, mac="02:00:00:00:00:01", seconds=10, again=0, attributes=(), options=()):
        """The command line that signs this network block in; it is written to a file."""
        config = self.folder / f"eapol-{next(_numbers)}.conf"
        config.write_text(network)
        host, port = self.server
        line = ["eapol_test", f"-c{config}", f"-a{host}", f"-p{port}", f"-s{self.secret}",
                f"-A{self.address}", f"-M{mac}", f"-t{int(seconds * SLOW)}", f"-r{again}"]
        # -N replaces an attribute that eapol_test would send by itself.
        for attribute in (f"30:s:{self.called}", *attributes):
            line.append(f"-N{attribute}")
        return [*self.enter, *line, *options]

    def begin(self, *arguments, **options):
        """Starts a sign-in and does not wait: .finish(process) does."""
        seconds = options.pop("seconds", 10)
        network = self._split(arguments, options)
        argv = self.command(network[0], seconds=seconds, **network[1])
        process = Process(argv, self.folder / f"eapol-{next(_numbers)}.log")
        process.began, process.most = time.monotonic(), seconds * SLOW + 10
        return process

    def finish(self, process):
        code = process.child.wait(process.most)
        ms = (time.monotonic() - process.began) * 1000
        process.stop()
        return Result(process.log, code, ms)

    def _split(self, arguments, options):
        keys = ("mac", "again", "attributes", "options")
        send = {key: options.pop(key) for key in keys if key in options}
        return self.network(*arguments, **options), send

    def sign_in(self, *arguments, seconds=10, **options):
        """sign_in(method, identity, ca, pair, …): network()'s and command()'s arguments together."""
        network, send = self._split(arguments, options)
        argv = self.command(network, seconds=seconds, **send)
        began = time.monotonic()
        done = run(argv, seconds=seconds + 15, check=False)
        return Result(done.stdout + done.stderr, done.returncode, (time.monotonic() - began) * 1000)
