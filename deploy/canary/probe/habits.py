"""Start, modes, deadline, freeze, events: what Sluice promises of each invocation."""
import json
import time

from .places import PLACES
from .table import check


@check("S1", "The start", "200; less than a second")
def start(site):
    answer = site.ask("buffered", "/hello")
    took = site.init("buffered")
    fine = answer.status == 200 and answer.text == "hello" and (took is None or took < 1000)
    return f"{answer.status}{'' if took is None else f'; init {took:.0f} ms'}", fine


@check("S2", "What a handler sees, in each mode", "a Function URL, the mode, the id of the reply, its time left, path and query as sent")
def sight(site):
    seen, fine = [], True
    for name in ("buffered", "stream"):
        answer = site.ask(name, "/echo/a%2Fb?x=1&x=%C3%A4", headers={"Cookie": "c=1; d=2"})
        if answer.status != 200:
            return f"{name}: {answer}", False
        sight = json.loads(answer.body)["sight"]
        limit = PLACES[name].timeout * 1000
        fine = fine and (
            sight["frontEnd"] == "a Function URL" and sight["mode"] == PLACES[name].variables["AWS_LWA_INVOKE_MODE"]
            and sight["id"] == answer["x-request-id"] and 0 < sight["timeLeft"] <= limit
            and sight["rawPath"] == "/echo/a%2Fb" and sight["query"] == ["x=1", "x=ä"] and sight["cookies"] == ["c=1", "d=2"])
        seen.append(f"{sight['mode']}: {sight['frontEnd']}, {sight['rawPath']}, {' '.join(sight['query'])}, "
                    f"{' '.join(sight['cookies'])}")
    return "; ".join(seen), fine


@check("S3", "A stream with two pauses of half a second", "streamed: the head and each part when it is written; buffered: all at the end")
def pauses(site):
    streamed, buffered = (site.ask(name, "/ticks?ms=500") for name in ("stream", "buffered"))
    whole = b"tick 0\ntick 1\ntick 2\n"
    apart = streamed.parts and streamed.parts[-1][0] - streamed.parts[0][0] > 0.7
    early = streamed.head < 0.7 + (0 if site.is_local else 1.5)
    fine = streamed.body == buffered.body == whole and apart and early and buffered.head > 0.9
    return (f"streamed: {len(streamed.parts)} parts over {spread(streamed):.0f} s; "
            f"buffered: {len(buffered.parts)} over {spread(buffered):.0f} s"), fine


def spread(answer):
    return answer.parts[-1][0] - answer.parts[0][0] if answer.parts else 0


@check("S4", "A header twice, and two cookies, in each mode", "one header, a,b; two Set-Cookie in order")
def repeated(site):
    seen = []
    for name in ("buffered", "stream"):
        answer = site.ask(name, "/repeated")
        seen.append((answer.all("x-canary"), [value.split("=")[0] for value in answer.all("set-cookie")]))
    return "; ".join(f"{' and '.join(values)}, cookies {' '.join(cookies)}" for values, cookies in seen), all(
        one == (["a,b"], ["a", "b"]) for one in seen)


@check("S5", "The function streams, its URL is BUFFERED", "prelude, eight NULs and body, as a body")
def streams_unasked(site):
    answer = site.ask("mismatch", "/hello")
    prelude, nuls, body = answer.body.partition(bytes(8))
    fine = bool(nuls) and body == b"hello" and prelude.startswith(b"{") and json.loads(prelude).get("statusCode") == 200
    return f"{answer.status}; {'prelude, NULs, body' if fine else repr(answer.body[:60])}", fine


@check("S6", "The function answers buffered, its URL is RESPONSE_STREAM", "200, the envelope as a body")
def buffers_unasked(site):
    answer = site.ask("wire", "/envelope")
    fine = answer.status == 200 and b'"statusCode":201' in answer.body
    return f"{answer.status}; {'the envelope' if fine else repr(answer.body[:60])}", fine


@check("D1", "A handler past its time, buffered", "504 before the time-out; the process lives on")
def deadline(site):
    before = process(site, "limit")
    answer = site.ask("limit", "/sleep")
    after = process(site, "limit")
    early = is_early(site, "limit", answer)
    return (f"{answer.status} {'before' if early else 'after'} the time-out, {'the same' if before == after else 'another'} process",
            answer.status == 504 and early and before == after)


def is_early(site, name, answer):
    # What the way takes is not the function's time.
    return answer.total < PLACES[name].timeout + (0 if site.is_local else 1)


@check("D2", "A stream past its time", "200, what was written, a clean end before the time-out")
def deadline_of_stream(site):
    answer = site.ask("limit-stream", "/hang")
    early = is_early(site, "limit-stream", answer)
    fine = answer.status == 200 and answer.body == b"begun " and answer.end == "clean" and early
    return f"{answer}; platform: {site.fate('limit-stream', '/hang', answer)}", fine


