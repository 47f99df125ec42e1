#!/usr/bin/python3
"""watch.py DIR SECONDS: DIR/timeline.tsv gets every change of HAProxy's server states and Patroni's answers on the pg-test nodes.

Polls at 150-200 ms. DIR/status/ gets one whole ;csv per distinct server status seen.
"""
import base64
import csv
import http.client
import io
import json
import os
import ssl
import sys
import threading
import time

NODES = {"pg-test-1": "10.10.10.11", "pg-test-2": "10.10.10.12", "pg-test-3": "10.10.10.13"}
CONTEXT = None
if os.path.exists("/run/pgtui-lab/tls"):
    CONTEXT = ssl.create_default_context(cafile=f"{os.environ['LAB_STATE']}/files/pki/ca/ca.crt")
FIELDS = ("role", "state", "timeline", "pause", "replication_state", "pending_restart")


class Log:
    def __init__(self, out):
        os.makedirs(f"{out}/status", exist_ok=True)
        self.out, self.start, self.lock, self.last = out, time.time(), threading.Lock(), {}
        self.file = open(f"{out}/timeline.tsv", "w", buffering=1)

    def elapsed(self):
        return time.time() - self.start

    def changed(self, key, value):
        with self.lock:
            if self.last.get(key) != value:
                self.last[key] = value
                self.file.write(f"{self.elapsed():7.2f}\t" + "\t".join((*key, *value)) + "\n")

    def status(self, name, text):
        path = f"{self.out}/status/{name.replace(' ', '_').replace('/', 'of')}.csv"
        if not os.path.exists(path):
            with open(path, "wb") as f:
                f.write(text)


def get(ip, port, path, auth=None, context=None, method="GET"):
    c = http.client.HTTPSConnection(ip, port, timeout=2, context=context) if context else http.client.HTTPConnection(ip, port, timeout=2)
    try:
        c.request(method, path, headers={"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()} if auth else {})
        r = c.getresponse()
        return r.status, r.read()
    finally:
        c.close()


def haproxy(log, node, seconds):
    while log.elapsed() < seconds:
        try:
            _, text = get(NODES[node], 9101, f"/haproxy/{node}/;csv", "admin:pigsty")
            for r in csv.DictReader(io.StringIO(text.decode().lstrip("# "))):
                if r["pxname"] == "stats" or r["svname"] == "FRONTEND":
                    continue
                log.changed((f"haproxy@{node}", f"{r['pxname']}/{r['svname']}"),
                            (r["status"], r["check_status"], r["check_code"], r["last_chk"], f"act{r['act']} bck{r['bck']}", f"w{r['weight']}", f"hc{r['check_health']}"))
                log.status(r["status"], text)
            log.changed((f"haproxy@{node}", "ERR"), ("",))
        except (OSError, http.client.HTTPException) as e:
            log.changed((f"haproxy@{node}", "ERR"), (f"{type(e).__name__}:{e}",))
        time.sleep(0.15)


def patroni(log, node, seconds):
    while log.elapsed() < seconds:
        for p in ("/primary", "/replica", "/patroni"):
            try:
                status, body = get(NODES[node], 8008, p, context=CONTEXT, method="GET" if p == "/patroni" else "OPTIONS")
                value = str(status)
                if p == "/patroni":
                    d = json.loads(body)
                    value += "".join(f" {k}={d.get(k)}" for k in FIELDS)
            except (OSError, http.client.HTTPException, ValueError) as e:
                value = f"{type(e).__name__}:{e}"
            log.changed((f"patroni@{node}", p), (value,))
        time.sleep(0.2)


def main():
    log, seconds = Log(sys.argv[1]), float(sys.argv[2])
    for n in NODES:
        for poll in (haproxy, patroni):
            threading.Thread(target=poll, args=(log, n, seconds), daemon=True).start()
    time.sleep(seconds)


main()
