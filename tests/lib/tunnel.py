"""A supplicant made by hand whose TLS is right, and which says inside the tunnel what it is told to."""
import ssl
import struct

from .radius import ACCEPT, CHALLENGE, STATE, USER_NAME, attribute, eap, eap_message, request

TTLS, PEAP = 21, 25
LENGTH, MORE, START = 0x80, 0x40, 0x20


class Tunnel:
    """nas: a lib.radius.Nas. Up once it is made: the handshake is over (TLS 1.2), and the server waits for us. crumbs: of
    our hello each octet is a TLS record."""

    def __init__(self, nas, who, method, crumbs=False):
        self.nas, self.who, self.method, self.codes = nas, who, method, []
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)
        self.last = nas.ask(nas.begin(who))
        if self.last.eap[4] != method:
            self._ask(bytes([3, method]))
        assert self.last.eap[4] == method and self.last.eap[5] & START
        while not self._shaken() and not self.over:
            said = self.outgoing.read()
            if crumbs:
                said = b"".join(b"\x16\x03\x01\x00\x01" + said[at:at + 1] for at in range(5, len(said)))
            self.incoming.write(self.exchange(said))
        if not self.over and self.outgoing.pending:
            self.incoming.write(self.exchange(self.outgoing.read()))

    def _shaken(self):
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        return True

    def _ask(self, data):
        packet = eap(2, self.last.eap[1], data)
        self.last = self.nas.ask(request(self.nas.secret, attribute(USER_NAME, self.who)
                                         + attribute(STATE, self.last.state) + eap_message(packet)))
        assert self.last, "an answer"
        self.codes.append(self.last.code)

    def exchange(self, octets=b""):
        """Sends those of TLS, or an acknowledgement; what the server's TLS said, of all its fragments."""
        said, flags = b"", MORE
        self._ask(bytes([self.method, 0]) + octets)
        while flags & MORE and self.last.code == CHALLENGE:
            packet = self.last.eap
            flags = packet[5]
            said += packet[10 if flags & LENGTH else 6:]
            if flags & MORE:
                self._ask(bytes([self.method, 0]))
        return said

    def say(self, plain):
        """Inside the tunnel; what the server says there, b"" where it says nothing or has ended it."""
        self.tls.write(plain)
        self.incoming.write(self.exchange(self.outgoing.read()))
        return self.heard()

    def heard(self):
        try:
            return self.tls.read(65536)
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            return b""

    def acknowledge(self):
        self.incoming.write(self.exchange())
        return self.heard()

    @property
    def over(self):
        return self.last.code != CHALLENGE

    @property
    def accepted(self):
        return ACCEPT in self.codes


def avp(code, value):
    """One of Diameter's (RFC 6733 §4.1), mandatory."""
    length = 8 + len(value)
    return struct.pack("!IB", code, 0x40) + length.to_bytes(3, "big") + value + bytes(-length % 4)


def result_tlv(identifier, success=True):
    """PEAP's Result ([MS-PEAP] 2.2.8.1.2) in an EAP-Response of Extensions."""
    return eap(2, identifier, b"\x21" + struct.pack("!HHH", 0x8003, 2, 1 if success else 2))
