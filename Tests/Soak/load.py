"""The requests of a soak: what is sent, how often, and what must come back."""
import http.client
import json
import queue
import random
import socket
import struct
import threading
import time
from collections import Counter

HOST = "127.0.0.1"
INVOKE = "/2015-03-31/functions/reporting/invocations"
ROWS = 15
BODY = bytes(range(32, 127)) * 1078  # 100 KiB and a bit
OVERSIZE = 6 * 1024 * 1024 + 1
WAIT = 30
# Kind and how many of a hundred requests are of it.
MIX = {
    "hello": 27, "head": 3, "echo 100 KiB": 6, "stream": 8, "not found": 3, "wrong method": 2, "fail": 8, "limited fail": 4,
    "chain": 4, "message": 3, "logs": 3, "three reports": 2, "silent 502": 3, "stream fails": 6, "leaves in a stream": 4,
    "leaves unanswered": 4, "leaves at once": 2, "event": 3, "event, one of three fails": 3, "malformed": 2,
}
# Beside it, once in so many seconds: a body over the limit, which costs more than a hundred others; and that many at the same moment.
OVERSIZE_EVERY = 15
BURST_EVERY = 20
BURST = 5
CLIENTS = 6


class Wrong(Exception):
    """Not the answer that is due."""


class Client:
    """One connection, kept as long as the front end keeps it."""

    def __init__(self, port, mode, accounts):
        self.port, self.mode, self.accounts = port, mode, accounts
        self.kept = None

    def ask(self, method, path, body=None, headers=()):
        """Status and body. A kept connection that the peer has closed meanwhile is no error; anything else is."""
        if self.kept is None:
            self.kept = http.client.HTTPConnection(HOST, self.port, timeout=WAIT)
        try:
            self.kept.request(method, path, body=body, headers=dict(headers))
            answer = self.kept.getresponse()
            data = answer.read()
        except Exception:
            self.drop()
            raise
        if answer.will_close:
            self.drop()
        return answer.status, data

    def drop(self):
        if self.kept is not None:
            self.kept.close()
            self.kept = None

    def expect(self, status, body, method, path, data=None, headers=()):
        """Returns the status. `body` is None where any will do."""
        answer = self.ask(method, path, data, headers)
        if answer[0] != status or body is not None and answer[1] != body:
            raise Wrong(f"{method} {path}: {answer[0]} {answer[1][:200]!r}, {status} is due")
        return str(status)

    def raw(self, head, part=1, reset=False, pause=0.0):
        """Sends a head, reads so many bytes at least, and goes; with a reset, or with an end as it should be."""
        with socket.create_connection((HOST, self.port), WAIT) as sock:
            sock.sendall(head)
            got = b""
            while len(got) < part:
                more = sock.recv(4096)
                if not more:
                    raise Wrong(f"{head[:60]!r}: closed after {len(got)} bytes, {part} are due")
                got += more
            if pause:
                time.sleep(pause)
            if reset:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        return got

    def send(self, kind, name, draw):
        """One request. Returns what the table counts: a status, or what the client did.

        Raises `Wrong`, `OSError`, `http.client.HTTPException`."""
        streams = self.mode == "response_stream"
        query = f"?plan={name}"
        due = self.accounts.expect

        if kind == "hello":
            headers = {"Connection": "close"} if draw < 0.2 else {}
            return self.expect(200, b"fine", "GET", "/fine" + query, headers=headers)
        if kind == "head":
            return self.expect(200, b"", "HEAD", "/fine" + query)
        if kind == "echo 100 KiB":
            headers = {"Content-Type": "text/plain" if draw < 0.5 else "application/octet-stream"}
            return self.expect(200, BODY, "POST", "/echo" + query, BODY, headers)
        if kind == "stream":
            rows = "".join(f"row {row}\n" for row in range(ROWS)).encode()
            return self.expect(200, rows, "GET", f"/stream{query}&rows={ROWS}")
        if kind == "not found":
            return self.expect(404, None, "GET", "/nowhere" + query)
        if kind == "wrong method":
            return self.expect(405, None, "POST", "/fine" + query, b"x")
        if kind == "message":
            due(name, 1)
            return self.expect(200, b"told", "GET", "/message" + query)
        if kind == "logs":
            return self.expect(200, b"logged", "GET", "/story/logs" + query)
        if kind == "three reports":
            due(name, 3)
            return self.expect(200, b"three reports", "GET", "/story/scopes" + query)
        if kind == "silent 502":
            due(name, 1)
            return self.expect(502, b"upstream is down", "GET", "/story/silent" + query)
        if kind in ("fail", "limited fail", "chain"):
            due(name, 1)
            path = {"fail": "/fail", "limited fail": "/limited/fail", "chain": "/chain"}[kind]
            return self.expect(500, None, "GET", path + query)
        if kind == "stream fails":
            due(name, 1)
            if streams:
                return self.expect(200, b"begun ", "GET", "/stream/fail" + query)
            return self.expect(500, None, "GET", "/stream/fail" + query)
        if kind == "leaves in a stream":
            # Without streams it leaves in the middle of a body that has come as a whole.
            self.raw(self.head(f"/stream{query}&rows={ROWS}"), part=20, reset=draw < 0.5)
            return "left"
        if kind == "leaves unanswered":
            self.raw(self.head(f"/stream{query}&rows={ROWS}"), part=0, reset=draw < 0.5, pause=0.005 if streams else 0.05)
            return "left"
        if kind == "leaves at once":
            # The function runs all the same, and its failure is reported.
            due(name, 1)
            self.raw(self.head("/fail" + query), part=0)
            return "left"
        if kind == "event":
            return self.expect(200, b'{"batchItemFailures":[]}', "POST", INVOKE, self.event([(name, 1), (name, 2)]))
        if kind == "event, one of three fails":
            due(name, 1)
            failed = b'{"batchItemFailures":[{"itemIdentifier":"2"}]}'
            return self.expect(200, failed, "POST", INVOKE, self.event([(name, 1), (name, 0), (name, 3)]))
        if kind == "malformed":
            text = b"GET / HTTP/9.9\r\n\r\n" if draw < 0.5 else b"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: x\r\n\r\n"
            status = self.raw(text, part=12)[9:12].decode()
            if status != "400":
                raise Wrong(f"{text!r}: {status}, 400 is due")
            return status
        if kind == "over the limit":
            self.drop()
            return self.expect(413, None, "POST", "/echo" + query, bytes(OVERSIZE))
        raise ValueError(kind)

    def head(self, target):
        return f"GET {target} HTTP/1.1\r\nHost: {HOST}:{self.port}\r\n\r\n".encode()

    @staticmethod
    def event(items):
        records = [{"messageId": str(number), "eventSource": "aws:sqs", "body": json.dumps({"item": item, "quantity": quantity})}
                   for number, (item, quantity) in enumerate(items, 1)]
        return json.dumps({"Records": records}).encode()


