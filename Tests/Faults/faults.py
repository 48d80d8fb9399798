#!/usr/bin/env python3
"""Breaks the error server in every way that a network knows, and counts which errors still arrive, when, and how often.

Each row starts `.build/release/Reporting` as its own local Lambda (the child is frozen between invocations) against a
server that misbehaves. Prints a Markdown table; exit code 1 when a promise is not kept. Run it by scripts/faults.
"""
import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from otlp import OTLPProtocol  # noqa: E402
from sentry_server import NUMBER, Fault, Malformed, SentryProtocol, Server, json_object  # noqa: E402

MODES = ("buffered", "response_stream")
LEDGER = ("pending", "delivered", "refused", "dropped", "spooled")


# --- faults ---------------------------------------------------------------------------------------------------------

class EveryThirdConnection(Fault):
    """Two requests per connection; each third connection is doomed, in turn at its first request (a fresh connection,
    which libcurl does not repeat) and at its second (a kept one)."""

    def doomed(self, connection, request_number):
        return connection.number % 3 == 0 and request_number == (1 if connection.number % 6 == 3 else 2)

    def last_answer(self, server, connection):
        return connection.requests >= 2


class ResetBeforeRead(EveryThirdConnection):
    def before_read(self, server, connection):
        if self.doomed(connection, connection.requests + 1):
            connection.reset()
            return False
        return True


class ResetAfterRead(EveryThirdConnection):
    def after_read(self, server, connection, request, event):
        if self.doomed(connection, connection.requests):
            connection.reset()
            return False


class Hang(Fault):
    """Each `every`th request gets no answer: five seconds of silence, then the end of the connection."""

    def __init__(self, every):
        self.every = every

    def after_read(self, server, connection, request, event):
        if server.request_count % self.every == 0:
            connection.pause(5)
            return False


class Refuse(Fault):
    """Each `every`th request with an event gets a refusal."""

    def __init__(self, every, status, reason, *headers):
        self.every, self.answer = every, (status, reason, headers)

    def after_read(self, server, connection, request, event):
        if event is not None and len(server.event_requests) % self.every == 0:
            return self.answer


class Slow(Fault):
    """A few milliseconds for each answer, so that a kill finds every stage."""

    def after_read(self, server, connection, request, event):
        connection.pause(random.uniform(0, 0.008))


# --- the app --------------------------------------------------------------------------------------------------------

def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Answer:
    def __init__(self):
        self.status = 0
        self.ended = False          # as the framing says; a cut body is not
        self.last_byte = None
        self.milliseconds = 0.0
        self.problem = ""


def get(port, path, timeout=40):
    """One request on a connection of its own, read to the end."""
    answer = Answer()
    start = time.monotonic()
    data = b""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout) as sock:
            sock.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            while part := sock.recv(65536):
                data += part
                answer.last_byte = time.monotonic()
                if ended(data):
                    answer.ended = True
                    break
    except OSError as error:
        answer.problem = str(error) or type(error).__name__
    answer.milliseconds = (time.monotonic() - start) * 1000
    match = re.match(rb"HTTP/1\.1 (\d{3}) ", data)
    answer.status = int(match.group(1)) if match else 0
    return answer


def ended(data):
    head, found, body = data.partition(b"\r\n\r\n")
    if not found:
        return False
    head = head.lower()
    if b"\r\ntransfer-encoding: chunked" in head:
        while True:
            line, found, body = body.partition(b"\r\n")
            if not found:
                return False
            size = int(line.split(b";")[0], 16)
            if size == 0:
                return body.startswith(b"\r\n") or body.endswith(b"\r\n\r\n")
            if len(body) < size + 2:
                return False
            body = body[size + 2:]
    length = re.search(rb"\r\ncontent-length: *(\d+)", head)
    return length is not None and len(body) >= int(length.group(1))


def eventually(look, patience=5):
    """What `look` gives as soon as it is true; what it gives at the end of the patience if it never is."""
    limit = time.monotonic() + patience
    while not (found := look()) and time.monotonic() < limit:
        time.sleep(0.001)
    return found


