"""An error server, Sentry's as a rule, that misbehaves on request: raw sockets and threads, strict about what it is sent.

It shares no code with the library under test: the envelope reader below is written from the protocol's pages alone.
"""
import gzip
import json
import os
import re
import select
import socket
import struct
import threading
import time
import zlib

HEX32 = re.compile(r"[0-9a-f]{32}\Z")
RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)\Z")
NUMBER = re.compile(r"\bn=(\d+)")


class Malformed(Exception):
    pass


def strict_json(data, what):
    def once(pairs):
        if len({key for key, _ in pairs}) != len(pairs):
            raise Malformed(f"{what}: a key occurs twice")
        return dict(pairs)

    def constant(name):
        raise Malformed(f"{what}: {name} is not JSON")

    try:
        return json.loads(data.decode("utf-8"), object_pairs_hook=once, parse_constant=constant)
    except UnicodeDecodeError:
        raise Malformed(f"{what}: not UTF-8") from None
    except (ValueError, RecursionError) as error:
        raise Malformed(f"{what}: {error}") from None


def json_object(data, what):
    value = strict_json(data, what)
    if not isinstance(value, dict):
        raise Malformed(f"{what}: not an object")
    return value


def parse_envelope(data):
    """The headers and the items [(item header, payload bytes)] of an envelope, or Malformed."""
    line, newline, rest = data.partition(b"\n")
    headers = json_object(line, "envelope header")
    items = []
    while newline and rest:
        line, found, rest = rest.partition(b"\n")
        item = json_object(line, "item header")
        if not isinstance(item.get("type"), str):
            raise Malformed("item header: no type")
        if not found:
            raise Malformed("item header: no payload follows")
        if "length" in item:
            length = item["length"]
            if type(length) is not int or length < 0:
                raise Malformed("item header: length is not a count")
            if len(rest) < length:
                raise Malformed(f"item {item['type']}: {length} bytes promised, {len(rest)} there")
            payload, tail = rest[:length], rest[length:]
            if tail and tail[:1] != b"\n":
                raise Malformed(f"item {item['type']}: the payload does not end where its length says")
            rest = tail[1:]
        else:
            payload, _, rest = rest.partition(b"\n")
        items.append((item, payload))
    return headers, items


def check_envelope(data):
    """What an envelope of ours must be: returns (event or None, the number n in it or None, item types)."""
    headers, items = parse_envelope(data)
    event = None
    if "sent_at" in headers and not (isinstance(headers["sent_at"], str) and RFC3339.match(headers["sent_at"])):
        raise Malformed("envelope header: sent_at is not a time")
    for item, payload in items:
        if "length" not in item:
            raise Malformed(f"item {item['type']}: no length")
        if item["type"] == "event":
            if event is not None:
                raise Malformed("two events in one envelope")
            event = json_object(payload, "event")
            if not HEX32.match(str(event.get("event_id"))):
                raise Malformed("event: event_id is not 32 lower-case hex digits")
            if headers.get("event_id") != event["event_id"]:
                raise Malformed("event_id of the envelope is not the event's")
            if type(event.get("timestamp")) not in (int, float) and not RFC3339.match(str(event.get("timestamp"))):
                raise Malformed("event: no timestamp")
        elif item["type"] in ("log", "trace_metric"):
            values = json_object(payload, item["type"]).get("items")
            if not isinstance(values, list) or item.get("item_count") != len(values):
                raise Malformed(f"{item['type']}: item_count is not the number of items")
        elif item["type"] in ("client_report", "session", "sessions", "check_in"):
            json_object(payload, item["type"])
    return event, number_of(event), [item["type"] for item, _ in items]


def number_of(event):
    """The n of `n=<i>` in the value of the last exception."""
    values = (event or {}).get("exception")
    values = values.get("values") if isinstance(values, dict) else values
    found = NUMBER.search(str(values[-1].get("value"))) if values and isinstance(values[-1], dict) else None
    return int(found.group(1)) if found else None


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.target, self.headers, self.body = method, target, headers, body


