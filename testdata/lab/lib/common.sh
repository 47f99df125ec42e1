# shellcheck shell=bash
# shellcheck disable=SC2034 # used by the files sourced beside this one
# Nodes, paths and small helpers. Sourced by ../lab, which sets LAB_DIR.

declare -A IP=([pg-meta-1]=10.10.10.10 [pg-test-1]=10.10.10.11 [pg-test-2]=10.10.10.12 [pg-test-3]=10.10.10.13)
NODES=(pg-meta-1 pg-test-1 pg-test-2 pg-test-3)
TEST_NODES=(pg-test-1 pg-test-2 pg-test-3)
BR=labbr0
HOSTIP=10.10.10.1
RUN=/run/pgtui-lab # what is up now: lock, pids, owner (the state directory), release, options

START=${EPOCHREALTIME/[.,]/}
die() { echo "lab: $*" >&2; exit 1; }
say() {
  local d=$((${EPOCHREALTIME/[.,]/} - START))
  [ -n "${LAB_QUIET:-}" ] || printf '[%3d.%ds] %s\n' $((d / 1000000)) $((d / 100000 % 10)) "$*"
}

# adopt COMMAND: which state directory. Commands that act on a running lab use the one it was started with.
adopt() {
  STATE=${LAB_STATE:-$LAB_DIR/.state}
  [[ $STATE = /* ]] || STATE=$PWD/$STATE
  [[ $1 = up || $1 = render || -n ${LAB_STATE:-} || ! -s $RUN/owner ]] || STATE=$(<$RUN/owner)
  export LAB_DIR LAB_STATE=$STATE
}

state_dir() { { mkdir -p "$STATE" && touch "$STATE/.lab"; } || die "cannot write $STATE"; } # .lab: `down --purge` may remove it

# release COMMAND: only install, build-root and up read LAB_RELEASE, everything else uses what is up.
release() {
  local host
  host=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
  case $1 in
    install | build-root | up) LAB_RELEASE=${LAB_RELEASE:-bookworm} ;;
    *) LAB_RELEASE=$(cat $RUN/release 2>/dev/null || echo bookworm) ;;
  esac
  case $LAB_RELEASE in
    bookworm) LAB_PGV=15 ;;
    trixie) LAB_PGV=17 ;;
    *) die "LAB_RELEASE: bookworm or trixie, not $LAB_RELEASE" ;;
  esac
  LAB_DATA=$STATE/data
  LAB_LOWER=/ # bookworm on a bookworm host: the nodes share the host's root
  [ "$LAB_RELEASE/$host" = bookworm/bookworm ] || LAB_LOWER=${LAB_ROOTS:-/var/cache/pgtui-lab/roots}/$LAB_RELEASE
  export LAB_RELEASE LAB_PGV LAB_DATA LAB_LOWER
}

# lock: one changing command at a time on this machine; `down` removes the file, so look whether ours is still the one
lock() {
  while :; do
    mkdir -p $RUN
    exec 9>>$RUN/lock || die "cannot write $RUN/lock"
    flock -w "${LAB_LOCK_WAIT:-180}" 9 || die "another lab command is busy (lock $RUN/lock)"
    [ "$(stat -Lc %i /dev/fd/9)" = "$(stat -c %i $RUN/lock 2>/dev/null)" ] && return
  done
}

# hold CMD...: run it while nobody else holds the lab; those who do not ask are not kept out
hold() {
  local f=$RUN.hold rc
  if [ -z "${LAB_HELD:-}" ]; then
    while :; do
      exec 8>>"$f" || die "cannot write $f"
      flock -n 8 || { say "the lab is held by another: waiting" >&2; flock -w "${LAB_HOLD_WAIT:-1800}" 8; } || die "the lab is still held"
      [ "$(stat -Lc %i /dev/fd/8)" = "$(stat -c %i "$f" 2>/dev/null)" ] && break
    done
  fi
  LAB_HELD=1 "$@" 8>&-
  rc=$?
  [ -n "${LAB_HELD:-}" ] || rm -f "$f"
  return $rc
}

# apart CMD...: run it where a second lab can be up beside the one of this machine: its network is its own, and so is /run, which has the lab's
# state and locks, the network namespaces, and ssh's shared connections, which would lead to the other lab's nodes of the same addresses. All of
# /run: the other lab removes its directories there, and that would take away what is mounted on them
apart() {
  [ "$(id -u)" = 0 ] || die "apart: must be root"
  exec unshare --net --mount --propagation private sh -c \
    '{ mount -t sysfs none /sys || true; } && mount -t tmpfs -o mode=755 none /run && mkdir -m 700 /run/user /run/pgtui-lab && mkdir /run/netns /run/lock && ip link set lo up && exec "$@"' \
    - env LAB_HELD=1 XDG_RUNTIME_DIR=/run/user "$@"
}

node() { # name of a node, given its name, address or last octet
  local n
  for n in "${NODES[@]}"; do
    case $1 in "$n" | "${IP[$n]}" | "${IP[$n]##*.}") echo "$n"; return ;; esac
  done
  die "no such node: $1"
}
veth() { echo "labv${IP[$1]##*.}"; }

nodepid() { # PID 1 of a node, only if it is really ours
  local p h argv # no process is started for this: `reset` asks often
  { read -r p <"$RUN/pid/$1" && mapfile -d '' -t argv <"/proc/$p/cmdline" && read -r h <"/proc/$p/root/etc/hostname"; } 2>/dev/null || return 1
  [[ "${argv[*]}" = *lab/nodeinit.py* || "${argv[*]}" = *lib/boot.sh* ]] && [ "$h" = "$1" ] && echo "$p"
}
any_up() { local n; for n in "${NODES[@]}"; do nodepid "$n" >/dev/null && return 0; done; return 1; }
all_up() { local n; for n in "${NODES[@]}"; do nodepid "$n" >/dev/null || return 1; done; }

inside() { # inside NODE CMD...: as root, in all its namespaces
  local n=$1 p
  shift
  p=$(nodepid "$n") || die "$n is not up"
  nsenter -t "$p" -m -u -i -n -p -r -w -- env -i HOME=/root LANG=C.UTF-8 TERM="${TERM:-dumb}" \
    PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/usr/pgsql/bin "$@"
}

scheme() { if [ -e $RUN/tls ] && [[ $1 = pg-test* ]]; then echo https; else echo http; fi; }
api() { # api NODE PATH [curl args]
  local n=$1 p=$2
  shift 2
  curl -s -m 3 --cacert "$STATE/files/pki/ca/ca.crt" "$@" "$(scheme "$n")://${IP[$n]}:8008$p"
}
code() { api "$1" "$2" -m 1 -o /dev/null -w '%{http_code}'; }
is200() { [ "$(code "$1" "$2")" = 200 ]; }
leader() { local n; for n in "${NODES[@]}"; do [[ $n = "$1"-* ]] && is200 "$n" /primary && { echo "$n"; return; }; done; return 1; }
wait_for() { # wait_for SECONDS CMD...
  local end=$((SECONDS + $1))
  shift
  until "$@" >/dev/null 2>&1; do [ $SECONDS -lt $end ] || return 1; sleep 0.2; done
}
inventory() { if [ -s "$RUN/inventory" ]; then cat $RUN/inventory; else echo "$LAB_DIR/pigsty.yml"; fi; }
