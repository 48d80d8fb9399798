"""A Runtime API with one event in it, for events that no front door of the local Lambda makes."""
import http.server
import json
import subprocess
import threading

ID = "8476a536-e9f4-11e8-9739-2dfe598c3fcd"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if not self.path.endswith("/invocation/next") or self.server.is_asked.is_set():
            # An extension's next, and the runtime's second one: nothing more happens.
            self.server.is_over.wait()
            self.close_connection = True
            return
        self.server.is_asked.set()
        self.answer(200, self.server.event, (
            ("Content-Type", "application/json"), ("Lambda-Runtime-Aws-Request-Id", ID),
            ("Lambda-Runtime-Deadline-Ms", str(2**42)),
            ("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:us-east-1:000000000000:function:canary")))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path.endswith("/extension/register"):
            return self.answer(200, b"{}", [("Lambda-Extension-Identifier", ID)])
        if self.path.endswith((f"{ID}/response", f"{ID}/error")):
            self.server.reply = (self.path.rsplit("/", 1)[1], body)
            self.answer(202, b'{"status":"OK"}')
            return self.server.is_answered.set()
        self.answer(404)

    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.answer(200, b'"OK"')

    def log_message(self, *_):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        """The program is killed once it has answered: its connections break, and nobody has to be told."""


def once(program, environment, event, patience=10):
    """Hands one event to the program: "response" or "error", and the bytes."""
    server = Server(("127.0.0.1", 0), Handler)
    server.event, server.reply = json.dumps(event).encode(), None
    server.is_asked, server.is_answered, server.is_over = (threading.Event() for _ in range(3))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    environment = {**environment, "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{server.server_address[1]}"}
    process = subprocess.Popen(
        [program], env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        server.is_answered.wait(patience)
    finally:
        process.kill()
        process.wait()
        server.is_over.set()
        server.shutdown()
        server.server_close()
    return server.reply or ("nothing", b"")
