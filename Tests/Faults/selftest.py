"""Tests the tool itself: the server by a small client, the reader by the protocol's byte vectors, and the verdicts by a
stand-in app that keeps every promise or breaks a named one."""
import http.client
import os
import socket
import subprocess
import sys
import time

from faults import Hang, Refuse, ResetAfterRead, ResetBeforeRead, ended, eventually
from sentry_server import Malformed, Server, check_envelope, parse_envelope

HERE = os.path.dirname(os.path.abspath(__file__))
ID = "0123456789abcdef0123456789abcdef"
failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print(f"self-test: FAILED: {what}", file=sys.stderr)


def envelope(n, event_id=ID):
    event = b'{"event_id":"%s","timestamp":1.5,"exception":{"values":[{"type":"E","value":"x n=%d"}]}}' % (event_id.encode(), n)
    return b'{"event_id":"%s"}\n{"type":"event","length":%d}\n%s\n' % (event_id.encode(), len(event), event)


def vectors():
    event = b'{"event_id":"%s"}\n{"type":"event","length":%%d}\n{"event_id":"%s","x":1}\n' % (ID.encode(), ID.encode())
    good = [
        (b"{}", []), (b"{}\n", []),
        (b'{}\n{"type":"event"}\n{"x":1}', [b'{"x":1}']),
        (b'{}\n{"type":"attachment","length":0}\n\n', [b""]), (b'{}\n{"type":"attachment","length":0}\n', [b""]),
        (b'{}\n{"type":"attachment","length":3}\na\nb\n{"type":"attachment","length":1}\nz', [b"a\nb", b"z"]),
        (b'{}\n{"type":"attachment"}\nab\r\n', [b"ab\r"]), (b'{}\r\n{"type":"attachment"}\nab\n', [b"ab"]),
        (b'{}\n{"type":"attachment"}\n\n{"type":"attachment","length":1}\nz\n', [b"", b"z"]),
        (event % 53, [b'{"event_id":"%s","x":1}' % ID.encode()]),
        (event % 54, [b'{"event_id":"%s","x":1}\n' % ID.encode()]),
    ]
    for data, payloads in good:
        try:
            expect([payload for _, payload in parse_envelope(data)[1]] == payloads, f"payloads of {data!r}")
        except Malformed as error:
            expect(False, f"{data!r}: {error}")
    bad = [event % 52, event % 55, b'{}\n{"type":"attachment","length":9}\nabc\n', b'{"a":1,"a":2}\n', b"[]\n", b"",
           b'{}\n{"type":"attachment"}', b'{}\n{"type":"a","length":1}\nz\n\n{"type":"a","length":1}\nz\n']
    for data in bad:
        try:
            parse_envelope(data)
            expect(False, f"{data!r} was accepted")
        except Malformed:
            pass
    for data in [b'{}\n{"type":"event"}\n{"event_id":"%s","timestamp":1}' % ID.encode(), event % 53,
                 envelope(1).replace(ID.encode(), ID.upper().encode())]:
        try:
            check_envelope(data)
            expect(False, f"{data!r} passed as one of ours")
        except Malformed:
            pass
    expect(check_envelope(envelope(12))[1] == 12, "n of an event")


def post(connection, n, key="key", event_id=ID):
    connection.request("POST", "/api/1/envelope/", envelope(n, event_id), {
        "Content-Type": "application/x-sentry-envelope", "X-Sentry-Auth": f"Sentry sentry_version=7, sentry_key={key}"})
    response = connection.getresponse()
    response.read()
    return response


def client(server, timeout=1.0):
    return http.client.HTTPConnection("127.0.0.1", server.port, timeout=timeout)


def outcome(call):
    try:
        return call().status
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__


