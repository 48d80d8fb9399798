"""One HTTP exchange, with its times and the way in which it ended."""
import dataclasses
import http.client
import socket
import time
import urllib.parse

# A head of any size is to be read.
http.client._MAXHEADERS = 100_000


@dataclasses.dataclass
class Answer:
    status: int = 0
    headers: list = dataclasses.field(default_factory=list)
    body: bytes = b""
    # Seconds since the request was sent: to the head, to the end, and to each part of the body.
    head: float = 0.0
    total: float = 0.0
    parts: list = dataclasses.field(default_factory=list)
    # "clean", "cut", "hangs", or why there was no answer.
    end: str = "clean"

    def __getitem__(self, name):
        return ", ".join(self.all(name)) or None

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name]

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    @property
    def id(self):
        """The invocation's id, as the function says it."""
        return self["x-request-id"] or self["x-amzn-requestid"] or ""

    def __str__(self):
        if not self.status:
            return f"no answer ({self.end})"
        return f"{self.status}, {len(self.body)} B, {dict(clean='ends').get(self.end, self.end)}"


def ask(base, path, method="GET", headers=None, body=None, patience=20.0):
    """Asks once, over a connection of its own. What takes longer than `patience` hangs."""
    url = urllib.parse.urlsplit(base)
    kind = http.client.HTTPSConnection if url.scheme == "https" else http.client.HTTPConnection
    connection = kind(url.hostname, url.port, timeout=patience)
    answer, begin = Answer(), time.monotonic()
    try:
        connection.connect()
        begin = time.monotonic()
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in (headers or {}).items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        answer.status, answer.headers = response.status, response.getheaders()
        answer.head = time.monotonic() - begin
        while part := response.read1(65_536):
            answer.parts.append((time.monotonic() - begin, part))
            connection.sock and connection.sock.settimeout(max(0.1, begin + patience - time.monotonic()))
        # HEAD has a length and no body.
        if method != "HEAD" and response.length:
            answer.end = "cut"
    except socket.timeout:
        answer.end = "hangs"
    except (http.client.HTTPException, OSError) as error:
        answer.end = "cut" if answer.status else f"{type(error).__name__}: {error}"
    finally:
        connection.close()
    answer.total = time.monotonic() - begin
    answer.body = b"".join(part for _, part in answer.parts)
    return answer
