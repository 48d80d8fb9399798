"""What nobody has found in AWS's documentation: the open questions, numbered as they were asked."""
import json
import statistics
import zlib

from .table import NotHere, check

ENDS_AT_ONCE = 3.0


def ends(answer):
    return answer.end == "clean" and answer.total < ENDS_AT_ONCE


@check("1.1", "An empty stream: the prelude only", "ends at once")
def bare(site):
    answers = [site.ask("wire", "/empty/bare"), site.ask("stream", "/empty")]
    return by("by hand", "SLUICE_EMPTY_STREAM=bare", answers), all(
        one.status == 200 and not one.body and ends(one) for one in answers)


@check("1.2", "An empty stream: content-length: 0 in the prelude", "ends at once")
def length(site):
    answers = [site.ask("wire", "/empty/length"), site.ask("length", "/empty")]
    return by("by hand", "SLUICE_EMPTY_STREAM=content-length", answers), all(
        one.status == 200 and not one.body and ends(one) for one in answers)


@check("1.3", "An empty stream: one byte", "ends at once")
def newline(site):
    answers = [site.ask("wire", "/empty/byte"), site.ask("newline", "/empty")]
    return by("by hand", "SLUICE_EMPTY_STREAM=newline", answers), all(
        one.status == 200 and one.body == b"\n" and ends(one) for one in answers)


@check("1.4", "204, 304 and 302 as streams, in each form", "end at once")
def statuses(site):
    seen = []
    for name in ("stream", "length", "newline"):
        for status in (204, 304, 302):
            answer = site.ask(name, f"/empty?status={status}")
            if answer.status != status or not ends(answer):
                seen.append(f"{name}: {status}: {answer}")
    return "; ".join(seen) or "all end", not seen


@check("1.5", "The three forms of an empty stream behind CloudFront", "end at once")
def behind_cloudfront(site):
    base = site.cloudfront()
    if not base:
        raise NotHere("only with --cloudfront" if not site.is_local else "no CloudFront here")
    answers = {form: site.ask_at(base, f"/empty/{form}") for form in ("bare", "length", "byte")}
    return "; ".join(f"{form}: {answer}" for form, answer in answers.items()), all(
        one.status == 200 and ends(one) for one in answers.values())


def by(one, other, answers):
    return f"{one}: {answers[0]}; {other}: {answers[1]}"


@check("2.1", "A stream that fails, with trailers", "200, what was written, a clean end; whether Errors counts is to be seen")
def trailers(site):
    answer = site.ask("trailers", "/fail")
    fine = answer.status == 200 and answer.body == b"begun " and answer.end == "clean"
    return f"{answer}; platform: {site.fate('trailers', '/fail', answer)}{counted(site, 'trailers')}", fine


@check(
    "2.2", "A stream whose connection closes in the midst of it",
    "200, what was written, then broken off; whether Errors counts is to be seen")
def cut(site):
    answer = site.ask("cut", "/cut")
    fine = answer.status == 200 and answer.body == b"begun " and answer.end == "cut"
    return f"{answer}; platform: {site.fate('cut', '/cut', answer)}{counted(site, 'cut')}", fine


def counted(site, name):
    errors = site.errors(name)
    return "" if errors is None else f"; Errors: {errors}"


@check("3.1", "HEAD without a length in the prelude", "ends at once")
def head_bare(site):
    answers = [site.ask("wire", "/head", "HEAD"), site.ask("stream", "/hello", "HEAD")]
    return by("by hand", "Sluice", answers), all(one.status == 200 and ends(one) for one in answers)


@check("3.2", "HEAD with content-length: 5 in the prelude", "ends at once, with that length")
def head_length(site):
    answer = site.ask("wire", "/head/length", "HEAD")
    return f"{answer}, content-length {answer['content-length']}", (
        answer.status == 200 and ends(answer) and answer["content-length"] == "5")


@check("4", "The largest prelude", "16 KB and more")
def prelude(site):
    largest, refused = 0, None
    for size in (4, 8, 12, 15, 16, 17, 20, 24, 32, 48, 64, 96, 128, 256):
        answer = site.ask("stream", f"/head?size={size * 1000}")
        got = sum(len(name) + len(value) for name, value in answer.headers)
        if answer.status != 200 or got < size * 900:
            refused = f"{size} KB: {answer}"
            break
        largest = size
    return f"{largest} KB pass" + (f"; {refused}" if refused else ", no limit was met"), largest >= 16


@check("5.1", "A header whose value is an array, in the prelude", "502")
def arrays(site):
    answer = site.ask("wire", "/arrays")
    return f"{answer}; x-canary: {answer['x-canary']}", answer.status == 502


@check("5.2", "multiValueHeaders in the prelude", "ignored")
def multi(site):
    answer = site.ask("wire", "/multi")
    return f"{answer}; x-canary: {answer['x-canary']}", answer.status == 200 and answer["x-canary"] is None


@check("6", "Fifty streams, each on a connection that is closed, and each on one that is kept", "none fails, either way")
def kept(site):
    seen, fine = [], True
    for name in ("close", "stream"):
        answers = [site.ask(name, "/ticks?ms=0") for _ in range(50)]
        failed = sum(one.status != 200 or one.body != b"tick 0\ntick 1\ntick 2\n" or one.end != "clean" for one in answers)
        fine = fine and failed == 0
        median = statistics.median(one.total for one in answers) * 1000
        seen.append(f"{'closed' if name == 'close' else 'kept'}: {failed} fail" + ("" if site.is_local else f", {median:.0f} ms"))
    return "; ".join(seen), fine


@check("7", "A literal % or ? in the path, behind an HTTP API", "lost where it is encoded once: 400, cut; whole where twice")
def literals(site):
    expected = {"/echo/%25done": "400", "/echo/a%3Fb": "/echo/a", "/echo/a%2525b": "/echo/a%25b", "/echo/a%253Fb": "/echo/a%3Fb"}
    seen = {}
    for sent in expected:
        answer = site.ask("gateway", sent)
        seen[sent] = json.loads(answer.body)["sight"]["rawPath"] if answer.status == 200 else str(answer.status)
    return "; ".join(f"{sent} is {got}" for sent, got in seen.items()), seen == expected


@check("8", "Content-Encoding gzip, br, zstd on a stream", "bytes and header as they were sent")
def encodings(site):
    seen, fine = [], True
    for coding in ("gzip", "br", "zstd"):
        answer = site.ask("stream", f"/encoded/{coding}", headers={"Accept-Encoding": "gzip, br, zstd"})
        kept = answer["content-encoding"] == coding and answer.body != b"hello"
        if coding == "gzip" and kept:
            kept = zlib.decompress(answer.body, 31) == b"hello"
        fine = fine and answer.status == 200 and kept
        what = "as sent" if kept else f"{answer}, {answer['content-encoding'] or 'no header'}, {answer.body[:20]!r}"
        seen.append(f"{coding}: {what}")
    return "; ".join(seen), fine


@check("W7", "A header name with a quote in it", "400, or it does not arrive")
def names(site):
    answer = site.ask("buffered", "/echo", headers={'x-"odd': "1"})
    if answer.status != 200:
        return str(answer), answer.status == 400
    arrives = any('"odd' in header for header in json.loads(answer.body)["sight"]["headers"])
    return "it arrives" if arrives else "it does not arrive", not arrives

