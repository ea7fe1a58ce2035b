"""RADIUS packets by hand, right and wrong: for tests that send bytes."""
import hashlib
import hmac
import os
import socket
import struct
import time

ACCESS_REQUEST, ACCEPT, REJECT, ACCOUNTING_REQUEST, ACCOUNTING_RESPONSE = 1, 2, 3, 4, 5
CHALLENGE, STATUS_SERVER = 11, 12
USER_NAME, USER_PASSWORD, NAS_IP, NAS_PORT, STATE = 1, 2, 4, 5, 24
VENDOR, CALLED, CALLING, PROXY_STATE, EAP_MESSAGE, MESSAGE_AUTHENTICATOR = 26, 30, 31, 33, 79, 80


def attribute(number, value):
    value = value.encode() if isinstance(value, str) else value
    return bytes([number, len(value) + 2]) + value


def eap_message(packet):
    return b"".join(attribute(EAP_MESSAGE, packet[at:at + 253]) for at in range(0, len(packet), 253)) \
        or attribute(EAP_MESSAGE, b"")


def eap(code, identifier, data=b"", length=None):
    return struct.pack("!BBH", code, identifier, 4 + len(data) if length is None else length) + data


def eap_identity(name, identifier=0):
    return eap(2, identifier, b"\x01" + (name.encode() if isinstance(name, str) else name))


def request(secret, attributes, code=ACCESS_REQUEST, identifier=None, authenticator=None, sign=True,
            length=None, tail=b""):
    """A request with a valid Message-Authenticator first; sign=False: without."""
    secret = secret.encode() if isinstance(secret, str) else secret
    identifier = os.urandom(1)[0] if identifier is None else identifier
    authenticator = authenticator or os.urandom(16)
    body = (attribute(MESSAGE_AUTHENTICATOR, bytes(16)) if sign else b"") + attributes
    size = 20 + len(body) if length is None else length
    if code == ACCOUNTING_REQUEST:
        authenticator = bytes(16)
    packet = struct.pack("!BBH", code, identifier, size) + authenticator + body
    if sign:
        mac = hmac.new(secret, packet, hashlib.md5).digest()
        packet = packet[:22] + mac + packet[38:]
    if code == ACCOUNTING_REQUEST:
        packet = packet[:4] + hashlib.md5(packet + secret).digest() + packet[20:]
    return packet + tail


def reply(secret, code, to, attributes=b"", sign=True, identifier=None, authenticator=None):
    """The answer of a proxy to request `to`, signed as it should be."""
    secret = secret.encode() if isinstance(secret, str) else secret
    body = (attribute(MESSAGE_AUTHENTICATOR, bytes(16)) if sign else b"") + attributes
    head = struct.pack("!BBH", code, to[1] if identifier is None else identifier, 20 + len(body))
    if sign:
        mac = hmac.new(secret, head + to[4:20] + body, hashlib.md5).digest()
        body = body[:2] + mac + body[18:]
    return head + (authenticator or hashlib.md5(head + to[4:20] + body + secret).digest()) + body


class Packet:
    """A packet taken apart."""

    def __init__(self, octets):
        self.octets = octets
        self.code, self.identifier, self.length = struct.unpack("!BBH", octets[:4])
        self.authenticator = octets[4:20]
        self.attributes = []
        at = 20
        while at < self.length:
            number, size = octets[at], octets[at + 1]
            assert size >= 2 and at + size <= self.length, f"malformed reply: {octets.hex()}"
            self.attributes.append((number, octets[at + 2:at + size]))
            at += size

    def get(self, number):
        return [value for kind, value in self.attributes if kind == number]

    def first(self, number):
        values = self.get(number)
        return values[0] if values else None

    @property
    def eap(self):
        return b"".join(self.get(EAP_MESSAGE))

    @property
    def state(self):
        return self.first(STATE)

    def proves(self, secret, to):
        """Whether both authenticators answer request `to`."""
        secret = secret.encode() if isinstance(secret, str) else secret
        plain = self.octets[:4] + to[4:20] + self.octets[20:]
        if hashlib.md5(plain + secret).digest() != self.authenticator:
            return False
        at = 20
        for number, value in self.attributes:
            if number == MESSAGE_AUTHENTICATOR:
                blank = plain[:at + 2] + bytes(16) + plain[at + 18:]
                return hmac.new(secret, blank, hashlib.md5).digest() == value
            at += 2 + len(value)
        return False


class Nas:
    """A socket of a NAS that says what it is told to."""

    def __init__(self, server, secret, address="127.0.0.1"):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.secret, self.server = secret, server
        self.socket = socket.socket(family, socket.SOCK_DGRAM)
        self.socket.bind((address, 0))

    def send(self, octets):
        self.socket.sendto(octets, self.server)

    def receive(self, seconds=5):
        """The next datagram, or None."""
        self.socket.settimeout(seconds)
        try:
            return self.socket.recvfrom(65535)[0]
        except (TimeoutError, ConnectionRefusedError):
            return None

    def ask(self, octets, seconds=5):
        self.drain()
        self.send(octets)
        answer = self.receive(seconds)
        return Packet(answer) if answer else None

    def drain(self):
        self.socket.setblocking(False)
        try:
            while True:
                self.socket.recv(65535)
        except (BlockingIOError, ConnectionRefusedError):
            pass

    def quiet(self, octets, then):
        """Sends octets, then the good request `then`; True when only the latter is answered."""
        self.drain()
        self.send(octets)
        self.send(then)
        answer = self.receive()
        assert answer is not None, "the good request got no answer"
        assert answer[1] == then[1], f"an answer to what should be dropped: {answer.hex()}"
        return self.receive(0.1) is None

    def status(self):
        return request(self.secret, b"", code=STATUS_SERVER)

    def begin(self, name, extra=b"", **options):
        """An Access-Request with an EAP-Response/Identity."""
        return request(self.secret, attribute(USER_NAME, name) + attribute(NAS_IP, bytes([127, 0, 0, 1]))
                       + attribute(CALLING, "02-00-00-00-00-01") + extra
                       + eap_message(eap_identity(name)), **options)

    def close(self):
        self.socket.close()


SO_RCVBUFFORCE = 33  # <asm-generic/socket.h>; Python does not know it


class Upstream:
    """A federation peer made by hand: its requests are taken one by one, answers are ours to make."""

    def __init__(self, secret, address="127.0.0.1", port=0):
        self.secret = secret
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # Room for a burst: what a full buffer drops, no test of ours is about.
        self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 4 << 20)
        self.socket.bind((address, port))
        self.address, self.port = self.socket.getsockname()

    def take(self, seconds=5, status=False):
        """(packet, where it came from) of the next request; Status-Server is answered on the way."""
        end = time.monotonic() + seconds
        while True:
            self.socket.settimeout(max(0.001, end - time.monotonic()))
            try:
                octets, where = self.socket.recvfrom(65535)
            except TimeoutError:
                return None, None
            if octets[0] == STATUS_SERVER and not status:
                self.socket.sendto(reply(self.secret, ACCEPT, octets), where)
                continue
            return octets, where

    def drain(self):
        """Forgets what arrived and was not taken."""
        while self.take(0.01)[0]:
            pass

    def answer(self, octets, where):
        self.socket.sendto(octets, where)

    def close(self):
        self.socket.close()