def servers():
    server = Server()
    kept = client(server)
    expect([outcome(lambda: post(kept, n)) for n in range(3)] == [200] * 3, "three on one connection")
    expect(server.connection_count == 1 and server.request_count == 3, "connections and requests are counted")
    expect(set(server.accepted_at()) == {0, 1, 2}, "accepted")
    # The server is done with a request a moment after its answer has come.
    expect(eventually(server.reset_idle) == 1, "one idle connection")
    try:
        got = kept.sock.recv(1)
        expect(False, f"an idle connection that was reset gave {got!r}")
    except ConnectionResetError:
        pass
    expect(outcome(lambda: post(client(server), 3, key="other")) == 403, "wrong key")
    fresh = client(server)
    fresh.request("POST", "/api/1/envelope/", b'{}\n{"type":"event","length":9}\n{}', {"Content-Type": "application/x-sentry-envelope"})
    expect(fresh.getresponse().status == 400 and len(server.problems) == 1, "malformed")
    server.down()
    expect(outcome(lambda: post(client(server), 4)) == "ConnectionRefusedError", "down")
    server.up()
    expect(outcome(lambda: post(client(server), 4)) == 200, "up again on the same port")
    server.black_hole()
    expect(outcome(lambda: post(client(server, 0.3), 5)) == "TimeoutError", "black hole")
    server.up()
    expect(outcome(lambda: post(client(server), 5)) == 200 and 5 in server.accepted_at(), "after the black hole")
    server.down()

    for fault, read in ((ResetBeforeRead, 0), (ResetAfterRead, 1)):
        server = Server(fault())
        seen, kept = [], client(server)
        for n in range(12):
            result = outcome(lambda: post(kept, n))
            seen.append("x" if result == "ConnectionResetError" else "." if result == 200 else str(result))
            if result != 200:
                kept.close()
        # Two each for connections 1 and 2, the third dies at once, two for 4 and 5, the sixth dies at its second.
        expect("".join(seen) == "....x" + "....." + "x" + ".", f"{fault.__name__}: {''.join(seen)}")
        expect(server.request_count == 10 + 2 * read, f"{fault.__name__}: {server.request_count} requests read")
        server.down()

    server = Server(Hang(2))
    kept = client(server, 0.3)
    expect(outcome(lambda: post(kept, 0)) == 200 and outcome(lambda: post(kept, 1)) == "TimeoutError", "hang")
    start = time.monotonic()
    server.down()
    expect(time.monotonic() - start < 1, "a hang ends when the server goes down")
    server = Server(Refuse(3, 500, "No"))
    kept = client(server)
    expect([outcome(lambda: post(kept, n)) for n in range(6)] == [200, 200, 500] * 2, "500 on every third")
    server.fault = Refuse(1, 429, "Too Many Requests", "Retry-After: 60")
    expect(post(kept, 1).getheader("retry-after") == "60", "429")
    expect(len(server.accepted) == 4, "a refused event is not accepted")
    server.down()
    for data, whole in ((b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nab", True), (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\na", False),
                        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n\r\n", True),
                        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\nA: b\r\n\r\n", True),
                        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n0\r\n", False),
                        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\none\r\n", False)):
        expect(ended(data) == whole, f"the end of {data!r}")


# bug -> (row, words of the verdict). Without a bug every row is green.
BUGS = {
    "lose": ("well", "lost"), "late": ("well", "before the last byte"), "length": ("well", "malformed"),
    "no-repeat": ("reset-before-read", "lost|before the last byte"), "new-id": ("reset-after-read", "several ids"),
    "no-breaker": ("hang-all", "median"), "no-spool": ("hang-all", "neither"), "resend": ("429", "again"),
}


def run(arguments, bug=""):
    return subprocess.run(
        [sys.executable, os.path.join(HERE, "faults.py"), "--app", f"{HERE}/fake_app.py", "--log-lines", "0", *arguments],
        env={**os.environ, "FAKE_BUG": bug}, capture_output=True, text=True)


def verdicts():
    os.chmod(f"{HERE}/fake_app.py", 0o755)
    result = run(["--count", "30", "--kills", "5"])
    print(result.stdout + result.stderr, flush=True)
    expect(result.returncode == 0 and result.stdout.count("| ok") == 24, "every row is green with an app that keeps its promises")
    for bug, (row, words) in BUGS.items():
        # hang-all without a breaker costs half a second for each request.
        result = run(["--count", "12", "--modes", "buffered", "--rows", row], bug)
        red = [line for line in result.stdout.splitlines() if "FAILED" in line]
        expect(result.returncode == 1 and any(word in line for line in red for word in words.split("|")),
               f"an app with the fault {bug} is found by the row {row}: {result.stdout}{result.stderr}")
        print(f"self-test: {bug} is found: {red[-1].split('|')[-2].strip()[:110] if red else 'NO'}", flush=True)


def main():
    vectors()
    servers()
    print(f"self-test: server and reader: {len(failures)} failures", flush=True)
    verdicts()
    print(f"self-test: {len(failures)} failures")
    return 1 if failures else 0
