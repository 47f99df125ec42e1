#!/usr/bin/python3
"""PID 1 of one lab node: reaps orphans and supervises a few services.

Reads /etc/lab/services.json, listens on /run/lab-init.sock for one JSON
request per connection ({"op": "...", "unit": "..."}); systemctl sends them.
"""
import grp
import json
import os
import pwd
import resource
import selectors
import signal
import socket
import struct
import subprocess
import sys
import time

CONF = "/etc/lab/services.json"
SOCK = "/run/lab-init.sock"
LOGD = "/var/log/lab"
os.makedirs(LOGD, exist_ok=True)


class Unit:
    def __init__(self, name, c):
        self.name, self.c = name, c
        self.pid = 0
        self.state = "inactive"      # inactive | active | failed
        self.want = False
        self.hold = False            # killed on purpose: no auto restart
        self.frozen = False          # SIGSTOP
        self.next = 0.0
        self.since = time.time()
        self.rc = None
        self.ready = True            # Type=notify bookkeeping
        self.status_text = ""
        self.notify = None

    def log(self, msg):
        with open(f"{LOGD}/{self.name}.log", "a") as f:
            f.write(time.strftime("%b %d %H:%M:%S ") + f"systemd[1]: {msg}\n")


units = {n: Unit(n, c) for n, c in json.load(open(CONF)).items()}
sel = selectors.DefaultSelector()
rpipe, wpipe = os.pipe()
os.set_blocking(rpipe, False)
os.set_blocking(wpipe, False)
signal.set_wakeup_fd(wpipe, warn_on_full_buffer=False)
stopping = False


def on_term(*_):
    global stopping
    stopping = True


for s in (signal.SIGCHLD, signal.SIGUSR1):
    signal.signal(s, lambda *_: None)
signal.signal(signal.SIGTERM, on_term)
signal.signal(signal.SIGINT, on_term)


def drop(user):
    pw = pwd.getpwnam(user)
    groups = [g.gr_gid for g in grp.getgrall() if user in g.gr_mem]
    return pw, [pw.pw_gid] + groups


