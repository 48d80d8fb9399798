#!/usr/bin/env python3
"""What Sentry itself would make of an event: Relay's normaliser and its default scrubbing, by the library sentry-relay.

Reads from stdin, one line each, bare events or whole envelopes (an envelope is its header line and all lines until the
next header line). Prints one JSON object per event:
{"errors":[...], "meta":{...}|null, "platform":"...", "stripped":bool, "event_id":"..."}
`stripped` says that the default scrubbing found something to remove, so the client's own scrubbing had missed it. Exit
code 1 when the library fails, 2 when the input is not JSON. Needs the venv that scripts/oracles makes.
"""
import copy
import json
import os
import sys

sys.dont_write_bytecode = True
from oracle_venv import use_the_venv  # noqa: E402


# What a new project at Sentry has.
SCRUBBING = {"scrubData": True, "scrubDefaults": True, "scrubIpAddresses": False, "sensitiveFields": [], "excludeFields": []}


def events(data):
    """The events in the input, as raw bytes. A line is a bare event if it has what only events have."""
    position = 0
    while position < len(data):
        line, position = take_line(data, position)
        if not line.strip():
            continue
        head = json.loads(line)
        if not isinstance(head, dict):
            raise ValueError("a line that is not an object")
        if "type" in head and ("length" in head or head["type"] in ("event", "log", "client_report", "attachment", "sessions")) \
                and "platform" not in head and "exception" not in head and "timestamp" not in head:
            if "length" in head:
                payload, position = data[position:position + head["length"]], position + head["length"]
                if len(payload) < head["length"] or data[position:position + 1] not in (b"\n", b""):
                    raise ValueError(f"item {head['type']}: length is wrong")
                position += 1
            else:
                payload, position = take_line(data, position)
            if head["type"] in ("event", "transaction"):
                yield payload
        elif {"timestamp", "platform", "exception", "message", "logentry", "level"} & set(head):
            yield line
        # Anything else is an envelope's header.


def take_line(data, position):
    end = data.find(b"\n", position)
    end = len(data) if end < 0 else end
    return data[position:end], end + 1


def main():
    use_the_venv("sentry_relay")
    from sentry_relay.processing import StoreNormalizer, convert_datascrubbing_config, pii_strip_event
    normalizer = StoreNormalizer(
        project_id=1, client="custom.swift.lambda/0.1.0", protocol_version="7", is_renormalize=False, remove_other=True,
        enable_trimming=True, max_secs_in_future=60, max_secs_in_past=2592000)
    scrubbing = convert_datascrubbing_config(SCRUBBING)
    try:
        for raw in events(sys.stdin.buffer.read()):
            event = normalizer.normalize_event(raw_event=raw)
            meta = event.get("_meta")
            scrubbed = pii_strip_event(scrubbing, copy.deepcopy(event)) if scrubbing else event
            print(json.dumps({
                "event_id": event.get("event_id"), "errors": event.get("errors") or [], "meta": meta,
                "platform": event.get("platform"),
                "stripped": {**scrubbed, "_meta": None} != {**event, "_meta": None},
                **({"event": event} if "--event" in sys.argv else {}),
            }), flush=True)
    except ValueError as error:
        fail(2, error)
    except Exception as error:      # the library's own: it refused the event altogether
        fail(1, f"{type(error).__name__}: {error}")


def fail(code, error):
    print(f"normalize: {error}", file=sys.stderr)
    sys.exit(code)


if __name__ == "__main__":
    main()
