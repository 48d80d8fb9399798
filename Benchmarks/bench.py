#!/usr/bin/env python3
"""Builds the floor and the driver, measures programs against the floor, and prints the figures as Markdown.

Benchmarks/bench.py --program NAME=PATH[,VARIABLE=VALUE...]... [--growth FILE.svg]

The floor is always the first program. --growth measures instead how the first program given grows with its invocations,
routes, middleware and headers, and draws it. Run it by scripts/bench, which builds the app.
"""
import argparse
import json
import math
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.join(os.path.dirname(HERE), ".build-bench")
SCENARIOS = ("start", "start-from-disk", "hello-buffered", "hello-streamed", "users-buffered", "echo-1m", "echo-4m", "stream-64m", "stream-20k")
ROUTES = (1, 10, 100, 1000)
MIDDLEWARE = (1, 5, 10, 20)
HEADERS = (1, 10, 30, 60, 100)


# --- running --------------------------------------------------------------------------------------------------------

def build(name, *flags):
    """`name` is that of a program, or of a library if it ends with .so."""
    os.makedirs(BUILD, exist_ok=True)
    program, source = os.path.join(BUILD, name), os.path.join(HERE, name.removesuffix(".so") + ".c")
    if not os.path.exists(program) or os.path.getmtime(program) <= os.path.getmtime(source):
        subprocess.run(["clang", "-O2", "-Wall", "-Wextra", "-Werror", *flags, source, "-o", program], check=True)
    return program


def drive(options, name, scenarios, programs, *more):
    """Runs the driver and gives its JSON; it has said itself what went wrong."""
    out = os.path.join(BUILD, name + ".json")
    command = [build("driver"), "--out", out, "--scenario", *scenarios, *more]
    for program in programs:
        command += ["--program", program]
    if options.cpus != "none":
        command += ["--cpus", options.cpus]
    if subprocess.run(command).returncode != 0:
        sys.exit("bench: the driver stopped; nothing was measured")
    with open(out) as file:
        return json.load(file)


# --- figures --------------------------------------------------------------------------------------------------------

def duration(nanoseconds):
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= size:
            value = nanoseconds / size
            return f"{value:.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}" if value >= 10 else f"{value:.2f} {unit}"
    return f"{nanoseconds:.0f} ns"


def ratio(values, floor):
    """The median of the rounds' ratios and their spread: what disturbs a round disturbs its neighbours of that round too."""
    ratios = [value / base for value, base in zip(values, floor)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f}–{max(ratios):.2f})"


def table(head, rows):
    lines = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(head) - 1)]
    return "\n".join(lines + ["| " + " | ".join(row) + " |" for row in rows]) + "\n"


def program_heads(programs, *columns):
    """The floor has no ratio to itself."""
    return [f"{program['name']} {column}" for index, program in enumerate(programs) for column in columns
            if index > 0 or column != "/ floor"]


def time_table(scenarios):
    rows = []
    for scenario in scenarios:
        floor, row = scenario["programs"][0], [scenario["name"]]
        for index, program in enumerate(scenario["programs"]):
            median = duration(program["p50_ns"])
            if scenario["stream_bytes"] >= 1 << 26:
                median += f" ({scenario['stream_bytes'] / program['p50_ns'] * 1e9 / (1 << 30):.1f} GiB/s)"
            row += [median, duration(program["p99_ns"])]
            if index > 0:
                row.append(ratio(program["round_median_ns"], floor["round_median_ns"]))
        rows.append(row)
    return table(["scenario", *program_heads(scenarios[0]["programs"], "median", "p99", "/ floor")], rows)


def cpu_table(scenarios):
    rows = []
    for scenario in scenarios:
        floor, row = scenario["programs"][0], [scenario["name"]]
        for index, program in enumerate(scenario["programs"]):
            row.append(duration(statistics.median(program["round_cpu_ns"])))
            if index > 0:
                row.append(ratio(program["round_cpu_ns"], floor["round_cpu_ns"]))
        rows.append(row)
    return table(["scenario", *program_heads(scenarios[0]["programs"], "CPU", "/ floor")], rows)


def memory(kibibytes):
    return f"{kibibytes / 1024:.1f} MiB" if kibibytes >= 1024 else f"{kibibytes:.0f} KiB"


