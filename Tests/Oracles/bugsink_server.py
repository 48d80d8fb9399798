#!/usr/bin/env python3
"""A real error server for the tests: bugsink with a strict schema, on a loopback port, in a folder that goes with it.

    bugsink_server.py --worker sync|gthread [--threads 4] [--keep-alive 5] [--certfile FILE --keyfile FILE]

Prints `READY <port>` and then obeys lines on stdin: `events` prints one line of JSON, an array of the stored events;
`envelopes` an array of what came in, refused ones included; `log` the server's log as one string; `quit`, or the end of
stdin, stops it. An event that the strict schema refuses is answered 200 all the same: `events` lacks it, `log` says why.
The DSN is http://00000000000000000000000000000001@127.0.0.1:<port>/1. Needs the venv that scripts/oracles makes.
"""
import argparse
import ctypes
import json
import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import textwrap
import threading
import time

sys.dont_write_bytecode = True
from oracle_venv import use_the_venv  # noqa: E402

KEY = "00000000000000000000000000000001"
CONF = """
    from bugsink.settings.default import *  # noqa
    from bugsink.app_settings import CB_NOBODY

    SECRET_KEY = "only-for-tests-only-for-tests-only-for-tests-only-for-tests"
    DATABASES["default"]["NAME"] = {folder!r} + "/db.sqlite3"
    DATABASES["default"]["OPTIONS"]["timeout"] = 20
    DATABASES["snappea"]["NAME"] = {folder!r} + "/snappea.sqlite3"
    SNAPPEA = {{"TASK_ALWAYS_EAGER": True}}
    EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    TIME_ZONE = "UTC"
    BUGSINK = {{
        "BASE_URL": "http://127.0.0.1:{port}",
        "SINGLE_USER": True,
        "SINGLE_TEAM": True,
        "USER_REGISTRATION": CB_NOBODY,
        "PHONEHOME": False,
        "VALIDATE_ON_DIGEST": "strict",
        "KEEP_ENVELOPES": 10_000,
        "INGEST_STORE_BASE_DIR": {folder!r} + "/ingestion",
        # No quota: a test may send what it likes.
        **{{name: 10_000_000 for name in (
            "MAX_EVENTS_PER_PROJECT_PER_5_MINUTES", "MAX_EVENTS_PER_PROJECT_PER_HOUR",
            "MAX_EVENTS_PER_PROJECT_PER_MONTH", "MAX_EVENTS_PER_5_MINUTES", "MAX_EVENTS_PER_HOUR", "MAX_EVENTS_PER_MONTH")}},
    }}
"""
# The two migrations and the project, in one process: starting Django is what takes the time.
SETUP = """
    import os, sys
    sys.path.insert(0, os.getcwd())
    os.environ["DJANGO_SETTINGS_MODULE"] = "bugsink_conf"
    import django
    django.setup()
    from django.core.management import call_command
    call_command("migrate", verbosity=0, interactive=False)
    call_command("migrate", database="snappea", verbosity=0, interactive=False)
    import uuid
    from projects.models import Project
    Project.objects.create(id=1, name="tests", slug="tests", sentry_key=uuid.UUID("{key}"), retention_max_event_count=1_000_000)
"""


def rows(database, query):
    connection = sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=20)
    connection.row_factory = sqlite3.Row
    try:
        return [dict(row) for row in connection.execute(query)]
    finally:
        connection.close()


def events(database):
    tags = {}
    for row in rows(database, "select t.event_id as id, k.key as key, v.value as value from tags_eventtag t "
                              "join tags_tagvalue v on v.id = t.value_id join tags_tagkey k on k.id = v.key_id"):
        tags.setdefault(row["id"], {})[row["key"]] = row["value"]
    result = []
    for row in rows(database, "select * from events_event order by project_digest_order, digested_at"):
        row["tags"] = tags.get(row["id"], {})
        row["type"], row["value"] = row["calculated_type"], row["calculated_value"]
        row["data"] = json.loads(row["data"])
        result.append(row)
    return result


def envelopes(database):
    return [{"ingested_at": row["ingested_at"], "data": bytes(row["data"]).decode("utf-8", "replace")}
            for row in rows(database, "select * from ingest_envelope order by id")]


