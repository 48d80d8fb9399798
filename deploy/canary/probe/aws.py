"""The aws command, and how a run of many of them is interrupted."""
import contextlib
import json
import os
import re
import shlex
import signal
import subprocess

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupted(BaseException):
    """No Exception: a check that fails is a row of the table, one that is interrupted is not."""


class AwsError(Exception):
    def __init__(self, command, text):
        found = re.search(r"An error occurred \((\w+)\)", text)
        self.code = found[1] if found else "Unknown"
        super().__init__(f"{shlex.join(command[:4])} …: {text.strip().splitlines()[-1] if text.strip() else 'no word why'}")
        self.text = text

    @property
    def is_gone(self):
        return self.code in (
            "ResourceNotFoundException", "NoSuchEntity", "NotFoundException", "NoSuchDistribution", "NoSuchEntityException")


class Aws:
    def __init__(self, region, profile, dry, say):
        self.options = ["--output", "json"]
        if region:
            self.options += ["--region", region]
        if profile:
            self.options += ["--profile", profile]
        self.dry, self.say = dry, say
        self.is_busy = self.is_interrupted = False

    def __call__(self, *words, dry=None):
        """Runs one command: what it prints, read as JSON. A dry run prints the command, and takes `dry` for its result."""
        command = ["aws", *map(str, words), *self.options]
        if self.dry:
            print(shlex.join(command), flush=True)
            return dry if dry is not None else {}
        # A signal waits until the command has ended: nobody would know what it has made.
        self.is_busy = True
        try:
            # In a session of its own: Ctrl-C at a terminal goes to all of its processes.
            done = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, start_new_session=True, timeout=300,
                env={**os.environ, "AWS_PAGER": "", "AWS_RETRY_MODE": "standard", "AWS_MAX_ATTEMPTS": "6"})
        except FileNotFoundError:
            raise AwsError(command, "there is no aws command: install the AWS CLI") from None
        except subprocess.TimeoutExpired:
            raise AwsError(command, "no end after 300 s") from None
        finally:
            self.is_busy = False
        if self.is_interrupted:
            self.is_interrupted = False
            raise Interrupted("interrupted")
        if done.returncode != 0:
            raise AwsError(command, done.stderr or done.stdout)
        return json.loads(done.stdout) if done.stdout.strip() else {}

    @contextlib.contextmanager
    def interruptible(self):
        """Inside, SIGINT, SIGTERM and SIGHUP are raised as Interrupted. From its end on they are acknowledged, and what deletes goes on."""

        def interrupt(number, _):
            if self.is_busy:
                self.is_interrupted = True
            else:
                raise Interrupted(signal.Signals(number).name)

        def acknowledge(number, _):
            self.say(f"{signal.Signals(number).name}: still deleting, wait")

        for number in SIGNALS:
            signal.signal(number, interrupt)
        try:
            yield
        finally:
            for number in SIGNALS:
                signal.signal(number, acknowledge)
            self.is_interrupted = False
