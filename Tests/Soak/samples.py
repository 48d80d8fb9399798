"""What a process holds, read from /proc, and what becomes of it in time: means, slopes and their standard errors."""
import math
import os
import statistics

# Name, unit of the table, how much of a sample is one of these.
METRICS = {"resident": ("MiB", 1 << 20), "private dirty": ("MiB", 1 << 20), "descriptors": ("", 1), "threads": ("", 1),
           "spool files": ("", 1), "spool bytes": ("B", 1)}
MEMORY = ("resident", "private dirty")
# A leak is a slope above this, per hour, that is more than chance (see `Slope.is_sure`); of memory, also above this share of the mean.
LIMITS = {"resident": 1.0, "private dirty": 1.0, "descriptors": 1.0, "threads": 1.0}
SHARE = 0.03
# With fewer hours behind it than this, a slope says nothing.
JUDGED_HOURS = 0.3
# Memory's line goes through the least sample of each of so many parts of the time: malloc keeps what one large body took until another comes
# to lie elsewhere, and that comes and goes by 13 MiB. A leak lifts what is least.
PARTS = 20


class Slope:
    """A least-squares line through samples: hours and values."""

    def __init__(self, hours, values):
        count = len(hours)
        self.hours = hours[-1] - hours[0]
        self.mean = statistics.fmean(values)
        middle = statistics.fmean(hours)
        spread = sum((hour - middle) ** 2 for hour in hours)
        self.per_hour = sum((hour - middle) * (value - self.mean) for hour, value in zip(hours, values)) / spread
        rest = sum((value - self.mean - self.per_hour * (hour - middle)) ** 2 for hour, value in zip(hours, values))
        self.error = math.sqrt(rest / (count - 2) / spread)
        tenth = max(count // 10, 1)
        self.first, self.last = statistics.median(values[:tenth]), statistics.median(values[-tenth:])

    @property
    def is_sure(self):
        return self.per_hour > 3 * self.error

    def is_leak(self, metric):
        limit = LIMITS.get(metric)
        if limit is None or self.hours < JUDGED_HOURS or not self.is_sure:
            return False
        return self.per_hour > limit and (metric not in MEMORY or self.per_hour > SHARE * self.mean)


class Series:
    """Samples of one process, or of one mode's spool."""

    def __init__(self):
        self.times = []
        self.values = {}

    def add(self, seconds, sample):
        self.times.append(seconds)
        for metric, value in sample.items():
            self.values.setdefault(metric, []).append(value / METRICS[metric][1])

    def slopes(self, begin):
        """By metric, of what was sampled from then on; empty where that is too little."""
        kept = [index for index, time in enumerate(self.times) if time >= begin]
        if len(kept) < 3:
            return {}
        samples = {metric: [(self.times[index] / 3600, values[index]) for index in kept] for metric, values in self.values.items()}
        return {metric: Slope(*zip(*(least(pairs) if metric in MEMORY else pairs))) for metric, pairs in samples.items()}


def least(pairs):
    """The least value of each part of the time, with its time."""
    parts = min(PARTS, len(pairs))
    bounds = [len(pairs) * number // parts for number in range(parts + 1)]
    return [min(pairs[begin:end], key=lambda pair: pair[1]) for begin, end in zip(bounds, bounds[1:])]


def children(process):
    """Of any of its threads, by id."""
    found = []
    try:
        for thread in os.listdir(f"/proc/{process}/task"):
            with open(f"/proc/{process}/task/{thread}/children") as file:
                found += [int(number) for number in file.read().split()]
    except OSError:
        pass  # it is ending
    return found


def environment(process, name):
    try:
        with open(f"/proc/{process}/environ", "rb") as file:
            for entry in file.read().split(b"\0"):
                if entry.startswith(name.encode() + b"="):
                    return entry.split(b"=", 1)[1].decode()
    except OSError:
        pass
    return None


def field(path, name):
    """A number of a file of lines `Name:   123 kB`, in bytes where it is kB."""
    with open(path) as file:
        for line in file:
            if line.startswith(name + ":"):
                words = line.split()
                return int(words[1]) * (1024 if words[-1] == "kB" else 1)
    raise OSError(f"{path} has no {name}")


def of_process(process):
    """A sample; None where the process has ended."""
    try:
        return {
            "resident": field(f"/proc/{process}/status", "VmRSS"),
            "private dirty": field(f"/proc/{process}/smaps_rollup", "Private_Dirty"),
            "descriptors": len(os.listdir(f"/proc/{process}/fd")),
            "threads": field(f"/proc/{process}/status", "Threads"),
        }
    except OSError:
        return None


def processor_seconds(process):
    try:
        with open(f"/proc/{process}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def of_spool(folder):
    files = 0
    size = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                size += os.path.getsize(os.path.join(path, name))
                files += 1
            except OSError:
                pass  # delivered meanwhile
    return {"spool files": files, "spool bytes": size}
