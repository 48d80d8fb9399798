"""What an OTLP log export must be, strictly, in JSON: written from the protocol's pages and the data model alone."""
import json
import re

from sentry_server import HEX32, NUMBER, Malformed, json_object

HEX16 = re.compile(r"[0-9a-f]{16}\Z")
DECIMAL = re.compile(r"\d{1,20}\Z")
SEVERITIES = {5: "DEBUG", 9: "INFO", 13: "WARN", 17: "ERROR", 21: "FATAL"}


def fields(value, what, required, optional=()):
    if not isinstance(value, dict):
        raise Malformed(f"{what}: not an object")
    if missing := [name for name in required if name not in value]:
        raise Malformed(f"{what}: no {missing[0]}")
    if unknown := [name for name in value if name not in (*required, *optional)]:
        raise Malformed(f"{what}: {unknown[0]} is no field of it")
    return value


def only(value, what):
    if not isinstance(value, list) or len(value) != 1:
        raise Malformed(f"{what}: not a list of one")
    return value[0]


def any_value(value, what):
    if not isinstance(value, dict) or len(value) != 1:
        raise Malformed(f"{what}: not one value")
    kind, inner = next(iter(value.items()))
    if kind == "stringValue" and isinstance(inner, str):
        return inner
    if kind == "boolValue" and isinstance(inner, bool):
        return inner
    if kind == "intValue" and isinstance(inner, str) and re.fullmatch(r"-?\d{1,19}", inner):
        return int(inner)
    if kind == "doubleValue" and type(inner) in (int, float):
        return float(inner)
    if kind == "arrayValue":
        return [any_value(one, what) for one in fields(inner, what, ["values"])["values"]]
    if kind == "kvlistValue":
        return attributes(fields(inner, what, ["values"])["values"], what)
    raise Malformed(f"{what}: {kind} has another kind of value")


def attributes(values, what):
    result = {}
    for pair in values:
        fields(pair, what, ["key", "value"])
        if not isinstance(pair["key"], str) or not pair["key"] or pair["key"] in result:
            raise Malformed(f"{what}: the key {pair['key']!r} is empty or there twice")
        result[pair["key"]] = any_value(pair["value"], f"{what} {pair['key']}")
    return result


def check_export(data):
    """What an export of ours must be: returns ({"event_id": uid, "attributes", "resource"}, the number n in it or None, kinds)."""
    request = fields(json_object(data, "request"), "request", ["resourceLogs"])
    resource = fields(only(request["resourceLogs"], "resourceLogs"), "resourceLogs", ["resource", "scopeLogs"])
    about = attributes(fields(resource["resource"], "resource", ["attributes"])["attributes"], "resource")
    if not about.get("service.name"):
        raise Malformed("resource: no service.name")
    scope = fields(only(resource["scopeLogs"], "scopeLogs"), "scopeLogs", ["scope", "logRecords"])
    fields(scope["scope"], "scope", ["name", "version"])
    record = fields(
        only(scope["logRecords"], "logRecords"), "record",
        ["timeUnixNano", "observedTimeUnixNano", "severityNumber", "severityText", "body", "attributes"],
        ["traceId", "spanId", "flags", "eventName"])
    for name in ("timeUnixNano", "observedTimeUnixNano"):
        if not isinstance(record[name], str) or not DECIMAL.match(record[name]):
            raise Malformed(f"record: {name} is no decimal text")
    if SEVERITIES.get(record["severityNumber"]) != record["severityText"]:
        raise Malformed("record: severity")
    if "traceId" in record and not (HEX32.match(record["traceId"]) and HEX16.match(record.get("spanId", ""))):
        raise Malformed("record: traceId or spanId")
    any_value(record["body"], "body")
    values = attributes(record["attributes"], "attributes")
    if not HEX32.match(str(values.get("log.record.uid"))):
        raise Malformed("record: no log.record.uid")
    found = NUMBER.search(str(values.get("exception.message", "")))
    event = {"event_id": values["log.record.uid"], "attributes": values, "resource": about}
    return event, int(found.group(1)) if found else None, ["record"]


class OTLPProtocol:
    path = "/v1/logs"
    content_type = "application/json"
    name = "OTLP"
    check = staticmethod(check_export)

    @staticmethod
    def keys(request, query):
        return [request.headers.get("x-key")]

    @staticmethod
    def accepted(event):
        return json.dumps({"partialSuccess": {}}).encode()

    @staticmethod
    def environment(port, key):
        """The empty DSN keeps the local Lambda from naming its own inbox."""
        return {"SENTRY_DSN": "", "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
                "OTEL_EXPORTER_OTLP_HEADERS": f"x-key={key}"}