class Load:
    """A steady mix for one local Lambda, at moments that are drawn, until it is stopped."""

    def __init__(self, port, mode, rate, accounts, seed):
        self.port, self.mode, self.rate, self.accounts = port, mode, rate, accounts
        self.random = random.Random(f"{seed} {mode}")
        self.queue = queue.SimpleQueue()
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.counts = Counter()
        self.wrong = []
        self.wrong_count = 0
        self.slowest = 0.0
        self.threads = [threading.Thread(target=self.work, daemon=True) for _ in range(CLIENTS)]
        self.threads.append(threading.Thread(target=self.pace, daemon=True))

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        """Returns when all that was sent has been answered."""
        self.stopping.set()
        for thread in self.threads:
            thread.join(3 * WAIT)
        return not any(thread.is_alive() for thread in self.threads)

    def pace(self):
        cards = []
        number = 0
        now = time.monotonic()
        burst, oversize = now + BURST_EVERY, now + OVERSIZE_EVERY / 2

        def put(kind):
            nonlocal number
            number += 1
            self.queue.put((kind, f"k{number}", self.random.random()))

        while not self.stopping.wait(max(0, now - time.monotonic())):
            if not cards:
                cards = [kind for kind, share in MIX.items() for _ in range(share)]
                self.random.shuffle(cards)
            put(cards.pop())
            now += self.random.expovariate(self.rate)
            if now >= burst:
                burst += BURST_EVERY
                for _ in range(BURST):
                    put("stream")
            if now >= oversize:
                oversize += OVERSIZE_EVERY
                put("over the limit")
        for _ in range(CLIENTS):
            self.queue.put(None)

    def work(self):
        client = Client(self.port, self.mode, self.accounts)
        while task := self.queue.get():
            began = time.monotonic()
            try:
                result = client.send(*task)
            except Wrong as error:
                result = "WRONG"
                self.note(f"{task[0]} {task[1]}: {error}")
            except (OSError, http.client.HTTPException) as error:
                result = "BROKEN"
                self.note(f"{task[0]} {task[1]}: {type(error).__name__}: {error}")
            with self.lock:
                self.counts[task[0], result] += 1
                self.slowest = max(self.slowest, time.monotonic() - began)
        client.drop()

    def note(self, text):
        with self.lock:
            self.wrong_count += 1
            if len(self.wrong) < 20:
                self.wrong.append(text)
