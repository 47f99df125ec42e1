# shellcheck shell=bash
# up, down, reset and the verbs that break things. Sourced by ../lab.

net_up() {
  local n i
  if [ ! -d /run/netns ]; then touch "$RUN/made-netns"; fi
  ip link show "$BR" >/dev/null 2>&1 || ip link add "$BR" type bridge forward_delay 0 stp_state 0 || die "cannot make a bridge: not root, or no CAP_NET_ADMIN"
  no_ipv6 "$BR"
  ip addr show dev "$BR" | grep -q "inet $HOSTIP/" || ip addr add "$HOSTIP/24" dev "$BR"
  ip link set "$BR" up
  for n in "${NODES[@]}"; do
    i=$(veth "$n")
    ip netns add "lab-$n" || die "cannot make a network namespace"
    ip link add "$i" type veth peer name eth0 netns "lab-$n" || die "cannot make a veth pair"
    no_ipv6 "$i"
    ip link set "$i" master "$BR" up
    ip -n "lab-$n" link set lo up
    ip -n "lab-$n" link set eth0 up
    ip -n "lab-$n" addr add "${IP[$n]}/24" dev eth0
    ip -n "lab-$n" route replace default via "$HOSTIP"
  done
}
no_ipv6() { [ ! -e "/proc/sys/net/ipv6/conf/$1/disable_ipv6" ] || echo 1 >"/proc/sys/net/ipv6/conf/$1/disable_ipv6"; }

