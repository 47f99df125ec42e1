# change HAProxy's servers:
#
# Sends each argument after the second, a command, to the current worker of the
# node's HAProxy, once, and reads the servers' states back. $1 is how many bytes
# of the states are kept, $2 of each other answer. Without commands it only reads.
# Nothing is sent unless a socket answers first. See parseServers.
states=$1 limit=$2
shift 2
run=$PGTUI_ROOT/run master=haproxy-master.sock worker=haproxy.sock
[ -S "$run/$worker" ] || [ ! -S "$PGTUI_ROOT/var/run/$worker" ] || run=$PGTUI_ROOT/var/run
# socket.sh
# by sends a command through the socket that answered.
by() {
	case $via in
	worker) [ ! -S "$run/$worker" ] || talk "$worker" "$1" ;;
	master) [ ! -S "$run/$master" ] || talk "$master" "@1 $1" ;;
	esac
}
printf 'pgtui-servers 1\n'
via=none
if [ "$client" = none ]; then
	printf 'none of socat, python3, perl and nc to query its socket with\n'
	exit 0
fi
for via in worker master none; do
	case $(by 'show servers state' | head -n 1) in
	1*) break ;;
	esac
done
if [ "$via" = none ]; then
	printf 'no socket answers: neither /run/haproxy.sock nor /run/haproxy-master.sock\n'
	exit 0
fi
printf 'way %s\n' "$via"
for command; do
	printf 'sending\n'
	by "$command" | frame answer "$limit"
done
by 'show servers state' | frame states "$states"
by 'show stat' | frame stat "$states"
printf 'end\n'
