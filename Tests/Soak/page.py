"""What a soak has shown, as Markdown."""
import samples


def number(value):
    return f"{value:.2f}".rstrip("0").rstrip(".") if abs(value) < 100 else f"{value:.0f}"


def text(functions, lasted, begin, own, failures):
    parts = [f"# A soak of {lasted / 60:.0f} minutes\n"]
    parts.append("\n".join(f"- FAILED: {failure}" for failure in failures) if failures else "All of it as it should be.")
    parts.append(slopes(functions, begin, lasted))
    parts.append(requests(functions))
    parts.append(reports(functions))
    lines = []
    for function in functions:
        share = 100 * sum(function.processor.values()) / lasted
        lines.append(f"- {function.mode}: {share:.1f} % of a core in all its processes; slowest request "
                     f"{function.load.slowest * 1000:.0f} ms; {function.console.counts['waits for a sandbox']} waits for a sandbox; "
                     f"{function.restarts} sandboxes replaced")
    lines.append(f"- the load: {100 * own / lasted:.1f} % of a core")
    parts.append("\n".join(lines))
    return "\n\n".join(parts) + "\n"


def slopes(functions, begin, lasted):
    lines = [f"Without the first {begin / 60:.1f} minutes; a slope is by least squares, ± its standard error; of memory through the "
             "least of each twentieth of the time, which a leak would lift."
             + ("" if (lasted - begin) / 3600 >= samples.JUDGED_HOURS else " Too short to be judged."), "",
             "| mode | process | of | mean | first tenth | last tenth | slope per hour |", "|---|---|---|--:|--:|--:|--:|"]
    for function in functions:
        for (name, process), series in sorted(function.series.items()):
            for metric, slope in series.slopes(begin).items():
                unit = samples.METRICS[metric][0]
                lines.append(
                    f"| {function.mode} | {name} | {metric}{', ' + unit if unit else ''} | {number(slope.mean)} | {number(slope.first)} "
                    f"| {number(slope.last)} | {slope.per_hour:+.2f} ± {slope.error:.2f}{' **LEAK**' if slope.is_leak(metric) else ''} |")
    return "\n".join(lines)


def requests(functions):
    kinds = sorted({kind for function in functions for kind, _ in function.load.counts})
    lines = ["| requests | " + " | ".join(function.mode for function in functions) + " |", "|---|" + "---|" * len(functions)]
    for kind in kinds:
        cells = []
        for function in functions:
            counts = sorted((result, count) for (other, result), count in function.load.counts.items() if other == kind)
            cells.append(", ".join(f"{count} × {result}" for result, count in counts))
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    totals = [str(sum(function.load.counts.values())) for function in functions]
    return "\n".join(lines + ["| in all | " + " | ".join(totals) + " |"])


def reports(functions):
    rows = [
        ("due", lambda function: function.accounts.sent),
        ("arrived", lambda function: function.accounts.arrived),
        ("lost", lambda function: sum(function.accounts.lost.values())),
        ("nobody's, or twice", lambda function: function.accounts.extra),
        ("log items arrived", lambda function: function.console.counts["log items"]),
        ("captured, as the app counts", lambda function: function.console.ledger["captured"]),
        ("delivered, as the app counts", lambda function: function.console.ledger["delivered"]),
        ("files in the spool at the end", lambda function: function.left["spool files"]),
    ]
    lines = ["| reports | " + " | ".join(function.mode for function in functions) + " |", "|---|" + "--:|" * len(functions)]
    for name, value in rows:
        lines.append(f"| {name} | " + " | ".join(str(value(function)) for function in functions) + " |")
    return "\n".join(lines)
