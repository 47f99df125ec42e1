#!/usr/bin/python3
"""Copy /pg/<cls>/leader from the etcd v3 keyspace to the v2 one.

Debian's vip-manager 1.0.2 speaks only the etcd v2 API, Patroni (etcd3:)
writes v3 keys. v2 keys get a TTL of 5s, so a dead mirror releases the VIP.
"""
import base64
import json
import sys
import time
import urllib.parse
import urllib.request

base, clusters = sys.argv[1], sys.argv[2:]
last = {}


def http(method, url, data=None):
    r = urllib.request.Request(url, data=data, method=method)
    with urllib.request.urlopen(r, timeout=2) as f:
        return f.read()


while True:
    for c in clusters:
        k = f"/pg/{c}/leader"
        try:
            d = json.loads(http("POST", base + "/v3/kv/range",
                                json.dumps({"key": base64.b64encode(k.encode()).decode()}).encode()))
            kv = d.get("kvs")
            v = base64.b64decode(kv[0]["value"]).decode() if kv else None
            if v:
                http("PUT", base + "/v2/keys" + k, urllib.parse.urlencode({"value": v, "ttl": 5}).encode())
            elif last.get(c):
                try:
                    http("DELETE", base + "/v2/keys" + k)
                except Exception:
                    pass
            if v != last.get(c):
                print(time.strftime("%H:%M:%S"), c, "leader", last.get(c), "->", v, flush=True)
            last[c] = v
        except Exception as e:
            print(time.strftime("%H:%M:%S"), c, "error", e, flush=True)
    time.sleep(0.5)
