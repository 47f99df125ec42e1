# shellcheck shell=bash
# Packages of the host, and the root that nodes of another Debian release run on.

# what drives the lab; a bare container has none of it
HOST_PKGS=(ansible-core openssh-client util-linux iproute2 procps curl jq openssl python3 python3-yaml postgresql-client tmux debootstrap
  keepalived) # reads what `access --emit keepalived` writes
# what a node runs; %s is PostgreSQL's version
NODE_PKGS=(postgresql-%s patroni etcd-server etcd-client pgbouncer haproxy openssh-server openssh-client vip-manager dnsmasq-base
  systemd-journal-remote sudo socat procps iproute2 iputils-arping curl jq openssl python3 python3-etcd ca-certificates less)
DAEMONS=(patroni etcd pgbouncer haproxy vip-manager ssh keepalived) # units that those packages enable

wanted_pkgs() {
  printf '%s\n' "${HOST_PKGS[@]}"
  # shellcheck disable=SC2059 # the list is the format
  [ "$LAB_LOWER" != / ] || printf "${NODE_PKGS[*]}\n" "$LAB_PGV" | tr ' ' '\n'
}
missing_pkgs() {
  local p
  for p in $(wanted_pkgs | sort -u); do
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || echo "$p"
  done
}

# apt_install PACKAGE...: without starting a daemon, without a PostgreSQL cluster, and with policy-rc.d as it was
apt_install() (
  rc=/usr/sbin/policy-rc.d cc=/etc/postgresql-common/createcluster.conf
  # shellcheck disable=SC2317,SC2329 # run by the trap
  restore() { rm -f "$rc"; [ ! -e "$rc.lab" ] || mv "$rc.lab" "$rc"; }
  if ! { [ -x $rc ] && ! $rc haproxy start >/dev/null 2>&1; }; then
    [ ! -e $rc ] || mv $rc $rc.lab
    trap restore EXIT
    trap 'exit 130' INT TERM
    printf '#!/bin/sh\nexit 101\n' >$rc && chmod 755 $rc || exit 1
  fi
  [ -e $cc ] || { mkdir -p ${cc%/*} && echo "create_main_cluster = false" >$cc; }
  export DEBIAN_FRONTEND=noninteractive
  apt=(apt-get -q -o DPkg::Lock::Timeout=600)
  "${apt[@]}" update || "${apt[@]}" update # with what is listed so far if the mirror is out of reach
  "${apt[@]}" install -y --no-install-recommends "$@"
) </dev/null 9>&-

cmd_install() {
  local miss=() had=() u
  mapfile -t miss < <(missing_pkgs)
  [ ${#miss[@]} -gt 0 ] || { [ "${cmd:-}" != install ] || say "nothing to install"; return 0; }
  any_up && die "install: the lab is up, and its nodes see the host's root: down first"
  command -v apt-get >/dev/null || die "install: not a Debian"
  for u in "${DAEMONS[@]}"; do [ -e "/lib/systemd/system/$u.service" ] && had+=("$u"); done
  state_dir
  say "installing ${#miss[@]} packages"
  apt_install "${miss[@]}" >"$STATE/install.log" 2>&1 || { tail -5 "$STATE/install.log" >&2; die "apt-get failed, see $STATE/install.log"; }
  mapfile -t miss < <(missing_pkgs)
  [ ${#miss[@]} = 0 ] || die "still missing: ${miss[*]}"
  if [ -d /run/systemd/system ]; then # a whole machine: the host's own daemons stay off at its next boot too
    for u in "${DAEMONS[@]}"; do [[ " ${had[*]} " = *" $u "* ]] || systemctl disable "$u" >/dev/null 2>&1; done
  fi
  say "packages installed"
}

# has_root: the root is there, with every package of NODE_PKGS
has_root() {
  local p
  # shellcheck disable=SC2046,SC2059 # one word a package; the list is the format
  for p in $(printf "${NODE_PKGS[*]}" "$LAB_PGV"); do
    grep -qs "^$p " "$LAB_LOWER/etc/lab-versions" || return 1
  done
}

cmd_build_root() {
  local log=$STATE/build-root.log
  [ "$LAB_LOWER" != / ] || { [ "${cmd:-}" != build-root ] || say "$LAB_RELEASE: the nodes share the host's root"; return 0; }
  has_root && { [ "${cmd:-}" != build-root ] || say "already built: $LAB_LOWER"; return 0; }
  cmd_install
  state_dir
  mkdir -p "${LAB_LOWER%/*}" || die "cannot write ${LAB_LOWER%/*}: set LAB_ROOTS"
  rm -rf --one-file-system "$LAB_LOWER.tmp"
  mkdir "$LAB_LOWER.tmp"
  say "building $LAB_LOWER"
  # mount and pid namespaces of its own: debootstrap's mounts and ours, and any daemon that starts after all, end with it
  # shellcheck disable=SC2046,SC2059 # one word a package; the list is the format
  unshare --mount --pid --fork --kill-child bash "$LAB_DIR/lib/build-root.sh" "$LAB_LOWER.tmp" "$LAB_RELEASE" \
    $(printf "${NODE_PKGS[*]}" "$LAB_PGV") >"$log" 2>&1 </dev/null 9>&- || { tail -5 "$log" >&2; die "build-root failed, see $log"; }
  rm -rf --one-file-system "$LAB_LOWER" # one that lacks a package
  mv "$LAB_LOWER.tmp" "$LAB_LOWER"
  say "built $LAB_LOWER ($(du -sh "$LAB_LOWER" | cut -f1))"
}
