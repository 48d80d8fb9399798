#!/usr/bin/env python3
"""A stand-in for the app, for the self-test: a parent that listens and freezes, a child that spools and delivers.

FAKE_BUG breaks one promise: lose, late, new-id, no-repeat, no-breaker, no-spool, resend, length.
"""
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
import uuid

BUG = os.environ.get("FAKE_BUG", "")


# --- the child ------------------------------------------------------------------------------------------------------

class Client:
    def __init__(self):
        self.dsn = urllib.parse.urlsplit(os.environ["SENTRY_DSN"])
        self.spool = os.environ["SLUICE_SPOOL"]
        self.connection = None
        self.limited = False
        self.away_since = None
        self.probed = 0.0
        self.failures = 0

    def capture(self, n):
        event_id = uuid.uuid4().hex
        self.write(event_id, n)

    def write(self, event_id, n):
        event = json.dumps({"event_id": event_id, "timestamp": time.time(),
                            "exception": {"values": [{"type": "Broken", "value": f"n={n}"}]}}).encode()
        length = len(event) + (BUG == "length")
        data = b'{"event_id":"%s"}\n{"type":"event","length":%d}\n%s\n' % (event_id.encode(), length + (BUG == "length"), event)
        if BUG == "no-spool":
            self.memory = getattr(self, "memory", []) + [data]
            return
        path = os.path.join(self.spool, f"{time.time_ns()}-{event_id}.envelope")
        with open(path + ".tmp", "wb") as file:
            file.write(data)
        os.rename(path + ".tmp", path)

    def post(self, data, timeout):
        kept = self.connection is not None
        try:
            if not kept:
                self.connection = http.client.HTTPConnection(self.dsn.hostname, self.dsn.port, timeout=timeout)
            self.connection.request("POST", "/api/1/envelope/", data, {
                "Content-Type": "application/x-sentry-envelope",
                "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={self.dsn.username}"})
            response = self.connection.getresponse()
            response.read()
            if response.will_close:
                self.connection = None
            return response.status
        except (OSError, http.client.HTTPException) as error:
            self.connection = None
            if isinstance(error, TimeoutError):
                raise
            return 0

    def flush(self, timeout, probing=False):
        if self.away_since and not probing and BUG != "no-breaker":
            return
        for name in sorted(os.listdir(self.spool)):
            if not name.endswith(".envelope"):
                continue
            path = os.path.join(self.spool, name)
            with open(path, "rb") as file:
                data = file.read()
            if self.limited:
                os.unlink(path)
                continue
            status = 0
            try:
                for _ in range(1 if BUG == "no-repeat" else 3):
                    status = self.post(data, timeout)
                    if status or self.away_since:
                        break
                    if BUG == "new-id":
                        old = json.loads(data.split(b"\n")[0])["event_id"].encode()
                        data = data.replace(old, uuid.uuid4().hex.encode())
            except TimeoutError:
                pass
            if status == 0:
                self.away_since = self.away_since or time.monotonic()
                return
            self.away_since = None
            if status == 429:
                self.limited = BUG != "resend"
            if status == 200 or BUG != "resend":
                os.unlink(path)
        if BUG == "no-spool":
            for data in getattr(self, "memory", []):
                try:
                    self.post(data, timeout)
                except TimeoutError:
                    pass
            self.memory = []

    def after_reply(self):
        if self.away_since and time.monotonic() - self.probed > 0.5:
            self.flush(0.2, probing=True)
            self.probed = time.monotonic()


def child():
    client = Client()
    client.flush(0.2)
    for line in sys.stdin:
        path = line.strip()
        failing = re.search(r"/fail\?n=(\d+)", path)
        if failing:
            n = int(failing.group(1))
            if not (BUG == "lose" and n % 7 == 3):
                client.capture(n)
            if BUG != "late":
                client.flush(0.5)
        print("500" if failing else "200", flush=True)
        if BUG == "late":
            time.sleep(0.003)
            client.flush(0.5)
        client.after_reply()
        print("next", flush=True)
        sys.stderr.write(json.dumps({"level": "info", "reports": {"delivered": int(bool(failing))}}) + "\n")


# --- the parent -----------------------------------------------------------------------------------------------------

class Parent:
    def __init__(self):
        self.lock = threading.Lock()
        self.worker = None

    def start(self):
        self.worker = subprocess.Popen([sys.executable, __file__, "child"], stdin=subprocess.PIPE,
                                       stdout=subprocess.PIPE, text=True)

    def serve(self, sock):
        head = b""
        while b"\r\n\r\n" not in head:
            part = sock.recv(4096)
            if not part:
                return
            head += part
        path = head.split(b" ")[1].decode()
        streams = path.startswith("/stream")
        with self.lock:
            if self.worker is None or self.worker.poll() is not None:
                self.start()
            self.worker.send_signal(signal.SIGCONT)
            try:
                if streams:
                    sock.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n")
                self.worker.stdin.write(path + "\n")
                self.worker.stdin.flush()
                status = self.worker.stdout.readline().strip()
            except BrokenPipeError:
                status = ""
            if not status:
                if not streams:
                    sock.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            elif streams:
                sock.sendall(b"0\r\n\r\n")
            else:
                sock.sendall(b"HTTP/1.1 %s X\r\nContent-Length: 2\r\n\r\nok" % status.encode())
            sock.close()
            if status and self.worker.stdout.readline():
                self.worker.send_signal(signal.SIGSTOP)

    def run(self):
        def end(*_):
            if self.worker:
                self.worker.kill()
            os._exit(143)
        signal.signal(signal.SIGTERM, end)
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", int(os.environ["PORT"])))
        listener.listen()
        self.start()
        while True:
            sock, _ = listener.accept()
            threading.Thread(target=self._quietly, args=(sock,), daemon=True).start()

    def _quietly(self, sock):
        try:
            self.serve(sock)
        except OSError:
            pass


if __name__ == "__main__":
    child() if sys.argv[1:] == ["child"] else Parent().run()
