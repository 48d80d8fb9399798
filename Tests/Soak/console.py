"""Reads what the local Lambda and its app print, keeps counts of it, and holds each report against the request that caused it."""
import re
import threading
from collections import Counter, deque

REPORT = re.compile(r"^\s*report  .*?  (?:plan|item)=(k\d+)\b")
ANY_REPORT = re.compile(r"^\s*(?:compressed )?report  ")
LOGS = re.compile(r"^logs (\d+)(?:  sandbox \d+)?$")
RECORD = re.compile(r"^\d{4}-\d\d-\d\dT\S+Z\t\S*\t(TRACE|DEBUG|INFO|WARN|ERROR|FATAL)\t(.*)")
LEDGER = re.compile(r"^reports: (\d+) captured(?:: (.*?))? reports=")
PROBLEM = re.compile(r"^local(?:, sandbox \d+)?: (.*)")
MALFORMED = "a client sent no HTTP/1.1: "
# Records at WARN and above that the requests are made to cause.
EXPECTED = re.compile(
    r"^(?:\S+ \S+ failed with 500 |GET /story/silent was answered with 502 |GET /stream/fail was cut after |this log is sent before the freeze"
    r"|.* message \S+ failed|.*outcome=event_error)")
# Below an invocation's line: what must not be there.
NOTES = re.compile(r"mode mismatch|is malformed|Lambda counts|timed out|no delimiter|was killed|AFTER the response ended|outside of an invocation")
KEPT = 20


class Accounts:
    """Which reports are due, by the name that a request carries into them."""

    def __init__(self):
        self.lock = threading.Lock()
        self.due = {}
        self.sent = self.arrived = self.extra = 0

    def expect(self, name, count):
        if count:
            with self.lock:
                self.due[name] = count
                self.sent += count

    def take(self, name):
        with self.lock:
            self.arrived += 1
            left = self.due.get(name, 0)
            if left == 0:
                self.extra += 1
                return False
            if left == 1:
                del self.due[name]
            else:
                self.due[name] = left - 1
            return True

    @property
    def lost(self):
        with self.lock:
            return dict(self.due)


class Console(threading.Thread):
    """One local Lambda's output, both descriptors, read to its end. Nothing of it is kept but counts, the last lines and the first
    problems."""

    def __init__(self, pipe, accounts):
        super().__init__(daemon=True)
        self.pipe, self.accounts = pipe, accounts
        self.counts = Counter()
        self.ledger = Counter()
        self.problems = []
        self.problem_count = 0
        self.last = deque(maxlen=KEPT)
        self.port = None
        self.ready = threading.Event()

    def run(self):
        for line in self.pipe:
            line = line.decode(errors="replace").rstrip("\n")
            self.last.append(line)
            self.read(line)
        self.ready.set()

    def problem(self, line):
        self.problem_count += 1
        if len(self.problems) < KEPT:
            self.problems.append(line[:400])

    def read(self, line):
        if ANY_REPORT.match(line):
            self.counts["reports"] += 1
            found = REPORT.match(line)
            if not found or not self.accounts.take(found[1]):
                self.problem("nobody has caused it, or once only: " + line)
        if NOTES.search(line) and not RECORD.match(line):
            self.problem(line)
        if found := LOGS.match(line):
            self.counts["log items"] += int(found[1])
        elif found := RECORD.match(line):
            self.record(*found.groups())
        elif found := PROBLEM.match(line):
            if found[1].startswith(MALFORMED):
                self.counts["malformed"] += 1
            else:
                self.problem(line)
        elif line.startswith("all ") and "sandboxes are in use" in line:
            self.counts["waits for a sandbox"] += 1
        elif line.startswith("shutdown: "):
            self.counts["shutdowns"] += 1
        elif line.startswith("client report  "):
            self.problem(line)
        elif found := re.match(r"Lambda on this machine: http://127\.0\.0\.1:(\d+) ", line):
            self.port = int(found[1])
            self.ready.set()

    def record(self, level, text):
        if found := LEDGER.match(text):
            self.ledger["captured"] += int(found[1])
            for part in (found[2] or "").split(", "):
                number, _, word = part.partition(" ")
                self.ledger[word] += int(number or 0)
        elif level in ("WARN", "ERROR", "FATAL"):
            self.counts[level] += 1
            if not EXPECTED.match(text):
                self.problem(f"{level} {text}")
