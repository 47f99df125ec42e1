# What queries a socket of HAProxy's in $run. It stands in the scripts at the line
# that names it: see Script.
client=none
for c in socat python3 perl nc; do
	if command -v "$c" >/dev/null 2>&1; then client=$c; break; fi
done
# talk sends a command to a socket in $run and prints the answer. The master ends
# it only when our side is closed. The path of a socket must be short.
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
	text=$(head -c "${2:-$limit}" | tr -d '\000'; printf x)
	text=${text%x}
	printf '%s %s\n%s\n' "$1" "$(printf %s "$text" | wc -c | tr -d ' ')" "$text"
}
