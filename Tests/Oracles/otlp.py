#!/usr/bin/env python3
"""What OpenTelemetry's own definitions make of log exports in JSON: one on each line of stdin, one object for each on stdout.

{"resource":{...}, "scope":"...", "severity":17, "text":"ERROR", "body":"...", "attributes":{...}, "trace":"hex", "span":"hex",
"time":nanoseconds, "event":"exception"}. Exit code 1 when the definitions refuse one. Needs the venv that scripts/oracles makes.
"""
import base64
import json
import sys

sys.dont_write_bytecode = True
from oracle_venv import use_the_venv  # noqa: E402


def value(any_value):
    kind = any_value.WhichOneof("value")
    if kind == "array_value":
        return [value(one) for one in any_value.array_value.values]
    if kind == "kvlist_value":
        return fields(any_value.kvlist_value.values)
    return getattr(any_value, kind) if kind else None


def fields(pairs):
    return {pair.key: value(pair.value) for pair in pairs}


def to_protobuf(export):
    """Protobuf's own JSON has bytes in base64; OTLP makes an exception for ids, which are hexadecimal."""
    for resource in export.get("resourceLogs", []):
        for scope in resource.get("scopeLogs", []):
            for record in scope.get("logRecords", []):
                for name in ("traceId", "spanId"):
                    if name in record:
                        record[name] = base64.b64encode(bytes.fromhex(record[name])).decode()
    return json.dumps(export)


def main():
    use_the_venv("opentelemetry.proto.collector.logs.v1.logs_service_pb2")
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
    for line in sys.stdin:
        if not line.strip():
            continue
        try:
            export = json_format.Parse(to_protobuf(json.loads(line)), ExportLogsServiceRequest())
        except (json_format.ParseError, ValueError) as error:
            print(f"otlp: {error}", file=sys.stderr)
            sys.exit(1)
        for resource in export.resource_logs:
            for scope in resource.scope_logs:
                for record in scope.log_records:
                    print(json.dumps({
                        "resource": fields(resource.resource.attributes), "scope": scope.scope.name,
                        "severity": record.severity_number, "text": record.severity_text, "body": value(record.body),
                        "attributes": fields(record.attributes), "trace": record.trace_id.hex(),
                        "span": record.span_id.hex(), "time": record.time_unix_nano, "event": record.event_name,
                    }))


if __name__ == "__main__":
    main()
