"""Tests the tool itself: slopes against known leaks, the reader of the console against lines as they are, and the accounts."""
import io
import os
import random
import sys

import page
import samples
from console import Accounts, Console
from load import MIX
from samples import Series, Slope

failures = []


def expect(condition, what):
    if not condition:
        failures.append(what)
        print(f"self-test: FAILED: {what}", file=sys.stderr)


def slope(value, hours=1.0, count=300, noise=0.0):
    """Of samples at equal distances."""
    dice = random.Random(1)
    times = [hours * index / (count - 1) for index in range(count)]
    return Slope(times, [value(time) + dice.gauss(0, noise) for time in times])


def slopes():
    exact = slope(lambda hour: 20 + 3 * hour)
    expect(abs(exact.per_hour - 3) < 1e-9 and exact.error < 1e-9, f"a line's slope is {exact.per_hour}")
    expect(abs(exact.mean - 21.5) < 1e-9, f"its mean is {exact.mean}")
    expect(abs(exact.first - 20.15) < 0.01 and abs(exact.last - 22.85) < 0.01, f"its ends are {exact.first}, {exact.last}")
    by_hand = Slope([0, 1, 2], [1, 2, 6])  # 2.5 an hour; residues 0.5, -1, 0.5; sqrt(1.5 / 1 / 2)
    expect(abs(by_hand.per_hour - 2.5) < 1e-9 and abs(by_hand.error - 0.75 ** 0.5) < 1e-9, f"{by_hand.per_hour} ± {by_hand.error}")

    expect(exact.is_leak("resident"), "3 MiB an hour of 21")
    expect(slope(lambda hour: 20 + 3 * hour, noise=0.5).is_leak("private dirty"), "the same, shaking")
    expect(not slope(lambda hour: 20 + 0.5 * hour, noise=0.1).is_leak("resident"), "half a MiB an hour")
    expect(not slope(lambda hour: 100 + 2 * hour, noise=0.1).is_leak("resident"), "2 % of the mean")
    expect(not slope(lambda hour: 20 - 3 * hour).is_leak("resident"), "one that falls")
    expect(not slope(lambda hour: 20, noise=5).is_leak("resident"), "one that shakes only")
    expect(slope(lambda hour: 23 + 2 * hour, noise=1).is_leak("descriptors"), "two descriptors an hour")
    expect(not slope(lambda hour: 23, noise=3).is_leak("descriptors"), "descriptors that come and go")
    expect(slope(lambda hour: 9 + int(3 * hour)).is_leak("threads"), "a thread each twenty minutes")
    expect(not slope(lambda hour: 100 * hour).is_leak("spool bytes"), "the spool is judged at its end")
    expect(not slope(lambda hour: 20 + 60 * hour, hours=0.1).is_leak("resident"), "six minutes say nothing")


def series():
    one = Series()
    for second in range(0, 3601, 10):
        # A warm-up that would be a leak, and none behind it.
        one.add(second, {"resident": (10 + min(second, 600) / 60) * 2**20, "descriptors": 7})
    kept = one.slopes(600)
    expect(kept["resident"].mean == 20 and kept["resident"].per_hour == 0, "the warm-up does not count")
    expect(one.slopes(0)["resident"].per_hour > 1, "with it, it would")
    dice = random.Random(1)
    for growth, leaks in ((0, False), (3, True)):
        one = Series()
        held = 0
        for second in range(0, 3601, 10):
            # What one body took, held until the next comes to lie elsewhere.
            if second % 20 == 0:
                held = dice.choice((0, 13))
            one.add(second, {"resident": (20 + held + growth * second / 3600) * 2**20})
        line = one.slopes(600)["resident"]
        expect(line.is_leak("resident") == leaks, f"{growth} MiB an hour under what comes and goes: {line.per_hour} ± {line.error}")
    expect(kept["descriptors"].mean == 7 and one.slopes(3595) == {}, "too few samples have no slope")