def size_table(scenarios):
    rows = [[f"peak memory after {scenario['name']}"] + [memory(program["vm_hwm_kb"]) for program in scenario["programs"]]
            for scenario in scenarios if scenario["name"] in ("hello-buffered", "hello-streamed", "echo-4m", "stream-64m")]
    rows += [["read from disk at a start"] + [memory(statistics.median(p["round_bytes_read"]) / 1024) for p in scenario["programs"]]
             for scenario in scenarios if scenario["name"] == "start-from-disk"]
    programs = next((s for s in scenarios if not s["name"].startswith("start")), scenarios[0])["programs"]
    rows.append(["binary"] + [memory(os.path.getsize(program["path"]) / 1024) for program in programs])
    rows.append(["libraries loaded"] + [str(program["libraries"]) for program in programs])
    rows.append(["threads"] + [str(program["threads"]) for program in programs])
    return table(["", *(program["name"] for program in programs)], rows)


def machine(options):
    model = "unknown CPU"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    pinned = "not pinned"
    if options.cpus != "none":
        driver, program = options.cpus.split(",")
        pinned = f"driver on CPU {driver}, programs on CPU {program}"
        if driver == program:
            pinned = f"driver and programs on one CPU ({driver})"
    return f"{model}, {os.cpu_count()} CPUs, Linux {os.uname().release.split('-')[0]}; {pinned}; {options.rounds} rounds"


def print_tables(options, programs):
    result = drive(options, "results", options.scenario, programs, "--rounds", str(options.rounds))
    scenarios = result["scenarios"]
    print(f"{machine(options)}.\n")
    print("Time from an event's first byte to the reply's last one (`start`: from fork to the first `next`;")
    print("`start-from-disk`: with the program's own file out of the page cache). The ratio is the median over the rounds, with the least")
    print("and the largest of a round.\n")
    print(time_table(scenarios))
    print("CPU time of the program's process, all threads, from one `next` to the following one (starts: until the first).\n")
    print(cpu_table(scenarios))
    print(size_table(scenarios))


# --- growth ---------------------------------------------------------------------------------------------------------

def cpu_of(result):
    """The median CPU per invocation in µs, by program."""
    programs = result["scenarios"][0]["programs"]
    return {program["name"]: statistics.median(program["round_cpu_ns"]) / 1000 for program in programs}


def varied(options, app, variable, values):
    """One run, so that all variants are interleaved."""
    path = app.split("=", 1)[1]
    programs = [f"{value}={path},{variable}={value}" for value in values]
    rounds = ("--rounds", str(options.rounds))
    measured = cpu_of(drive(options, "growth-" + variable.lower(), ["hello-buffered"], programs, *rounds))
    return [(value, measured[str(value)]) for value in values]


def measure_growth(options, programs):
    floor, app = programs[:2]
    name = app.split("=", 1)[0]
    growth = {"name": name, "routes": varied(options, app, "BENCH_ROUTES", ROUTES),
              "middleware": varied(options, app, "BENCH_MIDDLEWARE", MIDDLEWARE), "headers": [], "floor_headers": []}
    for count in HEADERS:
        more = ("--rounds", str(options.rounds), "--headers", str(count))
        measured = cpu_of(drive(options, f"growth-headers-{count}", ["hello-buffered"], [floor, app], *more))
        growth["headers"].append((count, measured[name]))
        growth["floor_headers"].append((count, measured["floor"]))
    # What is in use of the heap, to the byte: the resident memory has pages only, and none for what grows within them.
    live = f"LD_PRELOAD={build('live.so', '-shared', '-fPIC')},LIVE_FILE={os.path.join(BUILD, 'live')}"
    load = drive(options, "growth-load", ["hello-buffered"], [f"{app},{live}"], "--load", str(options.load))["load"]
    # The first sample is one cold invocation: right for the memory, too long for a scale of the time.
    growth["rss"] = [(sample["invocations"], sample["vm_rss_kb"] / 1024) for sample in load["samples"]]
    growth["live"] = [(sample["invocations"], sample["live_bytes"]) for sample in load["samples"]]
    growth["p50"] = [(sample["invocations"], sample["p50_ns"] / 1000) for sample in load["samples"][1:]]
    growth["cpu"] = [(sample["invocations"], sample["cpu_ns"] / 1000) for sample in load["samples"][1:]]
    return growth