class Connection:
    """Read, written and closed by its own thread alone: a socket that is closed while another thread polls it stays
    open in the kernel, and its RST would never leave."""

    def __init__(self, sock, number):
        self.sock, self.number = sock, number
        self.buffer = b""
        self.requests = 0
        self.busy = False
        self.doomed = False
        self.ended = threading.Event()
        self.wake = os.eventfd(0)
        self.guard = threading.Lock()

    def doom(self):
        """From any thread: its own thread resets it."""
        with self.guard:
            self.doomed = True
            if not self.ended.is_set():
                os.eventfd_write(self.wake, 1)

    def wait_readable(self):
        """False: doomed."""
        if not self.buffer and not self.doomed:
            poller = select.poll()
            poller.register(self.sock, select.POLLIN)
            poller.register(self.wake, select.POLLIN)
            poller.poll()
        return not self.doomed

    def pause(self, seconds):
        """Does nothing for that long, unless doomed."""
        poller = select.poll()
        poller.register(self.wake, select.POLLIN)
        poller.poll(seconds * 1000)

    def reset(self):
        """RST, not FIN: linger of zero seconds."""
        try:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        except OSError:
            pass
        self.sock.close()

    def end(self):
        if self.doomed:
            self.reset()
        self.sock.close()
        with self.guard:
            self.ended.set()
            os.close(self.wake)

    def _more(self):
        if not self.wait_readable():
            raise EOFError
        data = self.sock.recv(65536)
        if not data:
            raise EOFError
        self.buffer += data

    def _line(self):
        while b"\r\n" not in self.buffer:
            if len(self.buffer) > 65536:
                raise Malformed("a line of more than 64 KiB")
            self._more()
        line, _, self.buffer = self.buffer.partition(b"\r\n")
        return line

    def _exactly(self, count):
        while len(self.buffer) < count:
            self._more()
        data, self.buffer = self.buffer[:count], self.buffer[count:]
        return data

    def read_request(self):
        parts = self._line().decode("latin-1").split(" ")
        if len(parts) != 3 or parts[2] != "HTTP/1.1":
            raise Malformed(f"request line {' '.join(parts)!r}")
        headers = {}
        while line := self._line():
            name, colon, value = line.decode("latin-1").partition(":")
            if not colon or not name or name != name.strip():
                raise Malformed(f"header line {line!r}")
            headers.setdefault(name.lower(), value.strip(" \t"))
        if "host" not in headers:
            raise Malformed("no Host")
        if headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if "chunked" in headers.get("transfer-encoding", "").lower():
            if "content-length" in headers:
                raise Malformed("both Content-Length and chunks")
            body = b""
            while size := int(self._line().split(b";")[0], 16):
                body += self._exactly(size)
                if self._exactly(2) != b"\r\n":
                    raise Malformed("a chunk longer than its size")
            while self._line():
                pass
        else:
            body = self._exactly(int(headers.get("content-length", "0")))
        encoding = headers.get("content-encoding", "identity").lower()
        try:
            if encoding == "gzip":
                body = gzip.decompress(body)
            elif encoding == "deflate":
                body = zlib.decompress(body)
            elif encoding != "identity":
                raise Malformed(f"Content-Encoding {encoding}")
        except (OSError, EOFError, zlib.error) as error:
            raise Malformed(f"{encoding}: {error}") from None
        self.requests += 1
        return Request(parts[0], parts[1], headers, body)

    def answer(self, status, reason, body, extra=()):
        head = [f"HTTP/1.1 {status} {reason}", "Content-Type: application/json", f"Content-Length: {len(body)}", *extra]
        self.sock.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body)


class Fault:
    """A server that does everything right. The rows' faults override one step each."""
    key = "key"

    def before_read(self, server, connection):
        """Bytes wait on the connection. False: it has been dealt with, and is not read."""
        return True

    def after_read(self, server, connection, request, event):
        """The request has been read and is well-formed. None: accept it; otherwise the answer
        (status, reason, extra headers), or False: dealt with."""
        return None

    def last_answer(self, server, connection):
        """True: the answer says `Connection: close`."""
        return False


class SentryProtocol:
    path = "/api/1/envelope/"
    content_type = "application/x-sentry-envelope"
    name = "Sentry"
    check = staticmethod(check_envelope)

    @staticmethod
    def keys(request, query):
        auth = dict(re.findall(r"(\w+)=([^,\s]+)", request.headers.get("x-sentry-auth", "")))
        return [auth.get("sentry_key"), *re.findall(r"(?:^|&)sentry_key=([^&]*)", query)]

    @staticmethod
    def accepted(event):
        return json.dumps({"id": event["event_id"]} if event else {}).encode()

    @staticmethod
    def environment(port, key):
        return {"SENTRY_DSN": f"http://{key}@127.0.0.1:{port}/1"}


