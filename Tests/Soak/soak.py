#!/usr/bin/env python3
"""Everything at once for an hour under the local Lambda, both modes side by side: errors, reports, streams, disconnects, events.

Each answer is held against what is due, each report against the request that caused it. Every ten seconds the processes' memory,
descriptors and threads and the spool are read; the end is a Markdown page with their slopes. The first ten minutes (of a short run: the
first sixth) are warm-up and do not count. Exit code 1 when an answer is wrong, a report is lost or is one too many, a process has ended,
the spool is not empty at the end, or a slope per hour is a leak: above 1 MiB and above 3 % of the mean for memory, above 1 for
descriptors and threads, and in each case above three of its standard errors. Slopes are judged from 22 minutes on. Run it by scripts/soak.
"""
import argparse
import csv
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import page  # noqa: E402
import samples  # noqa: E402
from console import Accounts, Console  # noqa: E402
from load import Load  # noqa: E402

MODES = ("buffered", "response_stream")
FOLDER = ".build-soak"


class Function:
    """One local Lambda with its load and what was seen of it."""

    def __init__(self, app, mode, rate, seed, folder):
        self.mode = mode
        self.spool = os.path.join(folder, mode)
        kept = {name: value for name, value in os.environ.items()
                if not name.startswith(("AWS_", "SLUICE_", "SENTRY_", "OTEL_")) and not name.lower().endswith("_proxy")}
        self.process = subprocess.Popen(
            [app], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=kept | {"PORT": "0", "AWS_LWA_INVOKE_MODE": mode, "SLUICE_SPOOL": self.spool, "SLUICE_LOCAL_TIMEOUT": "60"})
        self.accounts = Accounts()
        self.console = Console(self.process.stdout, self.accounts)
        self.console.start()
        if not self.console.ready.wait(20) or self.console.port is None:
            self.process.kill()
            sys.exit("soak: the local Lambda does not start:\n" + "\n".join(self.console.last))
        self.load = Load(self.console.port, mode, rate, self.accounts, seed)
        self.series = {}
        self.running = {}      # a sandbox's name: its process
        self.restarts = 0
        self.processor = {}    # a process: its seconds
        self.failures = []

    def sample(self, seconds):
        """Reads everything once. Returns rows for the file."""
        found = {"parent": self.process.pid}
        for child in samples.children(self.process.pid):
            stream = samples.environment(child, "AWS_LAMBDA_LOG_STREAM_NAME")
            if stream:
                found["sandbox " + (stream.partition("-")[2] or "1")] = child
        rows = []
        for name, process in sorted(found.items()):
            sample = samples.of_process(process)
            if sample is None:
                continue
            if self.running.setdefault(name, process) != process:
                self.restarts += 1
                self.running[name] = process
            self.processor[process] = samples.processor_seconds(process)
            rows.append((name, process, sample))
        rows.append(("spool", 0, samples.of_spool(self.spool)))
        for name, process, sample in rows:
            self.series.setdefault((name, process), samples.Series()).add(seconds, sample)
        return [[f"{seconds:.1f}", self.mode, name, process] + [sample.get(metric, "") for metric in samples.METRICS]
                for name, process, sample in rows]

    def end(self):
        """Ends the load, then the local Lambda, and looks at what they have left."""
        if not self.load.stop():
            self.failures.append("requests are without an answer")
        if self.process.poll() is not None:
            self.failures.append(f"the local Lambda has ended: {self.process.returncode}")
        # What the last clients did not wait for.
        until = time.monotonic() + 10
        while self.accounts.lost and time.monotonic() < until:
            time.sleep(0.2)
        self.left = samples.of_spool(self.spool)
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.failures.append("the local Lambda did not end after SIGTERM")
        self.console.join(5)

    def judge(self, begin):
        """All that is wrong, as lines."""
        load, console, accounts = self.load, self.console, self.accounts
        failures = list(self.failures)
        if load.wrong_count:
            failures.append(f"{load.wrong_count} wrong or broken answers, first: " + "; ".join(load.wrong[:3]))
        if lost := accounts.lost:
            failures.append(f"{sum(lost.values())} reports lost, of {', '.join(list(lost)[:5])}")
        if accounts.extra:
            failures.append(f"{accounts.extra} reports that nobody has caused, or twice")
        if console.problem_count:
            failures.append(f"{console.problem_count} lines that should not be there, first: " + "; ".join(console.problems[:3]))
        malformed = sum(count for (kind, _), count in load.counts.items() if kind == "malformed")
        if console.counts["malformed"] != malformed:
            failures.append(f"{malformed} malformed requests were sent, {console.counts['malformed']} seen")
        inbox = console.counts["reports"] + console.counts["log items"]
        if console.ledger["captured"] != inbox or set(console.ledger) - {"captured", "delivered"}:
            failures.append(f"the app's own count is {dict(console.ledger)}, the inbox has {inbox}")
        if self.restarts or console.counts["shutdowns"] != len(self.running) - 1:
            failures.append(f"{self.restarts} sandboxes were replaced; {console.counts['shutdowns']} of {len(self.running) - 1} ended as asked")
        if self.left["spool files"]:
            failures.append(f"{self.left['spool files']} files left in the spool")
        for (name, _), series in self.series.items():
            for metric, slope in series.slopes(begin).items():
                if slope.is_leak(metric):
                    unit = samples.METRICS[metric][0]
                    failures.append(f"{name}: {metric} grows by {slope.per_hour:.2f} {unit} in an hour, of {slope.mean:.1f}")
        return [f"{self.mode}: {failure}" for failure in failures]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=60, help="60")
    parser.add_argument("--rate", type=float, default=15, help="requests a second in each mode (15)")
    parser.add_argument("--modes", default=",".join(MODES), help="of " + ",".join(MODES))
    parser.add_argument("--app", default=".build/release/Reporting", help="the program (.build/release/Reporting)")
    parser.add_argument("--every", type=float, default=10, help="seconds between two samples (10)")
    parser.add_argument("--seed", type=int, default=1, help="of the order and the moments of requests")
    parser.add_argument("--self-test", action="store_true", help="tests this tool; needs no app")
    options = parser.parse_args()
    if options.self_test:
        import selftest
        sys.exit(selftest.main())
    modes = options.modes.split(",")
    if unknown := [mode for mode in modes if mode not in MODES]:
        parser.error("unknown: " + ", ".join(unknown))
    if not os.access(options.app, os.X_OK):
        sys.exit(f"soak: {options.app} is not there: run scripts/soak, which builds it")
    os.makedirs(FOLDER, exist_ok=True)
    spools = tempfile.mkdtemp(prefix="sluice-soak-")
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    functions = []
    try:
        for mode in modes:
            functions.append(Function(options.app, mode, options.rate, options.seed, spools))
        run(functions, options, stop)
    finally:
        for function in functions:
            if function.process.poll() is None:
                function.process.kill()
        shutil.rmtree(spools, ignore_errors=True)


def run(functions, options, stop):
    seconds = options.minutes * 60
    began = time.monotonic()
    for function in functions:
        function.load.start()
    stamp = time.strftime("%Y%m%d-%H%M%S", time.gmtime())
    path = f"{FOLDER}/{stamp}.csv"
    with open(path, "w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["seconds", "mode", "of", "process"] + [name.replace(" ", "_") for name in samples.METRICS])
        tick = 0
        while (now := time.monotonic() - began) < seconds and not stop.is_set():
            for function in functions:
                table.writerows(function.sample(now))
            file.flush()
            tick += 1
            stop.wait(min(began + tick * options.every, began + seconds) - time.monotonic())
    lasted = time.monotonic() - began
    own = time.process_time()
    for function in functions:
        function.end()
    begin = min(600, lasted / 6)
    failures = [failure for function in functions for failure in function.judge(begin)]
    text = page.text(functions, lasted, begin, own, failures)
    with open(f"{FOLDER}/{stamp}.md", "w") as file:
        file.write(text)
    print(text, end="")
    print(f"soak: samples in {path}", file=sys.stderr)
    if failures:
        for function in functions:
            print(f"--- last lines, {function.mode}", *function.console.last, sep="\n", file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
