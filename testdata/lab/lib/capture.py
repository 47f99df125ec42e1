#!/usr/bin/python3
"""capture.py DIR [NODE...]: write down what Patroni and HAProxy of every node answer, in the form of ../captures/."""
import base64
import concurrent.futures
import http.client
import os
import ssl
import subprocess
import sys
import time

LAB, STATE = os.environ["LAB_DIR"], os.environ["LAB_STATE"]
NODES = {"pg-meta-1": "10.10.10.10", "pg-test-1": "10.10.10.11", "pg-test-2": "10.10.10.12", "pg-test-3": "10.10.10.13"}
TLS = os.path.exists("/run/pgtui-lab/tls")
DOCS = ["/patroni", "/", "/health", "/liveness", "/readiness", "/history", "/config", "/metrics", "/failsafe", "/cluster"]
PATHS = ["/primary", "/master", "/leader", "/replica", "/read-only", "/read-write", "/sync", "/synchronous", "/async", "/asynchronous",
         "/standby-leader", "/standby_leader", "/read-only-sync", "/quorum", "/read-only-quorum", "/replica?lag=0", "/health", "/liveness",
         "/readiness", "/", "/patroni", "/nosuch"]
COMMANDS = {"show stat": "show_stat.csv", "show servers state": "show_servers_state.txt", "show info": "show_info.txt"}


def request(ip, port, method, path, context=None, auth=None):
    """status or "ERR:…", head, body, seconds"""
    c = http.client.HTTPSConnection(ip, port, timeout=4, context=context) if context else http.client.HTTPConnection(ip, port, timeout=4)
    start = time.time()
    try:
        c.request(method, path, headers={"Authorization": "Basic " + base64.b64encode(auth.encode()).decode()} if auth else {})
        r = c.getresponse()
        body = r.read()
        head = f"HTTP/1.{r.version % 10} {r.status} {r.reason}\n" + "".join(f"{k}: {v}\n" for k, v in r.getheaders())
        return r.status, head, body, time.time() - start
    except (OSError, http.client.HTTPException) as e:
        return f"ERR:{type(e).__name__}:{e}", "", b"", time.time() - start
    finally:
        c.close()


def patroni(out, node):
    ip, rows = NODES[node], []
    context = ssl.create_default_context(cafile=f"{STATE}/files/pki/ca/ca.crt") if TLS and node.startswith("pg-test") else None
    for p in DOCS:
        status, head, body, took = request(ip, 8008, "GET", p, context)
        with open(f"{out}/patroni-{node}-{p.strip('/') or 'root'}.http", "wb") as f:
            f.write(f"# GET {p} {took * 1000:.1f}ms\n{head or f'{status}' + chr(10)}\n".encode() + body)
    for p in PATHS:
        r = [request(ip, 8008, m, p, context) for m in ("OPTIONS", "GET", "HEAD")]
        rows.append("\t".join([node, p, *(str(x[0]) for x in r), f"{r[0][3] * 1000:.0f}ms", str(len(r[0][2])), str(len(r[1][2]))]))
        if isinstance(r[0][0], str):  # unreachable: once is enough
            break
    return rows


def haproxy(out, node):
    status, _, body, _ = request(NODES[node], 9101, "GET", f"/haproxy/{node}/;csv", auth="admin:pigsty")
    with open(f"{out}/haproxy-{node}-stats.csv", "wb") as f:
        f.write(body or f"{status}\n".encode())
    for cmd, name in COMMANDS.items():
        p = subprocess.run([f"{LAB}/lab", "exec", node, "sh", "-c", f"echo '{cmd}' | socat - /run/haproxy.sock"],
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        with open(f"{out}/haproxy-{node}-{name}", "wb") as f:
            f.write(p.stdout)


def main():
    out, nodes = sys.argv[1], sys.argv[2:] or list(NODES)
    os.makedirs(out, exist_ok=True)
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        pending = [pool.submit(haproxy, out, n) for n in nodes]
        rows = sum(pool.map(lambda n: patroni(out, n), nodes), [])
        for p in pending:
            p.result()
    with open(f"{out}/patroni-codes.tsv", "w") as f:
        f.write("node\tpath\tOPTIONS\tGET\tHEAD\topt_time\topt_bodylen\tget_bodylen\n" + "\n".join(rows) + "\n")


main()
