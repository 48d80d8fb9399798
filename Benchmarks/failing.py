#!/usr/bin/env python3
"""What a failing invocation costs the client with an error server, and without one.

Benchmarks/failing.py PROGRAM     the benchmark app, as scripts/bench packages it

Two processes of the app, one with a DSN that leads to a server on this machine (Benchmarks/sink.c), one without; each invocation
of GET /fail goes to the one and then to the other. The first two errors are not counted: they find libcurl's pages cold.
"""
import json
import os
import select
import socket
import statistics
import subprocess
import sys
import time
import uuid

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(HERE), ".build-bench")
COUNT = 400


class Program:
    """One process of the app and its Runtime API."""

    def __init__(self, path, mode, environment):
        self.listener = socket.create_server(("127.0.0.1", 0))
        base = {
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:%d" % self.listener.getsockname()[1], "AWS_LAMBDA_FUNCTION_NAME": "shop",
            "AWS_REGION": "eu-west-1", "AWS_LWA_INVOKE_MODE": mode, "AWS_LAMBDA_LOG_FORMAT": "JSON",
        }
        self.process = subprocess.Popen([path], env={**base, **environment}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.listener.settimeout(10)
        self.accept()

    def accept(self):
        self.peer, _ = self.listener.accept()
        self.peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peer.settimeout(10)
        self.read = b""

    def request(self):
        """Reads one request, over a new connection where the last one was closed; gives head and body as they came."""
        while b"\r\n\r\n" not in self.read:
            part = self.peer.recv(65536)
            self.read += part
            if not part: self.accept()
        head, _, rest = self.read.partition(b"\r\n\r\n")
        lines = head.lower()
        if b"transfer-encoding: chunked" in lines:
            ends = lambda: rest.endswith(b"\r\n0\r\n\r\n")
        else:
            at = lines.find(b"content-length:")
            size = int(lines[at + 15:].split(b"\r\n")[0]) if at >= 0 else 0
            ends = lambda: len(rest) >= size
        while not ends(): rest += self.peer.recv(65536)
        self.read = b""
        return head, rest

    def asked_next(self):
        """Answers an app that reports, which registers as an extension first and waits for an event that never comes."""
        while True:
            head, _ = self.request()
            if head.startswith(b"GET /2018-06-01/runtime/invocation/next "): return
            if head.startswith(b"POST /2020-01-01/extension/register "):
                self.peer.sendall(b"HTTP/1.1 200 OK\r\nLambda-Extension-Identifier: 1\r\nContent-Length: 2\r\n\r\n{}")
            elif head.startswith(b"GET /2020-01-01/extension/event/next "): self.waiting = self.peer
            else: raise AssertionError(head)
            if self.listener in select.select([self.listener, self.peer], [], [], 10)[0]: self.accept()

    def invoke(self):
        """One failing invocation: nanoseconds from the event's first byte to the answer's last one."""
        self.asked_next()
        id = str(uuid.uuid4())
        event = json.dumps({
            "version": "2.0", "rawPath": "/fail", "rawQueryString": "", "headers": {"host": "x.lambda-url.eu-west-1.on.aws"},
            "requestContext": {"http": {"method": "GET", "path": "/fail", "sourceIp": "203.0.113.7"}}, "isBase64Encoded": False,
        }).encode()
        message = (
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nLambda-Runtime-Aws-Request-Id: %s\r\n"
            "Lambda-Runtime-Deadline-Ms: %d\r\nLambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:shop\r\n"
            "Content-Length: %d\r\n\r\n" % (id, time.time() * 1000 + 30000, len(event))).encode() + event
        before = time.perf_counter_ns()
        self.peer.sendall(message)
        head, body = self.request()
        after = time.perf_counter_ns()
        assert b"/response" in head and b'"statusCode":500' in body, (head, body)
        self.peer.sendall(b'HTTP/1.1 202 Accepted\r\nContent-Type: application/json\r\nContent-Length: 16\r\n\r\n{"status":"OK"}\n')
        return after - before


def main():
    os.makedirs(BUILD, exist_ok=True)
    sink = os.path.join(BUILD, "sink")
    subprocess.run(["clang", "-O2", "-Wall", "-Wextra", "-Werror", os.path.join(HERE, "sink.c"), "-o", sink], check=True)
    server = subprocess.Popen([sink], stdout=subprocess.PIPE, text=True)
    dsn = "http://key@127.0.0.1:%d/1" % int(server.stdout.readline())
    print("| mode | without a DSN, p50 | with reports, p50 | difference, p50 | p90 | p99 |\n|---|--:|--:|--:|--:|--:|")
    for mode in ("buffered", "response_stream"):
        plain, reporting = Program(sys.argv[1], mode, {}), Program(sys.argv[1], mode, {"SENTRY_DSN": dsn})
        pairs = [(plain.invoke(), reporting.invoke()) for _ in range(COUNT)][2:]
        extra = sorted(b - a for a, b in pairs)
        figures = [statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs), statistics.median(extra),
                   extra[len(extra) * 9 // 10], extra[len(extra) * 99 // 100]]
        print("| %s | %s |" % (mode, " | ".join("%.2f ms" % (figure / 1e6) for figure in figures)))
        for program in (plain, reporting):
            program.process.kill()
            program.process.wait()
    server.kill()


if __name__ == "__main__":
    main()