class Server:
    """Listens on one loopback port for its whole life, down or up."""

    def __init__(self, fault=None, protocol=SentryProtocol):
        self.protocol = protocol
        self.fault = fault or Fault()
        self.lock = threading.Lock()
        self.listener = None
        self.port = 0
        self.generation = 0
        self.connections = {}
        self.clear()
        self.open()

    def clear(self):
        with self.lock:
            self.connection_count = 0       # accepted by us
            self.request_count = 0          # read completely
            self.event_requests = []        # event ids in the order read, repeats included
            self.accepted = []              # (event id, n, time just before the 200)
            self.ids = {}                   # n -> every event id under which it was read
            self.problems = []              # what a strict server refuses
            self.item_types = {}

    # listener

    def open(self, accepting=True):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(128)
        self.port = listener.getsockname()[1]
        self.listener = listener
        self.generation += 1
        if accepting:
            threading.Thread(target=self._accept, args=(listener, self.generation), daemon=True).start()

    def down(self):
        """Closes the listener and resets every connection."""
        self.generation += 1
        listener, self.listener = self.listener, None
        if listener:
            # A thread in accept() keeps a closed listener alive: shutdown wakes it.
            try:
                listener.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            listener.close()
        with self.lock:
            connections, self.connections = list(self.connections.values()), {}
        for connection in connections:
            connection.doom()
        for connection in connections:
            connection.ended.wait(1)

    def black_hole(self):
        """Connections are made by the kernel and nobody ever reads them."""
        self.down()
        self.open(accepting=False)

    def up(self):
        """Back on the same port, well."""
        self.fault = Fault()
        self.down()
        self.open()

    def reset_idle(self):
        """Resets the connections on which no request is under way; how many there were."""
        with self.lock:
            idle = [c for c in self.connections.values() if not c.busy]
            for connection in idle:
                del self.connections[connection.number]
        for connection in idle:
            connection.doom()
        for connection in idle:
            connection.ended.wait(1)
        return len(idle)

    # connections

    def _accept(self, listener, generation):
        while generation == self.generation:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            if generation != self.generation:
                sock.close()
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.connection_count += 1
                connection = Connection(sock, self.connection_count)
                self.connections[connection.number] = connection
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            while True:
                connection.busy = False
                if not connection.wait_readable():
                    return
                connection.busy = True
                if not connection.buffer and not connection.sock.recv(1, socket.MSG_PEEK):
                    return
                if not self.fault.before_read(self, connection):
                    return
                if not self._one(connection):
                    return
        except (OSError, EOFError, ValueError):
            pass            # the client's end, or our own reset from another thread
        finally:
            with self.lock:
                self.connections.pop(connection.number, None)
            connection.end()

    def _one(self, connection):
        try:
            request = connection.read_request()
            path, _, query = request.target.partition("?")
            event, n, types = self.protocol.check(request.body)
            if request.method != "POST" or path != self.protocol.path:
                raise Malformed(f"{request.method} {path}")
            if request.headers.get("content-type") != self.protocol.content_type:
                raise Malformed(f"Content-Type {request.headers.get('content-type')}")
        except Malformed as error:
            with self.lock:
                self.problems.append(str(error))
            connection.answer(400, "Bad Request", json.dumps({"detail": str(error)}).encode(), ["Connection: close"])
            return False
        with self.lock:
            self.request_count += 1
            for kind in types:
                self.item_types[kind] = self.item_types.get(kind, 0) + 1
            if event is not None:
                self.event_requests.append(event["event_id"])
                if n is not None:
                    self.ids.setdefault(n, set()).add(event["event_id"])
        if self.fault.key not in self.protocol.keys(request, query):
            verdict = (403, "Forbidden", [])
        else:
            verdict = self.fault.after_read(self, connection, request, event)
        if verdict is False:
            return False
        last = self.fault.last_answer(self, connection)
        closing = ["Connection: close"] if last else []
        if verdict is not None:
            status, reason, extra = verdict
            connection.answer(status, reason, b'{"detail":"no"}', [*extra, *closing])
        else:
            body = self.protocol.accepted(event)
            if event is not None:
                with self.lock:
                    self.accepted.append((event["event_id"], n, time.monotonic()))
            connection.answer(200, "OK", body, closing)
        return not last

    def accepted_at(self):
        """n -> the time of its first acceptance."""
        with self.lock:
            result = {}
            for _, n, when in self.accepted:
                if n is not None:
                    result[n] = min(when, result.get(n, when))
            return result