def process_state(pid):
    """(state letter, parent) or None."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return fields[0], int(fields[1])
    except (OSError, IndexError):
        return None


def children(pid):
    result = []
    for name in os.listdir("/proc"):
        if name.isdigit():
            state = process_state(name)
            if state and state[1] == pid and state[0] != "Z":
                result.append(int(name))
    return result


class App:
    """The app as its own local Lambda: a parent that listens and freezes, and a child that works."""

    def __init__(self, command, mode, reporting, spool):
        self.port = free_port()
        self.log = []
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith(("AWS_", "SENTRY_", "SLUICE_", "_HANDLER", "LAMBDA_", "OTEL_"))
                       and "proxy" not in name.lower()}
        environment.update(PORT=str(self.port), AWS_LWA_INVOKE_MODE=mode, SLUICE_SPOOL=spool, **reporting)
        self.process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        limit = time.monotonic() + 20
        while True:
            answer = get(self.port, "/fine", 10)
            if answer.status == 200:
                return
            if self.process.poll() is not None or time.monotonic() > limit:
                self.stop()
                raise RuntimeError(f"the app does not answer GET /fine (status {answer.status} {answer.problem}):\n"
                                   + "".join(self.log[-20:]))
            time.sleep(0.02)

    def _read(self):
        for line in self.process.stdout:
            self.log.append(line.decode("utf-8", "replace"))

    def child(self):
        found = children(self.process.pid)
        return found[0] if found else None

    def frozen(self):
        child = self.child()
        state = child and process_state(child)
        return bool(state) and state[0] == "T"

    def freezes(self):
        """Whether the child is frozen before long: after its answer it still asks for the next invocation."""
        return eventually(self.frozen)

    def stop(self):
        """Ends the parent; the processes that outlive it, which is a fault of the app's."""
        ours = children(self.process.pid)
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        limit = time.monotonic() + 1
        while (left := [pid for pid in ours if (process_state(pid) or "Z")[0] != "Z"]) and time.monotonic() < limit:
            time.sleep(0.01)
        for pid in left:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.reader.join(2)
        return left

    def ledger(self):
        """Sums the ledger's records: `reports: 2 captured: 1 delivered, 1 refused (429)`, one for each invocation."""
        sums = {}
        for line in self.log:
            match = re.search(r"reports: (\d+) captured: ([a-z0-9 ,()_]+)", line)
            if not match:
                continue
            sums["captured"] = sums.get("captured", 0) + int(match[1])
            for count, word in re.findall(r"(\d+) (\w+)", match[2]):
                if word in LEDGER:
                    sums[word] = sums.get(word, 0) + int(count)
        return sums


def spool_files(folder, protocol):
    """[(event id, n, path)] of the events in the spool, complete ones; other files have no event id and are left out."""
    found = []
    for path, _, names in os.walk(folder):
        for name in names:
            if name.endswith(".tmp"):
                continue        # half-written: not in the spool yet
            full = os.path.join(path, name)
            try:
                with open(full, "rb") as file:
                    data = file.read()
            except OSError:
                continue        # delivered between the listing and here
            try:
                event, n, _ = protocol.check(data)
                if event is not None:
                    found.append((event["event_id"], n, full))
                    continue
            except Malformed:
                pass
            # Another layout (a header of the spool's own, an unfinished file): by its first JSON line that names an event.
            for line in data.split(b"\n"):
                try:
                    event_id = json_object(line, "line").get("event_id")
                except Malformed:
                    continue
                if event_id and b"}" in data[-3:]:
                    number = NUMBER.search(data.decode("utf-8", "replace"))
                    found.append((event_id, int(number.group(1)) if number else None, full))
                    break
    return found


# --- rows -----------------------------------------------------------------------------------------------------------

