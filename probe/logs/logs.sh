# the log of a component
# $1 lines  $2 1 to follow  $3 seconds back, 0 for all  $4 journal or file first
# $5 unit in systemd, then pairs of a directory and a pattern of names
lines=$1 follow=$2 since=$3 first=$4 unit=$5
shift 5

# The newest file of the first pair that has one.
newest() {
	while [ $# -gt 1 ]; do
		# shellcheck disable=SC2086 # the pattern is pgtui's
		n=$(cd "$PGTUI_ROOT$1" 2>/dev/null && ls -1td -- $2 2>/dev/null | head -n 1)
		if [ -n "$n" ]; then
			printf '%s\n' "$1/$n"
			return
		fi
		shift 2
	done
}

journal() {
	# a sandbox has no journal of its own, and must not show this machine's
	[ -z "$PGTUI_ROOT" ] && [ -n "$unit" ] && command -v journalctl >/dev/null 2>&1 || return 1
	[ -n "$(journalctl -q -u "$unit" -n 1 -o json --output-fields=PRIORITY 2>/dev/null)" ]
}

head_line() { printf 'pgtui-log 1 %s %s %s\n' "$1" "$(date '+%s %z %Z')" "$2"; }

file=''
from=none
for kind in "$first" file journal; do
	case $kind in
	file) file=$(newest "$@") && [ -n "$file" ] && from=file && break ;;
	journal) journal && from=journal && break ;;
	esac
done
case $from in
journal) head_line journal "$unit" ;;
file) head_line file "$file" ;;
none)
	head_line none "$unit"
	exit 0
	;;
esac

pid=''
read_log() {
	if [ $from = journal ]; then
		set -- journalctl -q -u "$unit" -o json --output-fields=MESSAGE,PRIORITY --no-pager -n "$lines"
		[ "$since" = 0 ] || set -- "$@" --since="-${since}s"
		[ "$follow" = 0 ] || set -- "$@" -f
	else
		set -- tail -n "$lines"
		[ "$follow" = 0 ] || set -- "$@" -F
		set -- "$@" -- "$PGTUI_ROOT$file"
	fi
	if [ "$follow" = 0 ]; then
		exec "$@"
	fi
	"$@" &
	pid=$!
}

# What follows has to end when no one reads it any more. sshd only closes the
# pipes then, so that a blank line to standard error shows it.
trap '' PIPE
trap '[ -z "$pid" ] || kill "$pid" 2>/dev/null' EXIT
trap 'exit 1' TERM HUP INT
read_log "$@"
beats=0
while kill -0 "$pid" 2>/dev/null; do
	sleep 1
	echo >&2 || exit 0
	beats=$((beats + 1))
	[ $from = file ] && [ $((beats % 5)) = 0 ] || continue
	now=$(newest "$@")
	if [ -n "$now" ] && [ "$now" != "$file" ]; then # the log of the next day
		kill "$pid" 2>/dev/null
		file=$now lines=+1
		read_log "$@"
	fi
done