def end_with_parent():
    """A killed parent takes gunicorn along; its worker then ends by itself."""
    try:
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)      # PR_SET_PDEATHSIG
    except (OSError, AttributeError):
        pass                                            # not Linux


def start(options, folder):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    port = listener.getsockname()[1]
    with open(os.path.join(folder, "bugsink_conf.py"), "w") as file:
        file.write(textwrap.dedent(CONF).format(folder=folder, port=port))
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SENTRY_", "DJANGO_", "GUNICORN_"))}
    environment.update(HOME=folder, TMPDIR=folder, PYTHONDONTWRITEBYTECODE="1", PYTHONPATH=folder,
                       DJANGO_SETTINGS_MODULE="bugsink_conf")
    log = open(os.path.join(folder, "log"), "wb")
    common = dict(cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
    subprocess.run([sys.executable, "-c", textwrap.dedent(SETUP).format(key=KEY)], check=True, **common)
    command = [sys.executable, "-m", "gunicorn", "--bind", f"fd://{listener.fileno()}", "--workers", "1",
               "--worker-class", options.worker, "--keep-alive", str(options.keep_alive), "--graceful-timeout", "1",
               "--worker-tmp-dir", folder, "--no-control-socket"]
    if options.worker == "gthread":
        command += ["--threads", str(options.threads)]
    if options.certfile:
        command += ["--certfile", os.path.abspath(options.certfile), "--keyfile", os.path.abspath(options.keyfile)]
    command.append("bugsink.wsgi")
    server = subprocess.Popen(command, pass_fds=[listener.fileno()], start_new_session=True,
                              preexec_fn=end_with_parent, **common)
    listener.close()
    return server, port


def wait_until_it_answers(server, port, options):
    """A bare connection is not enough: the kernel accepts before a worker has been loaded."""
    import http.client
    import ssl
    limit = time.monotonic() + 60
    while time.monotonic() < limit and server.poll() is None:
        try:
            if options.certfile:
                connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=ssl._create_unverified_context())
            else:
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", "/health/ready", headers={"Connection": "close"})
            connection.getresponse().read()
            return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("gunicorn does not answer")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--worker", choices=["sync", "gthread"], default="sync")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--keep-alive", type=int, default=5, help="seconds; sync workers have none")
    parser.add_argument("--certfile")
    parser.add_argument("--keyfile")
    options = parser.parse_args()
    if bool(options.certfile) != bool(options.keyfile):
        parser.error("--certfile and --keyfile go together")
    use_the_venv("bsmain")

    # SIGTERM takes the way out that cleans up.
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(143))
    folder = tempfile.mkdtemp(prefix="bugsink-")
    server = None
    status = 0
    stopping = threading.Event()
    try:
        server, port = start(options, folder)
        wait_until_it_answers(server, port, options)

        def ends_with_the_server():
            server.wait()
            if not stopping.is_set():
                os.kill(os.getpid(), signal.SIGTERM)

        threading.Thread(target=ends_with_the_server, daemon=True).start()
        print(f"READY {port}", flush=True)
        database = os.path.join(folder, "db.sqlite3")
        for line in sys.stdin:
            command = line.strip()
            if command == "quit":
                break
            if command == "events":
                print(json.dumps(events(database)), flush=True)
            elif command == "envelopes":
                print(json.dumps(envelopes(database)), flush=True)
            elif command == "log":
                with open(os.path.join(folder, "log"), "rb") as file:
                    print(json.dumps(file.read().decode("utf-8", "replace")), flush=True)
            elif command:
                print(json.dumps({"error": f"no such command: {command}"}), flush=True)
    except (RuntimeError, subprocess.CalledProcessError) as error:
        print(f"bugsink_server: {error}", file=sys.stderr)
        with open(os.path.join(folder, "log"), "rb") as file:
            sys.stderr.write(file.read().decode("utf-8", "replace")[-4000:])
        status = 1
    finally:
        # From here on nothing interrupts the clean-up, least of all the news that the server has ended.
        stopping.set()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if server:
            end(server)
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(status)


def end(server):
    """gunicorn and its worker, by their session."""
    for number, patience in ((signal.SIGTERM, 3), (signal.SIGKILL, 3)):
        try:
            os.killpg(server.pid, number)
        except ProcessLookupError:
            return
        try:
            server.wait(patience)
        except subprocess.TimeoutExpired:
            pass


if __name__ == "__main__":
    main()
