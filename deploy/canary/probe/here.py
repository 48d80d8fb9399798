"""The local Lambda: one for each place, all at once."""
import os
import pathlib
import re
import subprocess
import tempfile
import time

from . import client, runtime
from .places import PLACES

WIRE = pathlib.Path(__file__).resolve().parent.parent / "wire" / "bootstrap"


class Here:
    is_local = True
    # Seconds between two looks across a freeze.
    pause = 2.0

    def __init__(self, program, bootstrap=None):
        self.program = pathlib.Path(program)
        self.bootstrap = pathlib.Path(bootstrap) if bootstrap else None
        self.processes, self.urls = {}, {}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="sluice-canary-")
        try:
            for place in PLACES.values():
                self.start(place)
            for name in PLACES:
                self.urls[name] = f"http://127.0.0.1:{self.port(name)}"
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.terminate()
        for process in self.processes.values():
            try:
                process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.folder.cleanup()

    def environment(self, name, variables):
        own = {
            key: value for key, value in os.environ.items()
            if not key.startswith(("AWS_", "SLUICE_", "SENTRY_", "OTEL_", "LAMBDA_")) and key not in ("PORT", "_HANDLER")
        }
        spool = pathlib.Path(self.folder.name) / f"spool-{name}"
        spool.mkdir(mode=0o700, exist_ok=True)
        return {**own, **variables, "SLUICE_SPOOL": str(spool)}

    def start(self, place):
        variables = {
            **place.variables, **place.only_here, "PORT": "0", "SLUICE_LOCAL_TIMEOUT": str(place.timeout),
            # What one sandbox does is what is asked here.
            "SLUICE_LOCAL_SANDBOXES": "1",
            "SLUICE_LOCAL_URL_MODE": "response_stream" if place.url_streams else "buffered",
        }
        if place.is_wire or self.bootstrap:
            variables["SLUICE_LOCAL_PROGRAM"] = str(WIRE if place.is_wire else self.bootstrap)
        if place.is_gateway:
            variables["SLUICE_LOCAL_FRONT"] = "http"
        with open(self.log(place.name), "wb") as log:
            self.processes[place.name] = subprocess.Popen(
                [str(self.program)], env=self.environment(place.name, variables), stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, start_new_session=True)

    def log(self, name):
        return pathlib.Path(self.folder.name) / f"{name}.log"

    def text(self, name):
        return self.log(name).read_text(errors="replace")

    def port(self, name):
        found = wait(lambda: re.search(r"Lambda on this machine: http://127\.0\.0\.1:(\d+)", self.text(name)), 20)
        if not found:
            raise RuntimeError(f"the local Lambda of '{name}' does not start: {self.text(name)}")
        return int(found[1])

    # --- what a check asks -------------------------------------------------------------------------------------------

    def ask(self, name, path, method="GET", **more):
        return client.ask(self.urls[name], path, method, **more)

    def seen(self, name, *needles):
        """The lines of the log so far that have all of these."""
        return [line for line in self.text(name).splitlines() if all(needle in line for needle in needles)]

    def lines(self, name, *needles):
        """As seen, once there is one; none where none comes."""
        return wait(lambda: self.seen(name, *needles), 5) or []

    def init(self, name):
        """Where the platform measures a start; nowhere here."""
        return None

    def fate(self, name, path, answer):
        """What the platform made of the last such invocation: its line of the console, with the notes below."""
        def look():
            found = re.findall(rf"^\d+  [^\n]*GET {re.escape(path)}  [^\n]*\n((?:     [^\n]*\n)*)", self.text(name), re.M)
            return found[-1:] or None
        found = wait(look, 5)
        if not found:
            return "unknown"
        notes = {
            "Runtime.TruncatedResponse": "Runtime.TruncatedResponse", "the stream ended with an error": "error trailers",
            "Lambda counts an error": "error",
        }
        return next((fate for note, fate in notes.items() if note in found[0]), "success")

    def errors(self, name):
        """The metric Errors; not kept here."""
        return None

    def invoke(self, name, event):
        """What the function makes of an event without a front end."""
        environment = self.environment(f"{name}-event", PLACES[name].variables)
        return runtime.once(str(self.bootstrap or self.program), environment, event)

    def last_words(self, name):
        self.processes[name].terminate()
        self.processes[name].wait(timeout=10)
        return self.lines(name, "canary: the sandbox ends")

    def cloudfront(self):
        return None


def wait(look, patience):
    limit = time.monotonic() + patience
    while True:
        if found := look():
            return found
        if time.monotonic() > limit:
            return None
        time.sleep(0.02)