@check("D3", "A handler that holds on past its deadline", "504 before the time-out; the next request has a new process")
def hold(site):
    before = process(site, "limit")
    answer = site.ask("limit", "/hold")
    time.sleep(max(0.0, PLACES["limit"].timeout - answer.total) + 0.3)
    after = process(site, "limit")
    return (f"{answer.status}, then {'a new process' if after not in (None, before) else 'the same process'}",
            answer.status == 504 and after not in (None, before))


def process(site, name):
    answer = site.ask(name, "/clocks")
    return json.loads(answer.body)["process"] if answer.status == 200 else None


@check("A1", "A second of work after the reply", "the client does not wait; the work is done")
def after_reply(site):
    for name in ("buffered", "stream"):
        quick = min(site.ask(name, "/hello").total for _ in range(3))
        answer = site.ask(name, "/after")
        waited = answer.total - quick
        done = bool(site.lines(name, "canary: after the reply to", answer["x-request-id"]))
        if waited > 0.7 or not done or answer.text != "left":
            return f"{name}: the client waited {waited:.1f} s, the work is {'' if done else 'not '}done", False
    return "the client does not wait, the work is done, in both modes", True


@check("F1", "A pause between two requests", "the process is frozen: a task of its own stands still; onThaw tells of the gap")
def freeze(site):
    first, second, pause = looks(site)
    ticks, gap = second["ticks"] - first["ticks"], (second["gaps"] or [0])[-1] / 1000
    still = ticks < pause / 0.05 / 4
    told = len(second["gaps"]) > len(first["gaps"]) and abs(gap - pause) < 1
    return (f"of {pause:.0f} s the task ran {'less than a quarter' if still else f'{ticks * 0.05:.1f} s'}; "
            f"onThaw {'tells of the pause' if told else f'says {gap:.1f} s'}"), still and told


@check("F2", "Clocks across a freeze", "wall clock, ContinuousClock and SuspendingClock all go on")
def clocks(site):
    first, second, pause = looks(site)
    gone = {name: (second[name] - first[name]) / 1000 for name in ("wall", "continuous", "suspending")}
    fine = all(abs(time - pause) < 1 for time in gone.values())
    return f"of {pause:.0f} s: " + ", ".join(f"{name} {time:.0f} s" for name, time in gone.items()), fine


def looks(site):
    """Two looks of one process, and the seconds between them."""
    for _ in range(3):
        first = json.loads(site.ask("stream", "/clocks").body)
        begin = time.monotonic()
        time.sleep(site.pause)
        pause = time.monotonic() - begin
        second = json.loads(site.ask("stream", "/clocks").body)
        if first["process"] == second["process"]:
            return first, second, pause
    raise RuntimeError("each request has another process")


@check("T1", "PlatformWatch at start", "Lambda takes the registration and the subscription")
def telemetry(site):
    answer = site.ask("watch", "/hello")
    taken = site.is_local or bool(site.lines("watch", "telemetrySubscription"))
    refused = site.seen("watch", "PlatformWatch hears nothing")
    said = f"refused: {refused[0][-120:]}" if refused else "taken" if taken else "Lambda tells of no subscription"
    return said, answer.status == 200 and taken and not refused


@check("T2", "An error that only the platform counts", "one WARN record of it, where there was one")
def lie(site):
    needle = "platform counted an error that the app did not see"
    for _ in range(20 if site.is_local else 4):
        site.ask("watch", "/hello")
        if site.is_local and site.seen("watch", needle):
            break
        time.sleep(0.05)
    told = len(site.seen("watch", needle))
    if site.is_local:
        return f"{'told' if told else 'not told'}: the local Lambda counted errors that were none", told > 0
    return f"{told} told in five invocations", told == 0


@check("E1", "A direct invocation", "its handler's result")
def direct(site):
    kind, payload = site.invoke("buffered", {"canary": 1})
    fine = kind == "response" and json.loads(json.loads(payload).get("event", "null")) == {"canary": 1}
    return f"{kind}: {'the result' if fine else str(payload[:80])}", fine


@check("E2", "Two messages of a queue, one of which fails", "its id in batchItemFailures")
def queue(site):
    records = [
        {"messageId": name, "eventSource": "aws:sqs", "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:canary", "body": body,
         "receiptHandle": "r", "attributes": {"ApproximateReceiveCount": "1"}, "messageAttributes": {}, "awsRegion": "us-east-1"}
        for name, body in (("one", "take"), ("two", "refuse"))
    ]
    kind, payload = site.invoke("buffered", {"Records": records})
    fine = kind == "response" and json.loads(payload) == {"batchItemFailures": [{"itemIdentifier": "two"}]}
    return f"{kind}: {payload.decode('utf-8', 'replace')[:120]}", fine


# The last one: it ends a sandbox.
def add_last():
    @check("X1", "SIGTERM when the sandbox ends", "seen, with some 300 ms left")
    def sigterm(site):
        found = site.last_words("buffered")
        return found[-1].split("canary: ")[-1].strip('"}') if found else "not seen", bool(found)