class Row:
    """One fault. `promise` decides the verdict:
    all     every throw at the server under one id
    before  the same, each accepted before the client's last byte
    away    at the end of the burst each is at the server or in the spool, the median is the healthy one, and the spool
            empties when the server is back
    refused the server's no counts once: nothing is sent again
    """

    def __init__(self, name, title, promise, fault=Fault, drain=0.0, black_hole=False, down=False, reset_idle=False,
                 expected=None, key="key", burst=None):
        self.name, self.title, self.promise, self.fault, self.drain = name, title, promise, fault, drain
        self.black_hole, self.down, self.reset_idle, self.expected, self.key = black_hole, down, reset_idle, expected, key
        self.burst = burst          # the most requests with an event that the server may see before it recovers


# expected(N) of the refused rows: (accepted, fewest requests with an event, most of them)
ROWS = [
    Row("well", "none", "before"),
    Row("idle-reset", "idle connections reset in the freeze", "before", reset_idle=True),
    Row("reset-before-read", "every third connection reset before the request was read", "before", ResetBeforeRead),
    Row("reset-after-read", "every third connection reset after the request was read", "before", ResetAfterRead),
    Row("hang-tenth", "every tenth request hangs for 5 s", "all", lambda: Hang(10), drain=20),
    Row("down-half", "server down for the first half", "all", down=True, drain=20),
    Row("hang-all", "every request hangs for 5 s, then recovery", "away", lambda: Hang(1), drain=30),
    Row("black-hole", "black hole, then recovery", "away", black_hole=True, drain=30),
    Row("429", "429 with Retry-After: 60 on every request", "refused",
        lambda: Refuse(1, 429, "Too Many Requests", "Retry-After: 60"), expected=lambda n: (0, 1, 1)),
    Row("500", "500 on every third request", "refused",
        lambda: Refuse(3, 500, "Internal Server Error"), expected=lambda n: (n - n // 3, n, n)),
    Row("403", "403 for a wrong key", "refused", key="wrong", expected=lambda n: (0, 1, n)),
]
# There "too many" means "later": the report waits until the server wants it.
LATER = Row("429", "429 with Retry-After: 5 on every request, then recovery", "away",
            lambda: Refuse(1, 429, "Too Many Requests", "Retry-After: 5"), drain=30, burst=1)
KILL = "sigkill"
PROTOCOLS = {"sentry": SentryProtocol, "otlp": OTLPProtocol}

COLUMNS = ("fault", "mode", "throws", "at server", "ids per n", "spool", "before close", "p50 ms", "max ms",
           "requests", "connections", "verdict")


class Bench:
    def __init__(self, options):
        self.options = options
        self.protocol = PROTOCOLS[options.protocol]
        self.healthy = {}           # mode -> median ms of the well row
        self.failed = 0

    def print_header(self):
        print("| " + " | ".join(COLUMNS) + " |")
        print("|" + "---|" * len(COLUMNS), flush=True)

    def print_row(self, cells, failures, notes, app_log):
        verdict = "FAILED: " + "; ".join(failures) if failures else "ok"
        if notes:
            verdict += " (" + "; ".join(notes) + ")"
        print("| " + " | ".join(str(cell) for cell in [*cells, verdict]) + " |", flush=True)
        if failures:
            self.failed += 1
            for line in app_log[-self.options.log_lines:]:
                sys.stderr.write("    app: " + line.rstrip("\n")[:400] + "\n")

    def path(self, mode, n):
        return f"/stream/fail?n={n}" if mode == "response_stream" else f"/fail?n={n}"

    def expected_status(self, mode):
        return 200 if mode == "response_stream" else 500

    def run(self, row, mode):
        server = Server(row.fault(), self.protocol)
        spool = tempfile.mkdtemp(prefix="faults-spool-")
        app = None
        try:
            app = App(self.options.command, mode, self.protocol.environment(server.port, row.key), spool)
            self._measure(row, mode, server, app, spool)
        except RuntimeError as error:
            self.print_row([row.title, mode] + [""] * (len(COLUMNS) - 3), [str(error).split("\n")[0]], [],
                           str(error).split("\n")[1:])
        finally:
            if app:
                app.stop()
            server.down()
            shutil.rmtree(spool, ignore_errors=True)

    def _measure(self, row, mode, server, app, spool):
        count = self.options.count
        numbers = set(range(count))
        failures, notes = [], []
        answers = []
        frozen = resets = 0
        if row.black_hole:
            server.black_hole()
        if row.down:
            server.down()
        for n in range(count):
            if row.down and n == count // 2:
                server.open()
            answers.append(get(app.port, self.path(mode, n)))
            if row.reset_idle:
                frozen += app.freezes()
                resets += server.reset_idle()
        # The spool first: what leaves it in between is at the server by then.
        spooled = {n for _, n, _ in spool_files(spool, self.protocol)}
        kept = spooled | set(server.accepted_at())
        at_end = len(spooled)
        asked = len(server.event_requests)
        drained_after = None
        if row.drain:
            if not row.down:
                server.up()
            start = time.monotonic()
            for attempt in range(30):
                if not spool_files(spool, self.protocol) and numbers <= set(server.accepted_at()):
                    break
                get(app.port, "/fine")
                time.sleep(max(0, start + (attempt + 1) * row.drain / 30 - time.monotonic()))
            drained_after = time.monotonic() - start
        else:
            time.sleep(0.05)
        left = spool_files(spool, self.protocol)
        survivors = app.stop()

        accepted = server.accepted_at()
        arrived = numbers & set(accepted)
        many = {n: ids for n, ids in server.ids.items() if len(ids) > 1}
        before = sum(1 for n in arrived if answers[n].last_byte and accepted[n] < answers[n].last_byte)
        times = [answer.milliseconds for answer in answers]
        p50 = statistics.median(times)
        if row.name == "well":
            self.healthy[mode] = p50

        # What every row promises.
        wrong = [answer for answer in answers if answer.status != self.expected_status(mode) or answer.problem]
        if wrong:
            failures.append(f"{len(wrong)} answers changed, first: {wrong[0].status} {wrong[0].problem}")
        if many:
            failures.append(f"{len(many)} throws under several ids")
        owners = {}
        for n, ids in server.ids.items():
            for event_id in ids:
                owners.setdefault(event_id, set()).add(n)
        if any(len(owner) > 1 for owner in owners.values()):
            failures.append("one id for several throws")
        if server.problems:
            failures.append(f"{len(server.problems)} malformed requests, first: {server.problems[0]}")
        if survivors:
            failures.append("a process outlived the app")
        limit = self.options.budget * 1000 + 1000
        if self.options.budget and max(times) > limit:
            failures.append(f"slowest answer {max(times):.0f} ms, budget {self.options.budget:g} s")

        if row.promise in ("all", "before"):
            if arrived != numbers:
                failures.append(f"{count - len(arrived)} of {count} lost, first n={min(numbers - arrived)}")
            if left:
                failures.append(f"{len(left)} left in the spool")
        if row.promise == "before" and before < count:
            failures.append(f"{count - before} not accepted before the last byte")
        if row.promise == "away":
            if not numbers <= kept:
                failures.append(f"{len(numbers - kept)} neither at the server nor in the spool after the burst")
            if left:
                failures.append(f"{len(left)} left in the spool after recovery")
            if arrived != numbers:
                failures.append(f"{count - len(arrived)} of {count} not at the server after recovery")
            if p50 > self.healthy[mode] + 5:
                failures.append(f"median {p50:.1f} ms, healthy {self.healthy[mode]:.1f} ms")
        if row.burst is not None:
            notes.append(f"{asked} requests in the burst")
            if asked > row.burst:
                failures.append(f"{asked} requests in the burst, {row.burst} at most expected")
        if row.promise == "refused":
            taken, fewest, most = row.expected(count)
            repeated = len(server.event_requests) - len(set(server.event_requests))
            if len(arrived) != taken:
                failures.append(f"{len(arrived)} accepted, {taken} expected")
            if repeated:
                failures.append(f"{repeated} event ids sent again after a refusal")
            if not fewest <= len(server.event_requests) <= most:
                failures.append(f"{len(server.event_requests)} requests with an event, {fewest} to {most} expected")

        if row.reset_idle:
            notes.append(f"{resets} connections reset")
            if frozen < count:
                failures.append(f"the child was frozen after {frozen} of {count} answers only")
            if not resets:
                failures.append("no idle connection was there to be reset")
        if row.drain:
            notes.append(f"{at_end} spooled after the burst, drained in {drained_after:.1f} s")
        repeats = len(server.event_requests) - len(set(server.event_requests))
        if repeats and row.promise != "refused":
            notes.append(f"{repeats} repeats under the same id" if self.protocol is SentryProtocol
                         else f"{repeats} records read twice, the same log.record.uid")
        other = {kind: number for kind, number in server.item_types.items() if kind != "event"}
        if other:
            notes.append("items " + " ".join(f"{kind}={number}" for kind, number in sorted(other.items())))
        ledger = app.ledger()
        if ledger:
            notes.append("ledger " + " ".join(f"{word}={ledger[word]}" for word in ("captured", *LEDGER) if word in ledger))
            accounted = sum(ledger.get(word, 0) for word in LEDGER)
            # Logs wait in memory while the server is away; they have no id to be kept under.
            if accounted != ledger["captured"] or (row.promise == "refused" and ledger.get("pending")):
                failures.append("the ledger does not add up")
            if row.promise == "refused" and ledger.get("refused", 0) + ledger.get("dropped", 0) < count - len(arrived):
                failures.append("events are missing that no ledger calls refused or dropped")
        self.print_row(
            [row.title, mode, count, len(arrived), max((len(ids) for ids in server.ids.values()), default="–"), len(left),
             before, f"{p50:.1f}", f"{max(times):.0f}", server.request_count, server.connection_count],
            failures, notes, app.log)

    # A kill at any moment

    def run_kills(self, mode):
        random.seed(self.options.seed)
        rounds, at_once = self.options.kills, 4
        must, never, complete, thrown = set(), set(), 0, 0
        failures, notes, log, durations = [], [], [], []
        server = Server(Slow(), self.protocol)
        spooled_at_kill = unkilled = left_total = 0
        try:
            for index in range(rounds):
                spool = tempfile.mkdtemp(prefix="faults-spool-")
                reporting = self.protocol.environment(server.port, "key")
                app = None
                try:
                    app = App(self.options.command, mode, reporting, spool)
                    first = index * at_once
                    answers = {}
                    threads = [threading.Thread(target=lambda n=n: answers.__setitem__(n, get(app.port, self.path(mode, n), 10)))
                               for n in range(first, first + at_once)]
                    child = app.child()
                    for thread in threads:
                        thread.start()
                    time.sleep(random.uniform(0, 0.012 * at_once))
                    killed_at = time.monotonic()
                    try:
                        os.kill(child, signal.SIGKILL)
                    except (ProcessLookupError, TypeError):
                        unkilled += 1
                    seen = {n for _, n, _ in spool_files(spool, self.protocol) if n is not None}
                    for thread in threads:
                        thread.join()
                    seen |= {n for _, n, _ in spool_files(spool, self.protocol) if n is not None}
                    log.extend(app.log)
                    app.stop()
                    seen |= {n for _, n, _ in spool_files(spool, self.protocol) if n is not None}
                    spooled_at_kill += len(seen)
                    thrown += at_once
                    durations += [answer.milliseconds for answer in answers.values()]
                    for n, answer in answers.items():
                        # A stream's end that came after the kill may be the local Lambda's doing, not the app's.
                        ours = answer.ended and (
                            answer.status == 500 or answer.status == 200 and answer.last_byte < killed_at)
                        if ours:
                            complete += 1
                            must.add(n)
                    must |= seen

                    app = App(self.options.command, mode, reporting, spool)
                    start = time.monotonic()
                    for attempt in range(30):
                        if not spool_files(spool, self.protocol):
                            break
                        get(app.port, "/fine")
                        time.sleep(max(0, start + (attempt + 1) * 0.3 - time.monotonic()))
                    left = spool_files(spool, self.protocol)
                    left_total += len(left)
                    app.stop()
                    log.extend(app.log)
                    lost = {n for n in must if n >= first} - set(server.accepted_at())
                    if lost:
                        never |= lost
                        log.append(f"round {index}: lost {sorted(lost)}, seen in the spool {sorted(seen)}\n")
                except RuntimeError as error:
                    failures.append(f"round {index}: " + str(error).split("\n")[0])
                    break
                finally:
                    if app:
                        app.stop()
                    shutil.rmtree(spool, ignore_errors=True)
            arrived = set(server.accepted_at())
            many = {n for n, ids in server.ids.items() if len(ids) > 1}
            if never:
                failures.append(f"{len(never)} lost that the client was answered or that were in the spool, first n={min(never)}")
            if many:
                failures.append(f"{len(many)} throws under several ids")
            if left_total:
                failures.append(f"{left_total} left in the spool")
            if server.problems:
                failures.append(f"{len(server.problems)} malformed requests, first: {server.problems[0]}")
            notes.append(f"{rounds} kills, {unkilled} of them too late; {complete} answered in full, "
                         f"{spooled_at_kill} seen in the spool, {len(must)} must arrive")
            others = sum(1 for _, n, _ in server.accepted if n is None)
            if others:
                notes.append(f"{others} other events")
            self.print_row(
                ["SIGKILL of the child at a random moment", mode, thrown, len(arrived),
                 max((len(ids) for ids in server.ids.values()), default="–"), left_total, "–",
                 f"{statistics.median(durations):.1f}" if durations else "–",
                 f"{max(durations):.0f}" if durations else "–", server.request_count, server.connection_count],
                failures, notes, log)
        finally:
            server.down()


def main():
    names = [row.name for row in ROWS] + [KILL]
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=200, help="failing requests per row (200)")
    parser.add_argument("--kills", type=int, default=50, help="rounds of the sigkill row (50)")
    parser.add_argument("--rows", default=",".join(names), help="of " + ",".join(names))
    parser.add_argument("--modes", default=",".join(MODES), help="of " + ",".join(MODES))
    parser.add_argument("--budget", type=float, default=2.0,
                        help="the app's flush budget in seconds; an answer 1 s later than it fails (2; 0: unchecked)")
    parser.add_argument("--app", default=".build/release/Reporting", help="the program (.build/release/Reporting)")
    parser.add_argument("--protocol", default="sentry", help="of " + ",".join(PROTOCOLS))
    parser.add_argument("--seed", type=int, default=1, help="of the moments of the kills")
    parser.add_argument("--log-lines", type=int, default=20, help="of the app's log, printed to stderr where a row fails")
    parser.add_argument("--self-test", action="store_true", help="tests this tool; needs no app")
    options = parser.parse_args()
    rows, modes = options.rows.split(","), options.modes.split(",")
    if unknown := [name for name in rows if name not in names] + [mode for mode in modes if mode not in MODES]:
        parser.error("unknown: " + ", ".join(unknown))
    if options.self_test:
        import selftest
        sys.exit(selftest.main())
    options.command = options.app.split()
    if not os.access(options.command[0], os.X_OK):
        sys.exit(f"faults: {options.command[0]} is not there: run scripts/faults, which builds it")
    if options.protocol not in PROTOCOLS:
        parser.error(f"unknown protocol: {options.protocol}")
    bench = Bench(options)
    bench.print_header()
    table = [LATER if row.name == LATER.name and options.protocol == "otlp" else row for row in ROWS]
    needs_well = any(row.name in rows and row.promise == "away" for row in table)
    for row in table:
        if row.name in rows or row.name == "well" and needs_well:
            for mode in modes:
                bench.run(row, mode)
    if KILL in rows:
        for mode in modes:
            bench.run_kills(mode)
    sys.exit(1 if bench.failed else 0)


if __name__ == "__main__":
    main()
