# list HAProxy's processes:
#
# Lists the HAProxy processes of the node and queries the old workers among them,
# through the master socket, for what they still hold. At most $1 old workers are
# queried, and $2 bytes kept of each answer. The current worker is queried for its
# servers' states, of which $3 bytes are kept. See parseRuntime.
most=$1 limit=$2 states=$3
run=$PGTUI_ROOT/run master=haproxy-master.sock worker=haproxy.sock
# socket.sh
# begun prints a process's age in seconds as the kernel has it.
begun() {
	[ -r "/proc/$1/stat" ] || return 0
	sed 's/^.*) //' "/proc/$1/stat" | awk -v hz="$(getconf CLK_TCK 2>/dev/null || echo 100)" \
		-v up="$(cut -d' ' -f1 /proc/uptime)" '{ printf "age %s %.2f\n", pid, up - $20 / hz }' pid="$1"
}
# servers queries the current worker through the master's socket, else, where there is
# none or its answer is another one, through the worker's own.
servers() {
	[ "$client" != none ] || return 0
	out=
	[ ! -S "$run/$master" ] || out=$(talk "$master" '@1 show servers state')
	case $out in
	1*) ;;
	*) [ ! -S "$run/$worker" ] || out=$(talk "$worker" 'show servers state') ;;
	esac
	[ -z "$out" ] || printf '%s\n' "$out" | frame servers "$states"
}
printf 'pgtui-haproxy 1\nnow %s\nclient %s\n' "$(date +%s.%N)" "$client"
if [ ! -S "$run/$master" ]; then
	printf 'socket 0\n'
	if [ -z "$PGTUI_ROOT" ]; then
		parent=$(cat /run/haproxy.pid 2>/dev/null | head -n 1)
		for d in /proc/[0-9]*; do
			case $(sed -n 's/^PPid:[[:space:]]*//p' "$d/status" 2>/dev/null) in
			"${parent:-none}") [ "$(cat "$d/comm" 2>/dev/null)" = haproxy ] && begun "${d#/proc/}" ;;
			esac
		done
	fi
	servers
	printf 'end\n'
	exit 0
fi
printf 'socket 1\n'
if [ "$client" = none ]; then
	printf 'end\n'
	exit 0
fi
servers
proc=$(talk "$master" 'show proc')
printf '%s\n' "$proc" | frame proc
printf '%s\n' "$proc" | awk '$2 == "worker" { print $1 }' | head -n 50 | while read -r pid; do begun "$pid"; done
n=0
for pid in $(printf '%s\n' "$proc" | awk '/^# old workers/ { old = 1; next } /^#/ { old = 0 } old && $2 == "worker" { print $1 }'); do
	case $pid in *[!0-9]*) continue ;; esac
	n=$((n + 1))
	[ "$n" -le "$most" ] || break
	talk "$master" "@!$pid show stat" | frame "stat $pid"
	talk "$master" "@!$pid show sess" | frame "sess $pid"
done
printf 'end\n'