def processes():
    own = samples.of_process(os.getpid())
    expect(own["resident"] > 2**20 and own["descriptors"] >= 3 and own["threads"] >= 1 and own["private dirty"] > 0, f"of this process: {own}")
    kept = [open(os.devnull) for _ in range(5)]
    expect(samples.of_process(os.getpid())["descriptors"] == own["descriptors"] + 5, "five descriptors more")
    for file in kept:
        file.close()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(writing)
        os.read(reading, 1)
        os._exit(0)
    expect(child in samples.children(os.getpid()), "a child is found")
    os.close(writing)
    os.close(reading)
    os.waitpid(child, 0)
    expect(samples.of_process(child) is None, "one that has ended has no sample")


LINES = """\
Lambda on this machine: http://127.0.0.1:41234  (URL mode buffered, time-out 60000 ms)
2026-01-02T03:04:05.678Z\tid\tINFO\tGET /fail 500 bytes=97 method=GET path=/fail status=500
2026-01-02T03:04:05.678Z\tid\tERROR\tGET /fail failed with 500 method=GET outcome=handler_error\t{"errorType":"OutOfStock"}
logs 1
logs 2  sandbox 3
2026-01-02T03:04:05.679Z\tid\tINFO\treports: 2 captured: 2 delivered reports=["captured": "2", "delivered": "2"]
500  29.5 ms  GET /fail?plan=k1  buffered  97 B  reports 1
     report  OutOfStock: OutOfStock(item: "n=7 ")  error  closure #2 in f() Reporting.swift:72  plan=k1  4.1 ms before the response ended
     report  OutOfStock: OutOfStock(item: "child 1")  error  child=1  plan=k2  0.6 ms before the response ended
local: a client sent no HTTP/1.1: Invalid method
shutdown: the app got SIGTERM and exited with status 0 after 3.6 ms  sandbox 2
"""
# Each of these is something that must not be there.
BAD = """\
     report  OutOfStock: OutOfStock(item: "n=7 ")  error  f() Reporting.swift:72  plan=k1  4.1 ms before the response ended
     report  the cache is cold  warning  0.2 ms before the response ended
report  OutOfStock: OutOfStock(item: "x")  error  plan=k2  0.6 ms AFTER the response ended
2026-01-02T03:04:05.679Z\tid\tERROR\tnobody knows why
local, sandbox 2: REPORT LOST: it was still on its way when the app was frozen
local: the app was killed by signal 11
client report  ratelimit_backoff error 1
     the response was cut off: x. Lambda counts Runtime.TruncatedResponse
"""


def console():
    accounts = Accounts()
    accounts.expect("k1", 1)
    accounts.expect("k2", 3)
    accounts.expect("k3", 1)
    reader = Console(io.BytesIO(LINES.encode()), accounts)
    reader.run()
    expect(reader.port == 41234 and not reader.problems, f"good lines: {reader.problems}")
    expect(reader.counts["log items"] == 3 and reader.counts["reports"] == 2 and reader.counts["malformed"] == 1, f"{reader.counts}")
    expect(reader.ledger == {"captured": 2, "delivered": 2}, f"the app's own count: {reader.ledger}")
    expect(accounts.lost == {"k2": 2, "k3": 1} and accounts.extra == 0, f"lost: {accounts.lost}")
    for line in BAD.splitlines():
        reader = Console(io.BytesIO(line.encode()), accounts)
        reader.run()
        expect(reader.problem_count >= 1, f"not seen: {line}")
    expect(accounts.lost == {"k2": 1, "k3": 1} and accounts.extra == 1, f"one twice: {accounts.lost}, {accounts.extra}")
    reader = Console(io.BytesIO(b"2026-01-02T03:04:05.679Z\tid\tINFO\treports: 3 captured: 1 delivered, 2 spooled reports=[]"), accounts)
    reader.run()
    expect(reader.ledger == {"captured": 3, "delivered": 1, "spooled": 2}, f"what is not delivered: {reader.ledger}")


def main():
    for test in (slopes, series, processes, console):
        test()
    expect(sum(MIX.values()) == 100, "the mix is of a hundred")
    expect(page.number(0.5) == "0.5" and page.number(1234.5) in ("1234", "1235"), "figures")
    print("self-test: " + (f"{len(failures)} failures" if failures else "ok"))
    return 1 if failures else 0
