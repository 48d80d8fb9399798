"""Makes one module of those that `import Sluice` brings, for DocC, and checks that every public symbol has a comment and every type a topic.

usage: symbol-graphs.py FOLDER-OF-GRAPHS OUTPUT-FOLDER CATALOG
"""

import json
import pathlib
import re
import sys

# What Sluice re-exports, and what the products beside it add: readers look for all of it in one place.
MODULES = ["Sluice", "SluiceCore", "SluiceEvents", "SluiceMiddleware", "SluiceReporting", "SluiceSentry", "SluiceStreaming", "SluiceTesting",
           "SluiceSessions"]
TYPES = {"swift.struct", "swift.class", "swift.enum", "swift.protocol", "swift.actor"}


def main(built, output, catalog):
    problems, types = [], set()
    for path in sorted(pathlib.Path(built).glob("*.symbols.json")):
        module, _, extended = path.name.removesuffix(".symbols.json").partition("@")
        if module not in MODULES or (extended and extended not in MODULES + ["HTTPTypes", "Swift"]):
            continue
        graph = json.loads(path.read_text())
        kept = []
        for symbol in graph["symbols"]:
            name = ".".join(symbol["pathComponents"])
            if symbol["names"]["title"].startswith(("_", "$")):
                continue
            lines = symbol.get("docComment", {}).get("lines", [])
            unavailable = any(a.get("isUnconditionallyUnavailable") for a in symbol.get("availability", []))
            if unavailable:
                continue
            if not any(line["text"].strip() for line in lines) and symbol["kind"]["identifier"] != "swift.extension":
                problems.append(f"{module}: {name} ({symbol['kind']['displayName']}) has no comment")
            if symbol["kind"]["identifier"] in TYPES and len(symbol["pathComponents"]) == 1:
                types.add(name)
            kept.append(symbol)
        graph["symbols"] = kept
        known = {symbol["identifier"]["precise"] for symbol in kept}
        graph["relationships"] = [r for r in graph["relationships"] if r["source"] in known]
        graph["module"]["name"] = "Sluice"
        # DocC tells graphs of one module apart by their names.
        name = "Sluice" if not extended or extended in MODULES else f"Sluice@{extended}"
        (pathlib.Path(output) / f"{name}-{path.name}.symbols.json").write_text(json.dumps(graph))
    topics = set(re.findall(r"^- ``([A-Za-z0-9]+)``", (pathlib.Path(catalog) / "Sluice.md").read_text(), re.M))
    problems += [f"{name} is in no topic of {catalog}/Sluice.md" for name in sorted(types - topics)]
    for problem in problems:
        print(f"docs: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