def spawn(u):
    c = u.c
    out = os.open(f"{LOGD}/{u.name}.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    env = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/pgsql/bin",
           "LANG": "C.UTF-8", "HOME": "/root", "INVOCATION_ID": "lab"}
    env.update(c.get("env", {}))
    pw = groups = None
    if c.get("user"):
        pw, groups = drop(c["user"])
        env["HOME"], env["USER"], env["LOGNAME"] = pw.pw_dir, pw.pw_name, pw.pw_name
    if c.get("type") == "notify":
        p = f"/run/notify.{u.name}"
        if u.notify is None:
            try:
                os.unlink(p)
            except FileNotFoundError:
                pass
            u.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            u.notify.bind(p)
            os.chmod(p, 0o777)
            u.notify.setblocking(False)
            sel.register(u.notify, selectors.EVENT_READ, ("notify", u))
        env["NOTIFY_SOCKET"] = p
        u.ready = False
    pid = os.fork()
    if pid == 0:
        try:
            signal.set_wakeup_fd(-1)
            for s in (signal.SIGCHLD, signal.SIGUSR1, signal.SIGTERM, signal.SIGINT):
                signal.signal(s, signal.SIG_DFL)
            os.setsid()
            os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
            os.dup2(out, 1)
            os.dup2(out, 2)
            os.closerange(3, 256)
            n = c.get("nofile")
            if n:
                # raising the hard limit needs CAP_SYS_RESOURCE, which root in a container may lack
                n = min(n, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
                resource.setrlimit(resource.RLIMIT_NOFILE, (n, n))
            if pw:
                os.setgroups(groups)
                os.setgid(pw.pw_gid)
                os.setuid(pw.pw_uid)
            os.chdir(c.get("cwd", "/"))
            os.umask(0o022)
            os.execvpe(c["cmd"][0], c["cmd"], env)
        except BaseException as e:
            os.write(2, f"exec failed: {e}\n".encode())
            os._exit(203)
    os.close(out)
    u.pid, u.state, u.since, u.rc, u.frozen = pid, "active", time.time(), None, False


def send(u, sig):
    """to the whole process group, but for units whose children live on (Patroni's PostgreSQL, sshd's sessions)"""
    try:
        if u.c.get("kill_mode") == "process":
            os.kill(u.pid, sig)
        else:
            os.killpg(u.pid, sig)
    except (ProcessLookupError, PermissionError):
        pass


def run_check(u, which):
    """ExecStartPre / ExecReload check; returns (rc, output)."""
    cmd = u.c.get(which)
    if not cmd:
        return 0, ""
    p = subprocess.Popen(cmd, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        out, _ = p.communicate(timeout=20)
        rc = p.returncode
    except subprocess.TimeoutExpired:
        p.kill()
        out, rc = "timeout", 124
    except ChildProcessError:
        out, rc = "", 0
    with open(f"{LOGD}/{u.name}.log", "a") as f:
        f.write(out)
    return rc, out


def alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def reap():
    while True:
        try:
            pid, st = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if pid == 0:
            return
        for u in units.values():
            if u.pid == pid:
                rc = os.waitstatus_to_exitcode(st)
                u.rc, u.pid = rc, 0
                ok = rc == 0 or rc == -15 or rc in u.c.get("success", [])
                clean = not u.want
                u.state = "inactive" if (clean or ok) else "failed"
                u.since = time.time()
                u.log(f"{u.name}.service: Main process exited, status={rc}")
                if u.want and not u.hold:
                    r = u.c.get("restart", "no")
                    if r == "always" or (r == "on-failure" and not ok):
                        u.next = time.time() + u.c.get("restart_sec", 5)


def pump(t):
    """serve children and notify sockets for t seconds while an op is waiting"""
    end = time.time() + t
    while time.time() < end:
        reap()
        for u in units.values():
            if u.notify:
                read_notify(u)
        time.sleep(0.02)


def read_notify(u):
    try:
        while True:
            d = u.notify.recv(4096).decode(errors="replace")
            for line in d.splitlines():
                if line == "READY=1":
                    u.ready = True
                elif line == "RELOADING=1":
                    u.ready = False
                elif line.startswith("STATUS="):
                    u.status_text = line[7:]
    except BlockingIOError:
        pass


def start(u):
    u.want, u.hold, u.next = True, False, 0
    if u.pid and alive(u.pid):
        return 0, ""
    rc, out = run_check(u, "pre")
    if rc:
        u.state, u.rc = "failed", rc
        u.log(f"{u.name}.service: Control process exited, code=exited, status={rc}/FAILURE")
        u.log(f"Failed to start {u.name}.service - {u.c['desc']}.")
        if u.c.get("restart", "no") != "no":
            u.next = time.time() + u.c.get("restart_sec", 5)
        return 1, (f"Job for {u.name}.service failed because the control process exited with error code.\n"
                   f"See \"systemctl status {u.name}.service\" and \"journalctl -xeu {u.name}.service\" for details.\n")
    spawn(u)
    if u.c.get("type") == "notify":
        for _ in range(250):
            pump(0.02)
            if u.ready or not u.pid:
                break
    return 0, ""


def stop(u, sig=signal.SIGTERM):
    u.want, u.next = False, 0
    if not (u.pid and alive(u.pid)):
        u.state = "inactive"
        return 0, ""
    pid = u.pid
    os.kill(pid, sig)
    send(u, signal.SIGCONT)
    u.frozen = False
    for _ in range(int(u.c.get("stop_timeout", 15) * 20)):
        pump(0.05)
        if not u.pid:
            break
    else:
        os.kill(pid, signal.SIGKILL)
        pump(0.1)
    if u.c.get("kill_mode") != "process":
        try:
            os.killpg(pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            pass
    u.state = "inactive"
    return 0, ""


def reload_(u):
    if not (u.pid and alive(u.pid)):
        return 1, f"{u.name}.service is not active, cannot reload.\n"
    rc, out = run_check(u, "pre_reload")
    if rc:
        u.log(f"{u.name}.service: Control process exited, code=exited, status={rc}/FAILURE")
        u.log(f"Reload failed for {u.name}.service - {u.c['desc']}.")
        return 1, (f"Job for {u.name}.service failed.\n"
                   f"See \"systemctl status {u.name}.service\" and \"journalctl -xeu {u.name}.service\" for details.\n")
    if not u.c.get("reload_sig"):
        return 1, f"Failed to reload {u.name}.service: Job type reload is not applicable for unit {u.name}.service.\n"
    if u.c.get("type") == "notify":
        u.ready = False
    os.kill(u.pid, u.c["reload_sig"])
    u.log(f"Reloaded {u.name}.service - {u.c['desc']}.")
    return 0, ""


def handle(req, uid):
    op, name = req.get("op"), req.get("unit", "").removesuffix(".service")
    if op == "list":
        return {"rc": 0, "units": {n: info(u) for n, u in units.items()}}
    if op == "daemon-reload":
        return {"rc": 0}
    if op == "lab-heal" and uid == 0:
        try:
            os.kill(-1, signal.SIGCONT)  # everybody on this node
        except ProcessLookupError:
            pass
        rc = 0
        for u in units.values():
            u.frozen = False
            rc = start(u)[0] or rc
        return {"rc": rc}
    if name not in units:
        if op in ("is-active",):
            return {"rc": 3, "out": "inactive\n"}
        if op == "status":
            return {"rc": 4, "err": f"Unit {name}.service could not be found.\n"}
        return {"rc": 5, "err": f"Failed to {op} {name}.service: Unit {name}.service not found.\n"}
    u = units[name]
    if uid != 0 and op not in ("status", "is-active", "info", "show"):
        return {"rc": 1, "err": f"Failed to {op} {name}.service: Interactive authentication required.\n"
                f"See system logs and 'systemctl status {name}.service' for details.\n"}
    rc, err = 0, ""
    if op == "start":
        rc, err = start(u)
    elif op == "stop":
        rc, err = stop(u)
    elif op == "restart":
        stop(u)
        rc, err = start(u)
    elif op in ("reload", "reload-or-restart"):
        if op == "reload-or-restart" and not u.pid:
            rc, err = start(u)
        else:
            rc, err = reload_(u)
    elif op == "kill":                      # lab verb: SIGKILL main pid and keep it dead
        u.hold = True
        if u.pid:
            send(u, signal.SIGKILL)
            pump(0.1)
        u.state = "failed"
    elif op in ("freeze", "thaw"):
        if not u.pid:
            return {"rc": 1, "err": f"Failed to {op} {name}.service: not running.\n", "info": info(u)}
        send(u, signal.SIGSTOP if op == "freeze" else signal.SIGCONT)
        u.frozen = op == "freeze"
    elif op in ("is-active", "status", "info", "show"):
        pass
    elif op in ("enable", "disable"):
        pass
    else:
        return {"rc": 1, "err": f"Unknown operation {op}.\n"}
    return {"rc": rc, "err": err, "info": info(u)}


def info(u):
    return {"state": u.state, "pid": u.pid, "since": u.since, "rc": u.rc, "ready": u.ready,
            "status": u.status_text, "hold": u.hold, "frozen": u.frozen, "desc": u.c.get("desc", u.name)}


srv = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
try:
    os.unlink(SOCK)
except FileNotFoundError:
    pass
srv.bind(SOCK)
os.chmod(SOCK, 0o666)
srv.listen(32)
srv.setblocking(False)
sel.register(srv, selectors.EVENT_READ, ("srv", None))
sel.register(rpipe, selectors.EVENT_READ, ("wake", None))

for u in units.values():
    if u.c.get("autostart", True):
        start(u)

while not stopping:
    for key, _ in sel.select(timeout=0.5):
        kind, arg = key.data
        if kind == "wake":
            try:
                while os.read(rpipe, 512):
                    pass
            except BlockingIOError:
                pass
        elif kind == "notify":
            read_notify(arg)
        else:
            try:
                conn, _ = srv.accept()
            except BlockingIOError:
                continue
            try:
                conn.settimeout(3)
                _, uid, _ = struct.unpack("3i", conn.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
                req = json.loads(conn.recv(65536))
                conn.sendall(json.dumps(handle(req, uid)).encode())
            except Exception as e:
                try:
                    conn.sendall(json.dumps({"rc": 1, "err": f"lab-init: {e!r}\n"}).encode())
                except OSError:
                    pass
            finally:
                conn.close()
    reap()
    now = time.time()
    for u in units.values():
        if u.want and not u.hold and not u.pid and u.next and now >= u.next:
            u.next = 0
            start(u)
sys.exit(0)
