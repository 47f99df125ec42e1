#!/bin/bash
# build-root.sh DIR SUITE PACKAGE...: a node's root; runs in mount and pid namespaces of its own.
# KEEP_DOCS=1 keeps what packages have for readers, as a bare Debian does.
# shellcheck disable=SC2016 # apt's and dpkg's own format strings
set -eu
root=$1 suite=$2
shift 2

mirror() { # the one this host's apt uses for Debian itself
  local host
  host=$(. /etc/os-release && echo "$VERSION_CODENAME")
  { apt-get indextargets --format '$(REPO_URI)' "Created-By: Packages" "Codename: $host" "Label: Debian" 2>/dev/null
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources 2>/dev/null
    sed -n 's/^deb *\(\[[^]]*\] *\)\?\([^ ]*\).*/\2/p' /etc/apt/sources.list 2>/dev/null
  } | grep -v security | head -1 || true
}
from=${LAB_MIRROR:-$(mirror)}
[ -n "$from" ] || { echo "no Debian mirror found in apt's sources: set LAB_MIRROR"; exit 1; }
from=${from#mirror+}
proxy=$(apt-config dump Acquire::http::Proxy --format '%v' 2>/dev/null || true)
if [ -n "$proxy" ]; then export http_proxy=$proxy; fi

mount --make-rprivate /
mount -t proc proc /proc
debootstrap --variant=minbase "$suite" "$root" "$from"
mount --bind /dev "$root/dev"
mountpoint -q "$root/proc" || mount -t proc proc "$root/proc"
printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" # no daemon starts on install
chmod 755 "$root/usr/sbin/policy-rc.d"
mkdir -p "$root/etc/postgresql-common"
echo "create_main_cluster = false" >"$root/etc/postgresql-common/createcluster.conf"
{ echo force-unsafe-io; [ -n "${KEEP_DOCS:-}" ] || printf 'path-exclude=/usr/share/%s/*\n' doc man locale info; } >"$root/etc/dpkg/dpkg.cfg.d/lab"
apt-config dump | grep -E '^Acquire::(http|https)::|^Acquire::(Check-Valid-Until|Check-Date|AllowInsecureRepositories|Retries)' \
  >"$root/etc/apt/apt.conf.d/90lab" || true # as this host reaches its mirror
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
chroot "$root" apt-get update -q
chroot "$root" apt-get install -y -q --no-install-recommends "$@"
chroot "$root" apt-get clean
rm -rf "$root"/var/lib/apt/lists/* "$root"/etc/ssh/ssh_host_*
for p in "$@"; do chroot "$root" dpkg-query -W -f='${Package} ${Version}\n' "$p"; done >"$root/etc/lab-versions"