def fit(points):
    """The least-squares line: its slope, the slope's standard error, and the standard deviation of the residuals."""
    line = statistics.linear_regression(*zip(*points))
    mean = statistics.fmean(x for x, _ in points)
    noise = math.sqrt(sum((y - line.intercept - line.slope * x) ** 2 for x, y in points) / (len(points) - 2))
    return line.slope, noise / math.sqrt(sum((x - mean) ** 2 for x, _ in points)), noise


def live_line(live):
    """Over the last nine tenths: in the first one, caches and pools may fill."""
    settled = [(count, size) for count, size in live if count * 10 >= live[-1][0]]
    slope, error, noise = fit(settled)
    (first, first_size), (last, last_size) = settled[0], settled[-1]
    return (f"Live heap over the last {last - first:,} of {last:,} invocations: slope {slope * 1e6:+,.1f} ± {error * 1e6:,.1f} "
            f"bytes per million invocations (least squares, standard error); noise {noise:,.1f} bytes (standard deviation of "
            f"the residuals, {len(settled)} samples); {first_size:,} bytes at the first, {last_size:,} at the last.")


def print_growth(growth):
    rss, cpu = growth["rss"], growth["cpu"]
    tenth = len(cpu) // 10 or 1
    # The least disturbed: what grows, grows there too.
    first, last = (min(value for _, value in part) for part in (cpu[:tenth], cpu[-tenth:]))
    rows = [["memory", ", ".join(f"{size:.1f} MiB after {count:,}" for count, size in (rss[0], rss[1], rss[-1]))],
            ["invocations", f"{first:.1f} µs in the quietest 10,000 of the first tenth, {last:.1f} µs in those of the last"]]
    for key in ("routes", "middleware", "headers"):
        rows.append([key, ", ".join(f"{count}: {value:.1f} µs" for count, value in growth[key])])
    print(table(["growth of " + growth["name"], "CPU per hello, or memory"], rows))
    print(live_line(growth["live"]))


# --- drawing --------------------------------------------------------------------------------------------------------

WIDTH, HEIGHT, LEFT, TOP, INNER_WIDTH, INNER_HEIGHT = 480, 330, 60, 52, 350, 210
BLUE, ORANGE, GREEN, GREY, PURPLE = "#1f5fa8", "#c2571a", "#2d7d46", "#8a8a8a", "#7a3fa0"


def nice_top(value):
    """A scale from 0 with some room above the value, and its step: five at most, of a round number."""
    wanted = value * 1.15
    step = next(unit * 10**power for power in range(-3, 12) for unit in (1, 2, 2.5, 5) if unit * 10**power * 5 >= wanted)
    return math.ceil(wanted / step) * step, step


def text(x, y, content, anchor="middle", color="#333", size=12, extra=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}"{extra}>{content}</text>'


