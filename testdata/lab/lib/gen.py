#!/usr/bin/python3
"""Write the lab's keys, certificates and every node's configuration below $LAB_STATE, from the inventory.

base/ and seed/NODE/ are copied over a node's root at boot. The HAProxy service files are not written here:
`pgtui render` makes them.
"""
import json
import os
import resource
import shutil
import subprocess

import yaml

LAB = os.environ["LAB_DIR"]
STATE = os.environ["LAB_STATE"]
LOWER = os.environ["LAB_LOWER"]
PGV = int(os.environ["LAB_PGV"])
TLS, CUSTOM, SYNC = (os.environ.get(f"LAB_{x}", "0") == "1" for x in ("TLS", "CUSTOM", "SYNC"))
RTO = os.environ.get("LAB_RTO", "norm")
HOST = "10.10.10.1"  # this machine's end of the bridge

# Pigsty's plan but for `fast`, where it writes 0.5s: HAProxy refuses the decimals
RTO_PLAN = {
    "fast": [20, 5, 5, 15, 5, "1s", "500ms", "1s", 3, 3],
    "norm": [30, 5, 10, 25, 5, "2s", "1s", "2s", 3, 3],
}

# Pigsty: maxconn 65535, which takes 131k file descriptors; haproxy refuses to start when it cannot get them
HARD = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
MAXCONN = 65535 if HARD < 0 or HARD > 132000 else max(1000, (HARD - 1000) // 2)


def w(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)


def read(path):
    with open(path) as f:
        return f.read()


def sh(*argv):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if p.returncode:
        raise SystemExit(f"gen.py: {argv[0]}: {p.stdout}")


def inventory():
    """The committed inventory, or its variant for LAB_TLS, LAB_CUSTOM and LAB_RTO, which goes to $LAB_STATE."""
    text, variant = read(f"{LAB}/pigsty.yml"), f"{STATE}/pigsty.yml"
    extra = ""
    if TLS:
        extra += "        patroni_ssl_enabled: true\n"
    if CUSTOM:
        extra += ("        pg_services:\n          - { name: standby ,port: 5435 ,dest: postgres ,check: /sync ,selector: \"[]\" "
                  ",backup: \"[? pg_role == `primary`]\" }\n")
    if RTO != "norm":
        plan = "".join(f"      {k}: {json.dumps(v)}\n" for k, v in RTO_PLAN.items())
        text = text.replace("    pg_rto: norm ", f"    pg_rto_plan: # HAProxy takes no decimals\n{plan}    pg_rto: {RTO} ")
    if extra or RTO != "norm":
        at = text.index("\n", text.index("pg_cluster: pg-test")) + 1
        w(variant, text[:at] + extra + text[at:])
    elif os.path.exists(variant):
        os.unlink(variant)
    return yaml.safe_load(text[:at] + extra + text[at:] if extra else text)["all"]


class Node:
    def __init__(self, ip, host, var):
        self.ip, self.var = ip, var
        self.cls, self.seq, self.role = var["pg_cluster"], host["pg_seq"], host["pg_role"]
        self.ins = f"{self.cls}-{self.seq}"
        self.vip = var["pg_vip_address"].split("/")[0]
        self.users = [(u["name"], u["password"]) for u in var["pg_users"]]
        self.db = var["pg_databases"][0]["name"]
        self.tls = bool(var.get("patroni_ssl_enabled"))
        self.seed = f"{STATE}/seed/{self.ins}"


def nodes(top):
    out = []
    for group in top["children"].values():
        var = {**top["vars"], **group.get("vars", {})}
        if "pg_cluster" in var:
            out += [Node(ip, h, var) for ip, h in group["hosts"].items()]
    return out


def keys(all_nodes):
    os.makedirs(f"{STATE}/keys", mode=0o700, exist_ok=True)
    hosts = ""
    for name in ["admin"] + [n.ins for n in all_nodes]:
        if not os.path.exists(f"{STATE}/keys/{name}"):
            sh("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"lab {name}", "-f", f"{STATE}/keys/{name}")
    for n in all_nodes:
        kind, key = read(f"{STATE}/keys/{n.ins}.pub").split()[:2]
        hosts += f"{n.ip},{n.ins} {kind} {key}\n"
    w(f"{STATE}/known_hosts", hosts)
    w(f"{STATE}/ssh_config", "".join(f"Host {n.ins}\n  HostName {n.ip}\n" for n in all_nodes) + f"""Host 10.10.10.* pg-*
  User dba
  IdentityFile "{STATE}/keys/admin"
  IdentitiesOnly yes
  UserKnownHostsFile "{STATE}/known_hosts"
  GlobalKnownHostsFile /dev/null
  StrictHostKeyChecking yes
  BatchMode yes
  ConnectTimeout 3
""")


def pki(all_nodes):
    """files/pki as on Pigsty's admin node: a CA and a certificate an instance."""
    ca, pg = f"{STATE}/files/pki/ca", f"{STATE}/files/pki/pgsql"
    os.makedirs(ca, exist_ok=True)
    os.makedirs(pg, exist_ok=True)
    ec = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    if not os.path.exists(f"{ca}/ca.crt"):
        sh("openssl", "req", "-x509", *ec, "-days", "3650", "-subj", "/O=pigsty/OU=ca/CN=pigsty-ca",
           "-keyout", f"{ca}/ca.key", "-out", f"{ca}/ca.crt",
           "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign")
    for n in all_nodes:
        c = f"{pg}/{n.ins}"
        if os.path.exists(f"{c}.crt"):
            continue
        w(f"{c}.ext", f"subjectAltName=DNS:localhost,DNS:{n.ins},DNS:{n.cls},IP:127.0.0.1,IP:{n.ip}\n"
                      "basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n")
        sh("openssl", "req", "-new", *ec, "-subj", f"/O=pigsty/OU=pgsql/CN={n.ins}", "-keyout", f"{c}.key", "-out", f"{c}.csr")
        sh("openssl", "x509", "-req", "-in", f"{c}.csr", "-CA", f"{ca}/ca.crt", "-CAkey", f"{ca}/ca.key",
           "-CAcreateserial", "-days", "3650", "-extfile", f"{c}.ext", "-out", f"{c}.crt")
        os.unlink(f"{c}.ext")
        os.unlink(f"{c}.csr")


def base(all_nodes, admin):
    """What every node has."""
    b = f"{STATE}/base"
    shutil.rmtree(b, ignore_errors=True)

    def accounts(name, line):  # the root's own, less what is called dba or admin there, and ours
        keep = [x for x in read(f"{LOWER}/etc/{name}").splitlines() if x.split(":")[0] not in ("dba", "admin")]
        return "\n".join(keep + [line, ""])

    w(f"{b}/etc/passwd", accounts("passwd", "dba:x:88:88:pigsty admin:/home/dba:/bin/bash"))
    w(f"{b}/etc/group", accounts("group", "admin:x:88:dba"))
    w(f"{b}/etc/shadow", accounts("shadow", "dba:*:19000:0:99999:7:::"), 0o640)
    os.chown(f"{b}/etc/shadow", 0, 42)  # Debian's group shadow
    w(f"{b}/etc/sudoers.d/admin", "%admin ALL=(ALL) NOPASSWD: ALL\n", 0o440)
    for f in ("systemctl", "journalctl"):
        w(f"{b}/usr/bin/{f}", read(f"{LAB}/lib/{f}"), 0o755)
    real = f"{LOWER}/usr/bin/journalctl"
    if os.path.exists(real):
        os.makedirs(f"{b}/usr/lib/lab", exist_ok=True)
        shutil.copy(real, f"{b}/usr/lib/lab/journalctl")  # behind the look-alike, for journals that a test writes
    for f in ("nodeinit.py", "etcd-v2-mirror.py"):
        w(f"{b}/usr/lib/lab/{f}", read(f"{LAB}/lib/{f}"), 0o755)
    w(f"{b}/etc/ssh/lab_authorized_keys", read(f"{STATE}/keys/admin.pub"))
    w(f"{b}/etc/ssh/lab_sshd_config", """Port 22
ListenAddress 0.0.0.0
HostKey /etc/ssh/lab_host_key
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile /etc/ssh/lab_authorized_keys
UsePAM yes
UseDNS no
PrintMotd no
MaxStartups 100:30:300
MaxSessions 100
AcceptEnv LANG LC_*
PidFile /run/sshd.pid
Subsystem sftp internal-sftp
""")
    hosts = "127.0.0.1 localhost\n" + "".join(f"{n.ip} {n.ins}\n" for n in all_nodes)
    hosts += "".join(f"{v} {c}\n" for c, v in vips(all_nodes).items()) + f"{admin} i.pigsty\n"
    w(f"{b}/etc/hosts", hosts)
    w(f"{b}/etc/resolv.conf", f"nameserver {admin}\noptions timeout:1 attempts:1\n")
    w(f"{b}/etc/default/locale", "LANG=C.UTF-8\n")
    os.symlink(f"/usr/lib/postgresql/{PGV}", f"{b}/usr/pgsql")  # as Pigsty does


def vips(all_nodes):
    return {n.cls: n.vip for n in all_nodes}


HAPROXY = """# ansible managed: 2000-01-01 00:00:00
# {ins} @ {ip}

#=====================================================================
# Global settings
#=====================================================================
global
    user        haproxy
    group       haproxy
    node        {ins}
    pidfile     /var/run/haproxy.pid
    stats socket /var/run/haproxy.sock mode 600 level admin
    maxconn     {maxconn}                       # maximum per-process number of concurrent connections

#---------------------------------------------------------------------
# default settings
#---------------------------------------------------------------------
defaults
    mode               tcp
    retries            3            # max retry connect to upstream
    timeout queue      3s           # maximum time to wait in the queue for a connection slot to be free
    timeout connect    3s           # maximum time to wait for a connection attempt to a server to succeed
    timeout client     24h           # client connection timeout
    timeout server     24h           # server connection timeout
    timeout check      3s           # health check timeout

#---------------------------------------------------------------------
# users and auth
#---------------------------------------------------------------------
userlist stats-auth
    group admin users {user}
    user {user}  insecure-password {password}
    group readonly users haproxy
    user haproxy insecure-password haproxy

#---------------------------------------------------------------------
# stats and exporter
#---------------------------------------------------------------------
listen stats                                # both frontend and a backend for statistics
    bind *:9101  # default haproxy exporter port
    mode  http                              # server in http mode
    stats enable                            # enable stats page on http://127.0.0.1:9101
    stats hide-version
    stats uri /haproxy/{ins}/
    stats refresh 30s                       # refresh stats page every 30 seconds
    stats show-node
    acl AUTH       http_auth(stats-auth)
    acl AUTH_ADMIN http_auth_group(stats-auth) admin
    stats http-request auth unless AUTH
    stats admin if AUTH_ADMIN
    http-request use-service prometheus-exporter if {{ path /metrics }}
"""


def haproxy(n):
    cfg = HAPROXY.format(ins=n.ins, ip=n.ip, maxconn=MAXCONN, user=n.var["haproxy_admin_username"], password=n.var["haproxy_admin_password"])
    w(f"{n.seed}/etc/haproxy/haproxy.cfg", cfg)
    os.chmod(f"{n.seed}/etc/haproxy", 0o700)


def dcs(n):
    """Patroni's dynamic configuration, as Pigsty's tiny.yml has it."""
    ttl, loop, retry, start = RTO_PLAN[RTO][:4]
    return {
        "ttl": ttl, "loop_wait": loop, "retry_timeout": retry, "primary_start_timeout": start,
        "maximum_lag_on_failover": 1048576, "maximum_lag_on_syncnode": -1, "primary_stop_timeout": 30,
        "synchronous_mode": SYNC and n.cls == "pg-test", "synchronous_mode_strict": False, "failsafe_mode": True,
        "pg_version": PGV, "pg_cluster": n.cls, "pg_shard": n.cls, "pg_group": 0,
        "postgresql": {"use_slots": True, "use_pg_rewind": True, "remove_data_directory_on_rewind_failure": True, "parameters": {
            "max_connections": 100, "superuser_reserved_connections": 5, "shared_buffers": "32MB",
            "wal_level": "logical", "wal_log_hints": "on", "max_wal_senders": 10, "max_replication_slots": 10,
            "min_wal_size": "80MB", "max_wal_size": "256MB", "wal_keep_size": "64MB",
            "fsync": "off", "full_page_writes": "on", "password_encryption": "scram-sha-256",
            "logging_collector": "on", "log_destination": "csvlog", "log_directory": "/pg/log/postgres", "log_filename": "postgresql-%a.log",
            "hot_standby_feedback": "on"}},
    }


def patroni(n, all_nodes, admin):
    replicator = {"username": n.var["pg_replication_username"], "password": n.var["pg_replication_password"]}
    restapi = {
        "listen": f"{n.ip}:8008", "connect_address": f"{n.ip}:8008",
        "authentication": {"username": n.var["patroni_username"], "password": n.var["patroni_password"]},
        # Pigsty's list, and this machine
        "allowlist": sorted({HOST, admin} | {m.ip for m in all_nodes if m.cls == n.cls}),
    }
    if n.tls:
        restapi.update(cafile="/pg/cert/ca.crt", certfile="/pg/cert/server.crt", keyfile="/pg/cert/server.key", verify_client="none")
    conf = {
        "namespace": "/pg/", "name": n.ins, "scope": n.cls, "log": {"level": "INFO", "dir": "/pg/log/patroni", "file_size": 33554432, "file_num": 4, "dateformat": "%Y-%m-%d %H:%M:%S %z"},
        "etcd3": {"hosts": f"{admin}:2379", "protocol": "http"},
        "ctl": {"insecure": False, "cacert": "/pg/cert/ca.crt"} if n.tls else {"insecure": True},
        "restapi": restapi,
        "tags": {"nofailover": False, "clonefrom": True, "noloadbalance": False, "nosync": False,
                 "version": str(PGV), "spec": "2C.4G.50G", "conf": n.var["pg_conf"]},
        "watchdog": {"mode": "off"},
        "bootstrap": {"method": "initdb", "initdb": ["data-checksums", {"encoding": "UTF8"}, {"locale": "C"}, "no-sync"],
                      "post_init": "/pg/bin/pg-init", "dcs": dcs(n)},
        "postgresql": {
            "bin_dir": "/usr/pgsql/bin", "data_dir": "/pg/data", "config_dir": "/pg/data", "custom_conf": "/etc/lab/pg.conf",
            "pgpass": "/pg/tmp/.pgpass", "listen": "0.0.0.0:5432", "connect_address": f"{n.ip}:5432", "use_unix_socket": True,
            "parameters": {"unix_socket_directories": "/var/run/postgresql, /tmp"},
            "authentication": {"superuser": {"username": "postgres"}, "replication": replicator, "rewind": replicator},
            "use_pg_rewind": True, "remove_data_directory_on_rewind_failure": True,
            "create_replica_methods": ["basebackup"], "basebackup": [{"checkpoint": "fast"}, "no-sync"],
            "pg_hba": ["local all all trust", "local replication all trust",
                       "host all all 127.0.0.1/32 scram-sha-256", "host replication all 127.0.0.1/32 scram-sha-256",
                       "host all all 10.10.10.0/24 scram-sha-256", "host replication all 10.10.10.0/24 scram-sha-256"],
        },
    }
    w(f"{n.seed}/etc/patroni/patroni.yml", yaml.safe_dump(conf, sort_keys=False, width=200))
    # lab.node: who answered. Not among Patroni's parameters: a Patroni restarted over a running PostgreSQL loses names it does not know
    w(f"{n.seed}/etc/lab/pg.conf", f"include_if_exists '/pg/data/postgresql.base.conf'\nlab.node = '{n.ins}'\n")
    # post_init runs before Patroni would create the replicator
    sql = (f"CREATE ROLE {replicator['username']} REPLICATION LOGIN PASSWORD '{replicator['password']}';\n"
           "GRANT EXECUTE ON FUNCTION pg_ls_dir(text,boolean,boolean), pg_stat_file(text,boolean), "
           f"pg_read_binary_file(text), pg_read_binary_file(text,bigint,bigint,boolean) TO {replicator['username']};\n"
           "CREATE ROLE dbrole_readonly NOLOGIN;\nCREATE ROLE dbrole_offline NOLOGIN;\n"
           "CREATE ROLE dbrole_readwrite NOLOGIN IN ROLE dbrole_readonly;\n"
           "CREATE ROLE dbrole_admin NOLOGIN IN ROLE pg_monitor, dbrole_readwrite;\n"
           f"CREATE ROLE {n.var['pg_admin_username']} SUPERUSER LOGIN PASSWORD '{n.var['pg_admin_password']}';\n"
           f"CREATE ROLE {n.var['pg_monitor_username']} LOGIN PASSWORD '{n.var['pg_monitor_password']}' IN ROLE pg_monitor, dbrole_readonly;\n")
    for u in n.var["pg_users"]:
        sql += f"CREATE ROLE {u['name']} LOGIN PASSWORD '{u['password']}' IN ROLE {', '.join(u['roles'])};\n"
    sql += f"CREATE DATABASE {n.db} OWNER {n.users[0][0]};\n"
    w(f"{n.seed}/etc/lab/pg-init", f"#!/bin/bash\nset -e\npsql -v ON_ERROR_STOP=1 -d \"$1\" <<'SQL'\n{sql}SQL\n", 0o755)


def pgbouncer(n):
    w(f"{n.seed}/etc/pgbouncer/pgbouncer.ini", f"""[databases]
%include /etc/pgbouncer/database.txt

[pgbouncer]
pool_mode                   = transaction
listen_addr                 = 0.0.0.0
listen_port                 = 6432
admin_users                 = postgres, {n.var['pg_admin_username']}
stats_users                 = postgres, {n.var['pg_monitor_username']}
auth_type                   = scram-sha-256
auth_file                   = /etc/pgbouncer/userlist.txt
unix_socket_dir             = /run/postgresql
pidfile                     = /run/postgresql/pgbouncer.pid
logfile                     = /pg/log/pgbouncer/pgbouncer.log
max_client_conn             = 1000
default_pool_size           = 10
server_login_retry          = 1
log_connections             = 0
log_disconnections          = 0
ignore_startup_parameters   = extra_float_digits, application_name
""")
    w(f"{n.seed}/etc/pgbouncer/database.txt", "".join(f"{d} = host=/var/run/postgresql\n" for d in (n.db, "postgres")))
    users = n.users + [(n.var[f"pg_{r}_username"], n.var[f"pg_{r}_password"]) for r in ("admin", "monitor")]
    w(f"{n.seed}/etc/pgbouncer/userlist.txt", "".join(f'"{u}" "{p}"\n' for u, p in users))


def vip_manager(n, admin):
    w(f"{n.seed}/etc/default/vip-manager.yml", f"""interval: 1000
trigger-key: "/pg/{n.cls}/leader"
trigger-value: "{n.ins}"
ip: {n.vip}
netmask: 24
interface: {n.var['pg_vip_interface']}
manager-type: basic
dcs-type: etcd
dcs-endpoints:
  - http://{admin}:2379
retry-num: 2
retry-after: 250
verbose: false
""")


def services(n, all_nodes, admin):
    """services.json: the units that nodeinit.py runs."""
    hap = ["/usr/sbin/haproxy", "-Ws", "-f", "/etc/haproxy/haproxy.cfg", "-f", "/etc/haproxy/conf.d"]
    extra = ["-S", "/run/haproxy-master.sock"]
    units = {}
    if n.ip == admin:
        u = f"http://{admin}"
        units["etcd"] = dict(desc="etcd", user="etcd", restart="on-failure", restart_sec=1, cmd=[
            "/usr/bin/etcd", "--name", "etcd-1", "--data-dir", "/var/lib/etcd/lab", "--enable-v2=true",
            "--listen-client-urls", f"{u}:2379,http://127.0.0.1:2379", "--advertise-client-urls", f"{u}:2379",
            "--listen-peer-urls", f"{u}:2380", "--initial-advertise-peer-urls", f"{u}:2380",
            "--initial-cluster", f"etcd-1={u}:2380", "--auto-compaction-retention", "1", "--log-level", "warn", "--logger", "zap"])
        units["etcd-v2-mirror"] = dict(desc="etcd v3 leader keys for vip-manager", restart="always", restart_sec=1, cmd=[
            "/usr/bin/python3", "/usr/lib/lab/etcd-v2-mirror.py", f"{u}:2379", *vips(all_nodes)])
        units["dnsmasq"] = dict(desc="dnsmasq", restart="on-failure", cmd=["/usr/sbin/dnsmasq", "-k", "-C", "/etc/lab/dnsmasq.conf"])
        w(f"{n.seed}/etc/lab/dnsmasq.conf", "hostsdir=/etc/dnsmasq.d/pigsty\nno-hosts\nno-resolv\nbogus-priv\nbind-interfaces\n"
          f"listen-address=127.0.0.1,{admin}\nport=53\nuser=dnsmasq\ngroup=nogroup\n")
        names = {m.ins: m.ip for m in all_nodes} | vips(all_nodes)
        for name, ip in names.items():
            w(f"{n.seed}/etc/dnsmasq.d/pigsty/{name}", f"{ip} {name}\n")
    units["sshd"] = dict(desc="OpenBSD Secure Shell server", restart="on-failure", kill_mode="process",
                         cmd=["/usr/sbin/sshd", "-D", "-e", "-f", "/etc/ssh/lab_sshd_config"])
    # as Pigsty's unit: the reload checks first, then USR2
    units["haproxy"] = dict(desc="HAProxy Load Balancer", restart="always", restart_sec=5, type="notify", nofile=4194304,
                            success=[143], reload_sig=12, cmd=hap + extra, pre=hap + ["-c", "-q"] + extra, pre_reload=hap + ["-c", "-q"] + extra)
    units["pgbouncer"] = dict(desc="A lightweight connection pooler for PostgreSQL", user="postgres", restart="on-failure", reload_sig=1,
                              nofile=65536, cmd=["/usr/sbin/pgbouncer", "/etc/pgbouncer/pgbouncer.ini"])
    units["patroni"] = dict(desc="Runners to orchestrate a high-availability PostgreSQL", user="postgres", restart="no", kill_mode="process",
                            reload_sig=1, stop_timeout=60, autostart=False, cwd="/pg", cmd=["/usr/bin/patroni", "/etc/patroni/patroni.yml"])
    units["vip-manager"] = dict(desc="vip-manager", restart="on-failure", cmd=["/usr/bin/vip-manager", "--config=/etc/default/vip-manager.yml"])
    w(f"{n.seed}/etc/lab/services.json", json.dumps(units, indent=1))


def main():
    top = inventory()
    admin = top["vars"]["admin_ip"]
    all_nodes = nodes(top)
    keys(all_nodes)
    pki(all_nodes)
    base(all_nodes, admin)
    for n in all_nodes:
        shutil.rmtree(n.seed, ignore_errors=True)
        w(f"{n.seed}/etc/hostname", n.ins + "\n")
        w(f"{n.seed}/etc/ssh/lab_host_key", read(f"{STATE}/keys/{n.ins}"), 0o600)
        haproxy(n)
        patroni(n, all_nodes, admin)
        pgbouncer(n)
        vip_manager(n, admin)
        services(n, all_nodes, admin)
        w(f"{STATE}/dcs-{n.cls}.json", json.dumps(dcs(n)))


main()