boot() {
  local n=$1 u c _
  mkdir -p "$STATE"/{root,upper,scratch}/"$n" "$LAB_DATA/$n" "$RUN/pid"
  rm -rf "${STATE:?}"/{upper,scratch}/"$n"/*
  setsid nsenter --net="/run/netns/lab-$n" unshare --mount --uts --ipc --pid --fork --kill-child=SIGKILL \
    "$LAB_DIR/lib/boot.sh" "$n" </dev/null >"$STATE/boot-$n.log" 2>&1 &
  u=$!
  for _ in {1..200}; do
    c=$(tr -d ' ' 2>/dev/null <"/proc/$u/task/$u/children")
    [ -n "$c" ] && [ -S "/proc/$c/root/run/lab-init.sock" ] && { echo "$c" >"$RUN/pid/$n"; return 0; }
    kill -0 $u 2>/dev/null || break
    sleep 0.05
  done
  cat "$STATE/boot-$n.log" >&2
  die "$n did not boot"
}

# render_services INVENTORY: $STATE/rendered/<address>/<file>.cfg for every node
render_services() {
  local inv=$1 out=$STATE/rendered bin=${PGTUI:-} n
  rm -rf "$out.tmp"
  mkdir -p "$out.tmp"
  if [ -z "$bin" ]; then
    bin=$STATE/pgtui
    export HOME=${HOME:-/root} # CI may leave it unset, and go wants it
    PATH=$PATH:/usr/local/go/bin go build -C "$LAB_DIR/../.." -buildvcs=false -o "$bin" ./cmd/pgtui 9>&- ||
      die "pgtui does not build; PGTUI=FILE names one that is built"
  fi
  "$bin" render -i "$inv" --all --out "$out.tmp" --managed-at "2000-01-01 00:00:00" </dev/null >/dev/null 9>&- || die "$bin render failed"
  for n in "${NODES[@]}"; do
    compgen -G "$out.tmp/${IP[$n]}/*.cfg" >/dev/null || die "nothing was rendered for $n (${IP[$n]}) from $inv"
  done
  rm -rf "$out"
  mv "$out.tmp" "$out"
}
cmd_render() {
  state_dir
  render_services "$(inventory)"
  [ ! -d "$STATE/seed" ] || seed_services
  say "rendered $(find "$STATE/rendered" -name '*.cfg' | wc -l) files into $STATE/rendered"
}
seed_services() { # what a node's conf.d holds at boot and after reset
  local n d
  for n in "${NODES[@]}"; do
    d=$STATE/seed/$n/etc/haproxy/conf.d
    rm -rf "$d"
    install -d -m 700 "$d"
    install -m 644 "$STATE/rendered/${IP[$n]}"/*.cfg "$d"
  done
}

options() { echo "LAB_RELEASE=$LAB_RELEASE LAB_TLS=${LAB_TLS:-0} LAB_CUSTOM=${LAB_CUSTOM:-0} LAB_SYNC=${LAB_SYNC:-0} LAB_RTO=${LAB_RTO:-norm}"; }

cmd_up() {
  local n owner
  if any_up; then
    owner=$(cat "$RUN/owner" 2>/dev/null)
    if [ "$owner" != "$STATE" ] && [ -d "$owner" ] && [ "${1:-}" != --replace ]; then
      die "a lab is up already, from $owner: take it down, set LAB_STATE=$owner, or up --replace"
    elif [ "$owner" != "$STATE" ] || ! all_up; then
      say "taking down what is there"
      teardown
    elif [ "$(cat "$RUN/options")" != "$(options)" ]; then
      die "the lab is up with $(cat "$RUN/options"), not $(options): down first"
    fi
  fi
  if all_up; then
    start_all
    wait_ready
  else
    boot_all
    wait_ready
  fi
  wait_haproxy
  wait_for 20 vips || echo "lab: no VIP yet" >&2
  say "the lab is up: $LAB_RELEASE, pg-test is led by $(leader pg-test)"
}

boot_all() { # bootstraps both clusters anew
  local n
  ip route show 10.10.10.0/24 2>/dev/null | grep -v "dev $BR" | grep -q . && die "10.10.10.0/24 is in use on this host"
  cmd_install
  cmd_build_root
  teardown # leftovers of a lab that died
  state_dir
  rm -rf --one-file-system "${LAB_DATA:?}" # always from scratch: as quick as starting old data, and always the same
  /usr/bin/python3 "$LAB_DIR/lib/gen.py" || die "gen.py failed"
  n=$LAB_DIR/pigsty.yml
  [ ! -e "$STATE/pigsty.yml" ] || n=$STATE/pigsty.yml
  render_services "$n"
  seed_services
  say "configs generated"
  echo "$n" >"$RUN/inventory"
  echo "$STATE" >"$RUN/owner"
  echo "$LAB_RELEASE" >"$RUN/release"
  options >"$RUN/options"
  [ "${LAB_TLS:-0}" != 1 ] || touch "$RUN/tls"
  net_up
  say "network up"
  for n in "${NODES[@]}"; do (exec 9>&-; boot "$n") & done
  wait
  all_up || die "not every node booted"
  say "nodes booted"
  wait_for 20 curl -sf -m 1 http://10.10.10.10:2379/health || die "etcd is not healthy"
  # pg-test-1 must bootstrap first, so that it is the first leader, as in the inventory
  for n in pg-meta-1 pg-test-1; do inside "$n" systemctl start patroni; done
  wait_for 60 is200 pg-test-1 /primary || die "pg-test-1 did not bootstrap"
  say "pg-test-1 leads"
  for n in pg-test-2 pg-test-3; do inside "$n" systemctl start patroni; done
}

each() { # each CMD: CMD NODE for all nodes at once, without our lock; fails if one did
  local n p rc=0 pids=()
  for n in "${NODES[@]}"; do "$@" "$n" 9>&- & pids+=($!); done
  for p in "${pids[@]}"; do wait "$p" || rc=1; done
  return $rc
}
start_all() { # heal the links, thaw and start whatever does not run
  local n
  for n in "${NODES[@]}"; do ip link set "$(veth "$n")" up; done
  each heal_units || true
}
heal_units() { inside "$1" systemctl lab-heal; }
healthy() { wait_for 90 is200 "$1" /health || die "$1: PostgreSQL does not run"; }

wait_ready() { # PostgreSQL runs everywhere, both clusters have a leader, replicas stream, DCS settings as generated
  local c
  wait_for 60 leader pg-meta || die "pg-meta has no leader"
  wait_for 90 leader pg-test || die "pg-test has no leader"
  for c in pg-meta pg-test; do wait_for 20 dcs_config "$c" || die "$c: cannot set the dynamic configuration"; done
  each healthy || exit 1
  wait_for 90 settled || die "pg-test does not stream"
  say "Patroni ready"
}
dcs_config() { # undo what a test did to it: pause, synchronous mode, ...
  local want=$STATE/dcs-$1.json l
  l=$(leader "$1") || return
  cmp -s <(api "$l" /config | jq -S .) <(jq -S . "$want") ||
    api "$l" /config -f -u postgres:Patroni.API -XPUT -d "@$want" -o /dev/null
}
# settled: what the DCS says of members and lag is up to loop_wait (5 s) old; a change of nothing makes Patroni look now
settled() {
  local n l
  l=$(leader pg-test) || return # between two leaders
  for n in "$l" "${TEST_NODES[@]}"; do
    api "$n" /config -m 2 -u postgres:Patroni.API -XPATCH -d '{"loop_wait":5}' -o /dev/null || return
  done
  sleep 0.3
  streams
}
synchronous() { grep -q LAB_SYNC=1 "$RUN/options"; }
streams() { # every member of pg-test is a running leader or a replica with no lag to speak of, and nothing is paused
  local l
  l=$(leader pg-test) || return
  api "$l" /cluster | jq -e --argjson sync "$(synchronous && echo true || echo false)" '(.pause|not) and (.members|length) == 3 and
    all(.members[]; .role == "leader" or ((.state == "running" or .state == "streaming") and .lag < 1048576)) and
    (($sync|not) or any(.members[]; .role == "sync_standby"))'
}
ensure_leader() {
  local l end=$((SECONDS + 60))
  l=$(leader pg-test) || die "pg-test has no leader"
  [ "$l" = pg-test-1 ] && return
  # in synchronous mode the candidate must be the synchronous standby; which one that is, Patroni decides
  ! synchronous || api "$l" /config -f -u postgres:Patroni.API -XPATCH -d '{"synchronous_mode":false}' -o /dev/null
  until is200 pg-test-1 /primary; do
    [ $SECONDS -lt $end ] || die "pg-test-1 does not take over"
    (cmd_switchover pg-test pg-test-1) >/dev/null 2>&1 || true # a refused one is asked again
    wait_for 5 is200 pg-test-1 /primary
  done
  wait_for 20 dcs_config pg-test || die "pg-test: cannot set the dynamic configuration"
  wait_for 60 settled || die "pg-test does not stream after the switchover"
  say "pg-test-1 leads again"
}

svc_up() { # every backend UP, checks past INI (until then a fresh HAProxy sends 5433 to replicas too), one primary server, no backup serves
  curl -sf -m 2 -u admin:pigsty "http://${IP[$1]}:9101/haproxy/$1/;csv" | awk -F, -v sync="$(synchronous && echo 1)" '
    /^#/ || $1 == "stats" || (!sync && $1 ~ /-standby$/) || $2 == "FRONTEND" { next }
    { n++ }
    $2 == "BACKEND" { if ($18 != "UP") bad = 1; next }
    $37 ~ /INI/ { bad = 1 }
    $1 ~ /-(primary|default)$/ && $18 ~ /^UP/ { up[$1]++ }
    $1 ~ /-replica$/ && $18 != "UP" { bad = 1 }
    $1 ~ /-offline$/ && $20 == 1 && $18 != "UP" { bad = 1 } # its backup would serve meanwhile
    END { for (p in up) if (up[p] != 1) bad = 1; exit bad || !n }'
}
haproxy_serves() { wait_for 40 svc_up "$1" || die "$1: HAProxy does not serve"; }
wait_haproxy() {
  each haproxy_serves || exit 1
  say "HAProxy serves"
}
vips() { local a; for a in 10.10.10.2 10.10.10.3; do timeout 1 bash -c "</dev/tcp/$a/5433" || return; done; }

# pristine NODE: HAProxy runs exactly the rendered files, was never reloaded, and no server or frontend was touched by hand
pristine() {
  local p
  p=$(nodepid "$1") || return
  diff -qr -x errors "$STATE/seed/$1/etc/haproxy" "/proc/$p/root/etc/haproxy" >/dev/null || return
  inside "$1" sh -c 'echo show proc | socat - /run/haproxy-master.sock && echo --- && echo show servers state | socat - /run/haproxy.sock && echo show stat | socat - /run/haproxy.sock' 2>/dev/null | awk '
    /^---/ { servers = 1; next }
    /^pg-.*,FRONTEND,/ { split($0, col, ","); if (col[18] != "OPEN" || col[7] < 1000) bad = 1 }
    !servers && /old/ { old = 1 }
    !servers && $2 == "master" { if ($3 != 0) bad = 1; seen = 1 }
    !servers && old && $2 == "worker" { bad = 1 }
    servers && NF > 20 && $1 ~ /^[0-9]/ { if ($7 != 0 || $8 != $9 || ($14 != 6 && $14 != 7)) bad = 1 }
    END { exit bad || !seen }'
}
restore_haproxy() {
  local p
  p=/proc/$(nodepid "$1")/root
  rm -rf "$p/var/lib/pgtui" # a node that pgtui has never changed
  pristine "$1" && return
  find "$p/etc/haproxy" -mindepth 1 -maxdepth 1 ! -name errors -exec rm -rf {} +
  cp -a "$STATE/seed/$1/etc/haproxy/." "$p/etc/haproxy/" && inside "$1" systemctl restart haproxy
}

cmd_reset() {
  all_up || die "the lab is not up"
  start_all
  wait_ready
  ensure_leader
  each restore_haproxy || die "cannot restore a node's /etc/haproxy"
  wait_haproxy
  wait_for 20 vips || die "a VIP does not answer"
  say "reset"
}

runs() { local s; s=$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) && [[ $s != [ZX]* ]]; } # a zombie does not

teardown() {
  local n p i pids=()
  for n in "${NODES[@]}"; do p=$(nodepid "$n") && pids+=("$p"); done
  # and what else runs in our own network namespaces (lost pid files, somebody's `lab exec`)
  for n in "${NODES[@]}"; do
    [ ! -e "/run/netns/lab-$n" ] || for p in $(ip netns pids "lab-$n" 2>/dev/null); do pids+=("$p"); done
  done
  for p in "${pids[@]}"; do kill -9 "$p" 2>/dev/null; done
  for p in "${pids[@]}"; do for i in {1..200}; do runs "$p" || break; sleep 0.05; done; done
  for n in "${NODES[@]}"; do
    i=$(veth "$n")
    [ ! -e "/sys/class/net/$i" ] || ip link del "$i"
    [ ! -e "/run/netns/lab-$n" ] || ip netns del "lab-$n"
  done
  [ ! -e "/sys/class/net/$BR" ] || ip link del "$BR"
  if [ -e "$RUN/made-netns" ] && [ -z "$(ls -A /run/netns 2>/dev/null)" ]; then
    umount /run/netns 2>/dev/null
    rmdir /run/netns 2>/dev/null
  fi
  rm -rf "$RUN"/{pid,owner,release,options,inventory,tls,made-netns}
}
cmd_down() {
  local owner
  owner=$(cat "$RUN/owner" 2>/dev/null)
  teardown
  if [ "${1:-}" = --purge ]; then
    [ -e "$STATE/.lab" ] && rm -rf --one-file-system "$STATE"
    [ -z "$owner" ] || [ "$owner" = "$STATE" ] || echo "lab: kept $owner, purged $STATE" >&2
  fi
  rm -rf "$RUN"
  say "the lab is down"
}

cmd_status() {
  local n p up=0
  for n in "${NODES[@]}"; do
    p=$(nodepid "$n") || { echo "$n ${IP[$n]} down"; continue; }
    up=1
    printf '%-10s %-12s pid1=%-7s link=%-5s patroni=%s vip=%s\n' "$n" "${IP[$n]}" "$p" "$(cat "/sys/class/net/$(veth "$n")/operstate")" \
      "$(inside "$n" curl -s -k -m 2 "$(scheme "$n")://${IP[$n]}:8008/patroni" | jq -rc '[.role,.state,.timeline]|map(tostring)|join("/")' 2>/dev/null)" \
      "$(inside "$n" ip -br -4 addr show eth0 | grep -oE '10\.10\.10\.[23]/' | tr -d /)"
    inside "$n" systemctl list-units | sed 's/^/    /'
  done
  [ $up = 0 ] || echo "$(cat "$RUN/options") inventory=$(inventory)"
  [ $up = 1 ]
}

# cmd_component VERB NODE COMPONENT; `postgres` is the postmaster, which is no unit: Patroni owns it
cmd_component() {
  local verb=$1 n=$2 sig
  [ "$3" = postgres ] || { inside "$n" systemctl "$verb" "$3"; return; }
  case $verb in
    stop) inside "$n" su postgres -c '/usr/pgsql/bin/pg_ctl -D /pg/data -m fast -w stop' ;;
    start) inside "$n" su postgres -c '/usr/pgsql/bin/pg_ctl -D /pg/data -w start' ;;
    *)
      case $verb in kill) sig=KILL ;; freeze) sig=STOP ;; thaw) sig=CONT ;; esac
      # shellcheck disable=SC2016 # expanded in the node
      inside "$n" sh -c 'kill -$0 "$(head -1 /pg/data/postmaster.pid)"' "$sig"
      ;;
  esac
}
cmd_switchover() { # prints Patroni's own words; fails unless they come with 200
  local l out
  l=$(leader "$1") || die "no leader in $1"
  out=$(api "$l" /switchover -m 60 -u postgres:Patroni.API -XPOST -w ' (%{http_code})' \
    -d "{\"leader\":\"$l\"${2:+,\"candidate\":\"$2\"}}")
  echo "$out"
  [[ $out = *"(200)" ]]
}
