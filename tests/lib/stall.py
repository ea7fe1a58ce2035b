"""A TCP relay that swallows some of what clients send, as a server does that hangs over it alone."""
import socket
import threading


class Stall:
    def __init__(self, port, wanted):
        """Requests to bind (RFC 4511 §4.2) that hold the octets `wanted` never reach 127.0.0.1:port."""
        self.target, self.wanted = port, wanted
        self.held, self.released = 0, False
        self.sockets = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.uri = f"ldap://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            self.sockets += [client, server]
            for source, target in ((client, server), (server, client)):
                threading.Thread(target=self._pump, args=(source, target, source is client),
                                 daemon=True).start()

    def _pump(self, source, target, asks):
        try:
            while data := source.recv(65536):
                # [APPLICATION 0] comes within the first octets of a message of a few hundred octets.
                if asks and not self.released and b"\x60" in data[:10] and self.wanted in data:
                    self.held += 1
                    continue
                target.sendall(data)
        except OSError:
            pass
        for one in (source, target):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def release(self):
        self.released = True

    def stop(self):
        self.listener.close()
        for one in self.sockets:
            one.close()
