#!/bin/bash
# boot.sh NODE: runs in fresh mount, uts, ipc and pid namespaces; builds the node's root and becomes its PID 1
set -e
node=$1 root=$LAB_STATE/root/$1
hostname "$node"
mount --make-rprivate /
cd "$LAB_STATE"
overlay() { mount -t overlay "lab-$node" -o "lowerdir=$LAB_LOWER,upperdir=$1/upper/$node,workdir=$1/scratch/$node" "$root"; }
if ! overlay "$LAB_STATE" 2>/dev/null; then # the state directory is on an overlay itself, as in a container: keep changes in memory
  mkdir -p "$LAB_STATE/mem"
  mount -t tmpfs tmpfs "$LAB_STATE/mem"
  mkdir -p mem/upper/"$node" mem/scratch/"$node"
  overlay "$LAB_STATE/mem"
fi
cp -a base/. "seed/$node/." "$root/"
mount -t proc proc "$root/proc"
mount -t sysfs sysfs "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
for d in run tmp root home; do mount -t tmpfs -o mode=755 tmpfs "$root/$d"; done
chmod 1777 "$root/tmp"
chmod 700 "$root/root"
mkdir -p "$root/run/sshd" "$root/run/lock" "$root/home/dba/.ssh" "$root/pg" "$root/var/lib/etcd" "$LAB_DATA/$node/pg" "$LAB_DATA/$node/etcd"
mount --bind "$LAB_DATA/$node/pg" "$root/pg"
mount --bind "$LAB_DATA/$node/etcd" "$root/var/lib/etcd"

in_node() { /usr/sbin/chroot "$root" "$@"; } # user names as the node knows them
in_node install -d -o postgres -g postgres /run/postgresql
in_node install -d -o etcd -g etcd -m 700 /var/lib/etcd
in_node install -d -o postgres -g postgres -m 755 /pg /pg/bin /pg/cert /pg/log /pg/log/postgres /pg/log/patroni /pg/log/pgbouncer /pg/tmp
in_node install -m 755 /etc/lab/pg-init /pg/bin/pg-init
install -m 644 files/pki/ca/ca.crt "$root/pg/cert/ca.crt"
install -D -m 644 files/pki/ca/ca.crt "$root/etc/pki/ca.crt"
install -m 644 "files/pki/pgsql/$node.crt" "$root/pg/cert/server.crt"
install -m 600 "files/pki/pgsql/$node.key" "$root/pg/cert/server.key"
in_node chown postgres:postgres /pg/cert/ca.crt /pg/cert/server.crt /pg/cert/server.key
if [ "$node" = pg-meta-1 ]; then # the admin node reaches the others, as dba
  install -m 600 keys/admin "$root/home/dba/.ssh/id_ed25519"
  install -m 644 known_hosts "$root/home/dba/.ssh/known_hosts"
fi
in_node chown -R dba:admin /home/dba
chmod 700 "$root/home/dba/.ssh"
echo 1 2>/dev/null >/proc/sys/net/ipv6/conf/all/disable_ipv6 || true
cd "$root"
pivot_root . mnt
umount -l /mnt
export -n LAB_DIR LAB_STATE LAB_DATA LAB_LOWER LAB_PGV LAB_RELEASE
exec /usr/bin/python3 /usr/lib/lab/nodeinit.py </dev/null >/var/log/lab-init.log 2>&1
