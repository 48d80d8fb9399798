"""AWS: makes a function for each place, asks them, and deletes everything."""
import json
import pathlib
import re
import secrets
import tempfile
import time
import zipfile

from . import client, cloudfront
from .places import PLACES
from .stack import Stack

WIRE = pathlib.Path(__file__).resolve().parent.parent / "wire" / "bootstrap"


class There:
    is_local = False
    # Seconds between two looks across a freeze.
    pause = 10.0

    def __init__(self, aws, zip_path, patience, with_cloudfront, say, prefix=None):
        if prefix and not re.fullmatch(r"sluice-canary-[0-9a-f]{8}", prefix):
            raise SystemExit(f"canary: a prefix is sluice-canary- and eight digits, not '{prefix}'")
        self.aws, self.zip, self.patience, self.say = aws, zip_path, patience, say
        self.prefix = prefix or f"sluice-canary-{secrets.token_hex(4)}"
        self.stack = Stack(aws, self.prefix, say)
        self.with_cloudfront, self.distribution = with_cloudfront, None
        self.urls, self.since = {}, int(time.time() * 1000)

    # --- what is made, and deleted -----------------------------------------------------------------------------------

    def deploy(self):
        self.say(f"all that is made is called {self.prefix}…; should this be killed: deploy/canary/canary --clean {self.prefix}")
        self.stack.begin()
        with tempfile.TemporaryDirectory(prefix="sluice-canary-") as folder:
            wire = pathlib.Path(folder) / "wire.zip"
            with zipfile.ZipFile(wire, "w") as file:
                entry = zipfile.ZipInfo("bootstrap")
                entry.external_attr = 0o100755 << 16
                file.writestr(entry, WIRE.read_bytes())
            for place in PLACES.values():
                self.urls[place.name] = self.stack.make(place, wire if place.is_wire else self.zip)
        if self.aws.dry:
            return self.rehearse()
        for name, url in self.urls.items():
            self.warm(name, url)

    def warm(self, name, url):
        """Until the permissions of a new URL are everywhere."""
        limit = time.monotonic() + 120
        while (answer := client.ask(url, "/hello")).status != 200:
            if time.monotonic() > limit:
                raise RuntimeError(f"'{name}' does not answer at {url}: {answer}, {answer.text[:200]}")
            time.sleep(2)

    def rehearse(self):
        """The commands of the checks, once each."""
        self.lines("buffered", "canary: after the reply to")
        self.errors("trailers")
        self.invoke("buffered", {"canary": 1})
        self.cloudfront()
        self.last_words("buffered")

    def delete(self):
        """What is left, or may be."""
        return self.clean() if self.stack.has_begun else []

    def clean(self):
        left = cloudfront.delete(self.aws, self.prefix, self.say) + self.stack.delete()
        self.say("nothing is left behind" if not left else f"try again: deploy/canary/canary --clean {self.prefix}")
        return left

    # --- what a check asks -------------------------------------------------------------------------------------------

    def ask(self, name, path, method="GET", **more):
        return client.ask(self.urls[name], path, method, **more)

    def ask_at(self, base, path):
        return client.ask(base, path, patience=60)

    def seen(self, name, *needles):
        """The lines of the function's log so far that have all of these."""
        found = self.aws(
            "logs", "filter-log-events", "--log-group-name", self.stack.log_group(PLACES[name]), "--start-time", self.since,
            dry={"events": [{"message": " ".join(needles)}]})
        messages = [event.get("message", "") for event in found.get("events", [])]
        return [one for one in messages if all(needle in one for needle in needles)]

    def lines(self, name, *needles, patience=None):
        """As seen, once there is one; none where none comes."""
        return self.wait(lambda: self.seen(name, *needles), min(self.patience, 120) if patience is None else patience) or []

    def wait(self, look, patience):
        limit = time.monotonic() + patience
        while not (found := look()) and time.monotonic() < limit:
            time.sleep(3)
        return found

    def reports(self, name, *needles):
        """Lambda's own records of invocations: platform.report."""
        reports = []
        for line in self.lines(name, "platform.report", *needles):
            try:
                reports.append(json.loads(line).get("record", {}))
            except ValueError:
                continue
        return reports

    def init(self, name):
        times = [one.get("metrics", {}).get("initDurationMs") for one in self.reports(name, "initDurationMs")]
        return next((time for time in times if time is not None), None)

    def fate(self, name, path, answer):
        for report in self.reports(name, answer.id):
            return " ".join(filter(None, (report.get("status"), report.get("errorType"))))
        return "no platform.report was found"

    def errors(self, name):
        """The metric Errors of this function, once its invocations are counted."""
        def count(metric):
            found = self.aws(
                "cloudwatch", "get-metric-statistics", "--namespace", "AWS/Lambda", "--metric-name", metric, "--dimensions",
                f"Name=FunctionName,Value={self.stack.function(PLACES[name])}", "--start-time", stamp(self.since / 1000 - 300),
                "--end-time", stamp(time.time() + 300), "--period", 60, "--statistics", "Sum",
                dry={"Datapoints": [{"Sum": 2}]})
            return int(sum(point.get("Sum", 0) for point in found.get("Datapoints", [])))

        # That which warmed it, and that which is asked.
        if not self.wait(lambda: count("Invocations") >= 2, self.patience):
            return "not counted yet"
        return count("Errors")

    def invoke(self, name, event):
        """What the function makes of an event without a front end: "response" or "error", and the bytes."""
        with tempfile.TemporaryDirectory(prefix="sluice-canary-") as folder:
            sent, got = pathlib.Path(folder) / "event.json", pathlib.Path(folder) / "reply.json"
            sent.write_text(json.dumps(event))
            end = self.aws(
                "lambda", "invoke", "--function-name", self.stack.function(PLACES[name]), "--payload", f"fileb://{sent}", got)
            payload = got.read_bytes() if got.exists() else b""
        return "error" if "FunctionError" in end else "response", payload

    def last_words(self, name):
        """Another configuration retires the sandboxes of the last one, sooner or later."""
        self.aws(
            "lambda", "update-function-configuration", "--function-name", self.stack.function(PLACES[name]), "--description",
            "the end of the canary's sandboxes")
        if not self.aws.dry:
            time.sleep(10)
            self.ask(name, "/hello")
        return self.lines(name, "canary: the sandbox ends", patience=self.patience)

    def cloudfront(self):
        """A distribution in front of wire/bootstrap; None without the option."""
        if self.with_cloudfront and not self.distribution:
            self.distribution = cloudfront.make(self.aws, self.prefix, self.urls["wire"], self.say)
        return self.distribution


def stamp(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))

