"""How many invocations a second one process serves with 1, 2, 4 and 8 workers (AWS_LAMBDA_MAX_CONCURRENCY), of a handler that waits
20 ms and of one that computes. The Runtime API here is Python's: fast enough for these, and for nothing shorter.

Benchmarks/workers.py PROGRAM [--rounds 5]
"""
import argparse
import json
import os
import socket
import statistics
import subprocess
import threading
import time


class RuntimeAPI:
    """Hands out `count` events as fast as they are asked for, and takes their replies."""

    def __init__(self, path, count):
        self.path, self.left, self.count = path, count, count
        self.lock, self.done = threading.Lock(), threading.Event()
        self.began = self.ended = None
        self.answered, self.bad = 0, 0
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def event(self):
        context = {"domainName": "a.lambda-url.eu-west-1.on.aws", "http": {"method": "GET", "path": self.path, "sourceIp": "192.0.2.1"}}
        return json.dumps({"version": "2.0", "rawPath": self.path, "rawQueryString": "", "headers": {}, "requestContext": context}).encode()

    def serve(self, client):
        try:
            self.answer(client)
        except ConnectionError:
            pass  # the program is ended when all is measured

    def answer(self, client):
        stream = client.makefile("rb")
        while line := stream.readline():
            length = 0
            while (header := stream.readline()) not in (b"\r\n", b""):
                if header.lower().startswith(b"content-length:"):
                    length = int(header.split(b":")[1])
            body = stream.read(length)
            if line.startswith(b"GET"):
                with self.lock:
                    self.began = self.began or time.perf_counter()
                    number = self.left
                    self.left -= 1
                if number <= 0:
                    self.done.wait()
                    return
                event = self.event()
                deadline = int(time.time() * 1000) + 60_000
                client.sendall(
                    b"HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: id-%d\r\nLambda-Runtime-Deadline-Ms: %d\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (number, deadline, len(event), event))
            else:
                with self.lock:
                    self.answered += 1
                    self.bad += b'"statusCode":200' not in body
                    if self.answered == self.count:
                        self.ended = time.perf_counter()
                        self.done.set()
                client.sendall(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")


def measure(program, path, workers, count):
    api = RuntimeAPI(path, count)
    environment = {"PATH": os.environ["PATH"], "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{api.port}", "AWS_LAMBDA_LOG_LEVEL": "FATAL",
                   "AWS_LAMBDA_MAX_CONCURRENCY": str(workers)}
    process = subprocess.Popen([program], env=environment, stderr=subprocess.DEVNULL)
    try:
        if not api.done.wait(120) or api.bad:
            raise SystemExit(f"{path} with {workers} workers: {api.answered} of {count} answered, {api.bad} of them not with 200")
    finally:
        process.kill()
        process.wait()
        api.server.close()
    return count / (api.ended - api.began)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    print("| handler | 1 worker | 2 | 4 | 8 |\n|---|--:|--:|--:|--:|")
    for name, path, each in [("waits 20 ms", "/wait", 40), ("computes", "/compute", 60)]:
        figures = {workers: [] for workers in (1, 2, 4, 8)}
        for _ in range(options.rounds):
            for workers, list in figures.items():
                list.append(measure(options.program, path, workers, each * workers))
        cells = []
        for workers, list in figures.items():
            middle = statistics.median(list)
            first = statistics.median(figures[1])
            cells.append(f"{middle:.0f}/s" + ("" if workers == 1 else f" ({middle / first:.2f})"))
        print(f"| {name} | " + " | ".join(cells) + " |")


main()
