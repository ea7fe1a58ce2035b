"""A bad line: a UDP relay that loses, doubles and reorders datagrams, the same way for one seed."""
import heapq
import itertools
import random
import selectors
import socket
import threading
import time


class Relay:
    def __init__(self, server, seed=1, loss=0.0, duplicate=0.0, reorder=0.0, delay_s=0.02,
                 listen="127.0.0.1", source="127.0.0.1", accepted=None):
        """source: the address from which the server is asked; accepted: called once, before the first Access-Accept
        is passed on."""
        self.accepted = accepted
        self.server, self.source, self.random = server, source, random.Random(seed)
        self.loss, self.duplicate, self.reorder, self.delay = loss, duplicate, reorder, delay_s
        self.lost = self.doubled = self.delayed = self.passed = 0
        self.spared = set()
        self.requests, self.answers = [], []  # what came from either side, as it was
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind((listen, 0))
        self.address = self.front.getsockname()
        self.backs, self.due, self.order = {}, [], itertools.count()
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.front, selectors.EVENT_READ, None)
        self.stopping = False
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def _back(self, client):
        if client not in self.backs:
            back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            back.bind((self.source, 0))
            self.backs[client] = back
            self.selector.register(back, selectors.EVENT_READ, client)
        return self.backs[client]

    def _pass(self, out, octets, where):
        # What was lost once gets through the next time: a laptop gives up after a few repeats in a row.
        if self.random.random() < self.loss and octets not in self.spared:
            self.lost += 1
            self.spared.add(octets)
            return
        copies = 1
        if self.random.random() < self.duplicate:
            self.doubled += 1
            copies = 2
        for _ in range(copies):
            wait = 0.0
            if self.random.random() < self.reorder:
                self.delayed += 1
                wait = self.delay
            heapq.heappush(self.due, (time.monotonic() + wait, next(self.order), out, octets, where))
            self.passed += 1

    def _run(self):
        while not self.stopping:
            wait = max(0.0, self.due[0][0] - time.monotonic()) if self.due else 0.1
            for key, _ in self.selector.select(min(wait, 0.1)):
                try:
                    octets, peer = key.fileobj.recvfrom(65535)
                except OSError:
                    continue
                (self.requests if key.data is None else self.answers).append(octets)
                if self.accepted and key.data is not None and octets[0] == 2:
                    accepted, self.accepted = self.accepted, None
                    accepted()
                if key.data is None:
                    self._pass(self._back(peer), octets, self.server)
                else:
                    self._pass(self.front, octets, key.data)
            while self.due and self.due[0][0] <= time.monotonic():
                _, _, out, octets, where = heapq.heappop(self.due)
                try:
                    out.sendto(octets, where)
                except OSError:
                    pass  # the other end has gone: that, too, is a loss

    def stop(self):
        self.stopping = True
        self.thread.join()
        for each in [self.front, *self.backs.values()]:
            each.close()
