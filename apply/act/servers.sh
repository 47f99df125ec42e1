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
client=none
for c in socat python3 perl nc; do
	if command -v "$c" >/dev/null 2>&1; then client=$c; break; fi
done
# talk sends a command to a socket in $run and prints the answer. The path of a
# socket must be short.
talk() (
	cd "$run" || exit 0
	sock=$1
	shift
	case $client in
	socat) printf '%s\n' "$1" | timeout 5 socat -t5 - "UNIX-CONNECT:$sock" 2>/dev/null ;;
	python3) timeout 5 python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
s.shutdown(socket.SHUT_WR)
while True:
    b = s.recv(65536)
    if not b:
        break
    sys.stdout.buffer.write(b)
' "$sock" "$1" 2>/dev/null ;;
	perl) timeout 5 perl -MSocket -e '
socket(my $s, PF_UNIX, SOCK_STREAM, 0) or exit 1;
connect($s, sockaddr_un($ARGV[0])) or exit 1;
syswrite($s, $ARGV[1] . "\n");
shutdown($s, 1);
while (sysread($s, my $b, 65536)) { print $b }
' "$sock" "$1" 2>/dev/null ;;
	nc) printf '%s\n' "$1" | timeout 5 nc -N -U "$sock" 2>/dev/null ;;
	esac
)
# frame prints a name, the number of bytes and the bytes themselves, at most $2.
frame() {
	text=$(head -c "$2" | tr -d '\000'; printf x)
	text=${text%x}
	printf '%s %s\n%s\n' "$1" "$(printf %s "$text" | wc -c | tr -d ' ')" "$text"
}
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
