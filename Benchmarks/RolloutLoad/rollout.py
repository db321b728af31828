# SPDX-License-Identifier: Apache-2.0
# Copyright the Ballast authors
"""How long a release takes to notice that it is ready, or what is wrong.

rollout.py BALLAST DATA [ROUNDS]: releases a small app by the binary to the cluster of the data folder. Readiness is what a
watch of another client shows (the Python client, its own connection); a fault is timed from the moment at which its cause
begins to count, as the release foretold it (`suspected.counts` of its events).
"""

import datetime
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import threading
import time

import kubernetes

BALLAST, DATA = sys.argv[1:3]
ROUNDS = int(sys.argv[3]) if len(sys.argv) > 3 else 5
NAMESPACE = "bench-rollout"

PAGE = """mkdir -p /www; echo '{text}' > /www/index.html
trap 'exit 0' TERM
/bin/busybox httpd -f -p 8080 -h /www &
wait
"""

# What is added to the app file below `deploy`, and the program.
FAULTS = {
    "missing secret": ("    env: { KEY: { secretRef: no-such, key: k } }\n", PAGE.format(text="x")),
    "too much cpu": ("    resources: { requests: { cpu: '5000' } }\n", PAGE.format(text="x")),
    "no storage class": (
        "    volumes: [{ name: data, mountPath: /data, size: 1Mi, storageClass: no-such }]\n",
        PAGE.format(text="x"),
    ),
    "crash loop": ("", "echo cannot open the ledger; exit 42\n"),
}


def write(folder, name, deploy, script):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "ballast.yaml").write_text(
        f"""apiVersion: ballast.dev/v1alpha1
kind: App
metadata: {{ name: {name}, namespace: {NAMESPACE} }}
spec:
  image:
    repository: localhost:5000/bench/{name}
    build:
      run: 'true'
      files:
        - {{ from: /bin/busybox, to: /bin/busybox, libraries: true }}
        - {{ from: run.sh, to: /run.sh }}
      entrypoint: [/bin/busybox, sh, /run.sh]
  deploy:
    deadline: 60s
    terminationGracePeriod: 1s
    ports: [{{ name: http, port: 8080 }}]
    probes: {{ readiness: {{ http: /index.html, period: 1s }} }}
{deploy}"""
    )
    (folder / "run.sh").write_text(script.replace("mkdir", "/bin/busybox mkdir"))


def release(folder):
    return subprocess.Popen(
        [BALLAST, "release", str(folder), "-o", "json", "--data", DATA],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def is_ready(deployment):
    status, wanted = deployment.status, deployment.spec.replicas
    return (
        (status.observed_generation or 0) >= deployment.metadata.generation
        and (status.replicas or 0) == wanted
        and (status.updated_replicas or 0) == wanted
        and (status.available_replicas or 0) == wanted
    )


class Eye(threading.Thread):
    """Notes when another client sees each generation of the deployment ready."""

    def __init__(self, name):
        super().__init__(daemon=True)
        self.name_, self.seen = name, {}

    def run(self):
        apps = kubernetes.client.AppsV1Api()
        while True:
            for event in kubernetes.watch.Watch().stream(apps.list_namespaced_deployment, NAMESPACE):
                deployment = event["object"]
                if deployment.metadata.name == self.name_ and is_ready(deployment):
                    self.seen.setdefault(deployment.metadata.generation, time.monotonic())


def ready_to_exit(folder):
    eye = Eye("ready")
    eye.start()
    apps, late = kubernetes.client.AppsV1Api(), []
    for number in range(ROUNDS + 1):
        write(folder, "ready", "", PAGE.format(text=f"round {number}"))
        process = release(folder)
        words = process.stderr.read()
        code, end = process.wait(), time.monotonic()
        if code != 0:
            sys.exit(f"the release failed with {code}: {words[-2000:]}")
        generation = apps.read_namespaced_deployment("ready", NAMESPACE).metadata.generation
        for _ in range(500):
            if generation in eye.seen:
                break
            time.sleep(0.01)
        # The first round has no watch yet of a namespace that is new.
        if number > 0:
            late.append((end - eye.seen[generation]) * 1000)
    print(f"ready, as another client sees it, to the end of the release: {spread(late)} ms, median of {ROUNDS}")


def spread(values):
    return f"{statistics.median(values):.0f} ({min(values):.0f} to {max(values):.0f})"


def instant(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


def fault_to_cause(folder, name, deploy, script):
    late, code = [], "?"
    for number in range(ROUNDS):
        # Each round is a first release: what an earlier one left broken would count again.
        app = f"{name.replace(' ', '-')}-{number}"
        write(folder / app, app, deploy, script)
        process = release(folder / app)
        events = []
        for line in process.stderr.read().splitlines():
            try:
                events.append(json.loads(line))
            except ValueError:
                continue
        if process.wait() == 0:
            sys.exit(f"{name}: the release succeeded")
        named = next((event for event in events if event.get("event") == "diagnosed"), None)
        if named is None:
            sys.exit(f"{name}: nothing was diagnosed: {json.dumps(events[-3:])}")
        code, counted = named["code"], None
        for event in events:
            if event.get("event") != "health":
                continue
            for target in event.get("objects", []):
                suspected = target.get("suspected") or {}
                if target.get("kind") == "Deployment" and suspected.get("code") == code and suspected.get("counts"):
                    counted = instant(suspected["counts"])
        if counted is not None:
            late.append((instant(named["time"]) - counted) * 1000)
    if late:
        print(f"{name}: {code}, {spread(late)} ms after it began to count, median of {len(late)}")
    else:
        print(f"{name}: {code}, counted at once")


def main():
    kubernetes.config.load_kube_config(os.path.join(DATA, "kubeconfig"))
    with tempfile.TemporaryDirectory() as folder:
        ready_to_exit(pathlib.Path(folder) / "ready")
        for name, (deploy, script) in FAULTS.items():
            fault_to_cause(pathlib.Path(folder), name, deploy, script)


main()