class Panel:
    """One chart. `place` gives the share of the width for a value on the x axis."""

    def __init__(self, column, row, title, x_title, ticks, place):
        self.x, self.y = column * WIDTH + LEFT, row * HEIGHT + TOP
        # A margin keeps the outer labels off the axes.
        self.place, self.parts, self.legend = lambda value: 0.04 + 0.92 * place(value), [], 0
        self.parts.append(text(self.x, self.y - 30, title, "start", "#111", 14, ' font-weight="600"'))
        self.parts.append(text(self.x + INNER_WIDTH / 2, self.y + INNER_HEIGHT + 36, x_title))
        for tick in ticks:
            x = self.x + self.place(tick) * INNER_WIDTH
            self.parts.append(f'<path d="M{x:.1f} {self.y + INNER_HEIGHT}v5" stroke="#999"/>')
            self.parts.append(text(x, self.y + INNER_HEIGHT + 19, f"{tick:,}", size=11))

    def axis(self, top, step, unit, right=False):
        x, count = self.x + (INNER_WIDTH if right else 0), round(top / step)
        for index in range(count + 1):
            y = self.y + INNER_HEIGHT - index * INNER_HEIGHT / count
            if not right:
                self.parts.append(f'<path d="M{x} {y:.1f}h{INNER_WIDTH}" stroke="#e2e2e2"/>')
            label = f"{index * step:g}"
            self.parts.append(text(x + (8 if right else -8), y + 4, label, "start" if right else "end", size=11))
        self.parts.append(text(x + (8 if right else -8), self.y - 10, unit, "start" if right else "end", size=11))

    def line(self, points, top, color, label, dots=True):
        at = [(self.x + self.place(value) * INNER_WIDTH, self.y + INNER_HEIGHT * (1 - height / top))
              for value, height in points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in at)
        self.parts.append(f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"/>')
        if dots:
            for (x, y), (_, height) in zip(at, points):
                self.parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>')
                self.parts.append(text(x, y - 8, f"{height:.1f}", color=color, size=11))
        self.parts.append(text(self.x + 8 + self.legend, self.y - 10, label, "start", color))
        self.legend += 7 * len(label) + 14


def draw(growth):
    name, panels = growth["name"], []
    last = growth["rss"][-1][0]
    ticks = [round(last * part / 4) for part in range(5)]
    panel = Panel(0, 0, "Invocations", "invocations of one process", ticks, lambda n: n / last)
    top, step = nice_top(max(value for _, value in growth["cpu"] + growth["p50"]))
    memory_top, memory_step = nice_top(max(value for _, value in growth["rss"]))
    panel.axis(top, step, "µs")
    panel.axis(memory_top, memory_step, "MiB", right=True)
    panel.line(growth["cpu"], top, BLUE, "CPU", dots=False)
    panel.line(growth["p50"], top, GREEN, "median time", dots=False)
    panel.line(growth["rss"], memory_top, ORANGE, "memory (right)", dots=False)
    live = [(count, size / (1 << 20)) for count, size in growth["live"]]
    panel.line(live, memory_top, PURPLE, "live (right)", dots=False)
    panels.append(panel)

    def simple(column, row, title, key, x_title, place):
        panel = Panel(column, row, title, x_title, [count for count, _ in growth[key]], place)
        top, step = nice_top(max(value for _, value in growth[key]))
        panel.axis(top, step, "µs")
        panel.line(growth[key], top, BLUE, f"{name}: CPU per invocation")
        if "floor_" + key in growth:
            panel.line(growth["floor_" + key], top, GREY, "floor")
        panels.append(panel)

    steps = len(ROUTES) - 1
    simple(1, 0, "Routes", "routes", "routes registered before the one that is called", lambda n: ROUTES.index(n) / steps)
    simple(0, 1, "Middleware", "middleware", "pass-through middleware", lambda n: n / MIDDLEWARE[-1])
    simple(1, 1, "Headers", "headers", "headers of the request, besides some twenty", lambda n: n / HEADERS[-1])
    body = "\n".join(part for panel in panels for part in panel.parts)
    size = f'width="{2 * WIDTH}" height="{2 * HEIGHT}" viewBox="0 0 {2 * WIDTH} {2 * HEIGHT}"'
    return (f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="system-ui, sans-serif">\n'
            f'<rect width="100%" height="100%" fill="#fff"/>\n{body}\n</svg>\n')


# --- the command line -----------------------------------------------------------------------------------------------

def main():
    # One CPU for both, as a small function has: on two, waking a sleeping CPU costs more than a whole hello and varies most.
    cpu = max(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", action="append", default=[], metavar="NAME=PATH[,VARIABLE=VALUE...]")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--scenario", nargs="+", default=SCENARIOS)
    parser.add_argument("--cpus", default=f"{cpu},{cpu}", help="driver,program; or none (default: one for both)")
    parser.add_argument("--growth", metavar="FILE.svg", help="measure growth instead, and draw it")
    parser.add_argument("--load", type=int, default=1_000_000, help="invocations of the long run of --growth")
    options = parser.parse_args()
    programs = [f"floor={build('floor')}", *options.program]
    load = os.getloadavg()[0]
    if load > 0.7:
        print(f"bench: the machine is busy (load average {load:.1f}): the figures will be too high", file=sys.stderr)
    if not options.growth:
        return print_tables(options, programs)
    if not options.program:
        parser.error("--growth needs a --program")
    growth = measure_growth(options, programs)
    with open(options.growth, "w") as file:
        file.write(draw(growth))
    print_growth(growth)


if __name__ == "__main__":
    main()
