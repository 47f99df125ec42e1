# one node of a plan:
#
# shellcheck shell=sh disable=SC2015
# (SC2015: in "a && b || c", c is meant to run when either of the others fails.)
#
# One node's part of a plan, run as root on the node. POSIX sh.
#
#   ready    PLAN CONFDIR                   could a run begin? changes nothing
#   look     PLAN CONFDIR WHO PREFIX        would haproxy accept it? in a directory of its own; payload on stdin
#   apply    PLAN CONFDIR WHO PREFIX STAMP WINDOW  stage and check, then start commit; payload on stdin
#   commit   PLAN CONFDIR WHO PREFIX STAMP WINDOW  compare, back up, swap, reload; with a WINDOW, wait
#   confirm  PLAN CONFDIR WHO BACKUP        the routing is good: what waits may end
#   restore  PLAN CONFDIR WHO BACKUP        start rollback
#   rollback PLAN CONFDIR WHO BACKUP        put a backup back and reload
#   hold     PLAN CONFDIR WHO               lock the node for a run that others do
#   release  PLAN CONFDIR WHO               and end that
#   close    PLAN CONFDIR WHO PID PROXY SERVER  end an old worker's sessions to a server
#   states   PLAN CONFDIR WHO STAMP [enable]    is haproxy.cfg such that states are handed over? make it so
#   settle   PLAN CONFDIR WHO               end an interrupted run and say how the files are; payload on stdin
#   recover  PLAN CONFDIR WHO               end interrupted runs when the node has booted
#
# WINDOW is a number of seconds: unless confirm comes within it, commit puts the
# old files back by itself. "0" is none. WHO is shown to a second operator.
#
# The payload, and the manifest that is kept with the backup, are lines:
#   keep SHA SHA NAME   a file of the cluster that stays as it is
#   file OLD NEW NAME   a file that changes; "-" for OLD or NEW where there is none
#   seen - - NAME       another file that was there when the plan was made
#   data NAME           (payload only) its new content follows in base64, up to a line "."
#   end                 (payload only) without it nothing is done
#
# All it has to say are lines that start with "@", see event.go. commit and
# rollback run in a session of their own and finish without a listener: a
# lost connection leaves the old state or the new one, never a mixture.
# One run at a time: the lock is a symbolic link that names its run, and it
# counts for nothing once the process it names is gone or its time is over.
#
# What survives a power cut is the record: the backup with its manifest, and
# the staging directory that names it. Both are on disk before the first rename.
# A record has ended when its file "outcome" says how; that is on disk before
# "applied" is printed. A record that has not ended is undone: by the next run, by
# settle, or by recover, which a systemd unit runs at boot for as long as there
# is something to undo.
#
# PGTUI_ROOT is a directory that stands for "/", for the sandbox and tests.
# self is the text of this script; whoever runs it sets it.
set -u
LC_ALL=C
export LC_ALL
umask 077
R=${PGTUI_ROOT:-}
self=${self:-}
PATH=$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
[ -z "$R" ] || PATH=$R/bin:$PATH
export PATH
step=start

say() { printf '@%s\n' "$*"; }
begin() { step=$1; say begin "$step"; }
ok() { say ok "$step" "$@"; }
fail() { say fail "$step" "$@"; return 1; }

# text FILE: what a command printed, bounded.
text() {
	lines=0
	while IFS= read -r line || [ -n "$line" ]; do
		lines=$((lines + 1))
		[ "$lines" -le 60 ] || break
		printf '@text %s %.800s\n' "$step" "$line"
	done <"$1"
}

sum() {
	digest=$(sha256sum <"$1" 2>/dev/null) || return 1
	printf '%s' "${digest%% *}"
}

# A process is "PID BORN BOOT": a number alone is another's after a reboot.
boot_id() { cat "$R/proc/sys/kernel/random/boot_id" 2>/dev/null || cat /proc/sys/kernel/random/boot_id 2>/dev/null; }
process() { printf '%s %s %s' "$1" "$(born "$1")" "$(boot_id)"; }
lives() { [ -n "${3:-}" ] && [ "$3" = "$(boot_id)" ] && alive "$1" && [ "$(born "$1")" = "$2" ]; }
# owned DIR: the process that wrote its owner there is alive. own DIR: it is this one's.
own() { echo $$ >"$1/pid" && process $$ >"$1/owner"; }
# shellcheck disable=SC2046 # three words
owned() { [ -f "$1/owner" ] && lives $(head -c 200 "$1/owner" 2>/dev/null); }

alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }
pid_in() { cat "$1" 2>/dev/null; }
# flush FILE...: files and directories are on disk, or it fails. GNU sync since
# 8.24 and busybox do it to what is named; older ones, and the one in Rust, to
# everything. Once only: the kernel reports a failed write once.
flush() { sync "$@" 2>/dev/null; }
pause() { sleep 0.05 2>/dev/null || sleep 1; }
uptime() { read -r up _ </proc/uptime && printf '%s' "${up%%.*}"; }
# born PID: when the process began, so that another with its number is not taken for it.
born() { sed 's/^.*) //' "/proc/$1/stat" 2>/dev/null | cut -d' ' -f20; }

limit() {
	if command -v timeout >/dev/null; then timeout -k 5 "$@"; else shift; "$@"; fi
}

# tool NAME: it is there; and in a sandbox it is the sandbox's own.
tool() {
	found=$(command -v "$1") || { fail "$1: command not found"; return 1; }
	[ -n "$R" ] || return 0
	case $found in "$R"/*) return 0 ;; esac
	fail "$1 is not in $R/bin"
}

good_name() {
	[ "${#1}" -le 200 ] || return 1
	case $1 in '' | .* | */* | *[[:cntrl:]]*) return 1 ;; *.cfg) return 0 ;; esac
	return 1
}

good_sum() {
	case $1 in -) return 0 ;; *[!0-9a-f]*) return 1 ;; esac
	[ "${#1}" -eq 64 ]
}

# access PATH: who may change it, as a_mode ("drwxr-xr-x") and a_uid. False for a link.
access() {
	[ ! -L "$1" ] && a_line=$(ls -ldn "$1" 2>/dev/null) || return 1
	set -f
	# shellcheck disable=SC2086 # its words
	set -- $a_line
	set +f
	a_mode=$1 a_uid=$3
}
# closed_to_others: neither group nor others may write, by a_mode.
closed_to_others() { case $a_mode in ?????w* | ????????w*) return 1 ;; esac }
myself=$(id -u)
# mine PATH: it is no link, this user's, and no other user may write there.
mine() { access "$1" && [ "$a_uid" = "$myself" ] && closed_to_others; }

# private DIR: only root and this user can put or exchange a file there,
# on no part of the way.
private() {
	place=$(cd -P "$1" 2>/dev/null && pwd -P) || return 1
	access "$place" && closed_to_others || return 1
	while :; do
		access "$place" && { [ "$a_uid" = 0 ] || [ "$a_uid" = "$myself" ]; } || return 1
		closed_to_others || case $a_mode in *[tT]*) ;; *) return 1 ;; esac
		[ "$place" != / ] || return 0
		place=${place%/*}
		place=${place:-/}
	done
}

# The lock's target is "PLAN PID BORN SINCE UNTIL WHO"; UNTIL is by the uptime.
lock=$R/run/pgtui.lock
longest=900 # seconds; every step has a shorter limit of its own

# locked: somebody else's run is at work; l_who and the like say whose. One
# whose time is over hangs, and is ended.
locked() {
	l_text=$(readlink "$lock" 2>/dev/null) || return 1
	IFS=' ' read -r l_plan l_pid l_born l_since l_until l_who <<-END
		$l_text
	END
	case $l_pid$l_until in '' | *[!0-9]*) return 1 ;; esac
	alive "$l_pid" && [ "$(born "$l_pid")" = "$l_born" ] || return 1
	[ "$(uptime)" -gt "$l_until" ] || return 0
	kill -9 "$l_pid" 2>/dev/null
	return 1
}

lock_text() { printf '%s %s %s %s %s %.200s' "$plan" "$1" "$(born "$1")" "$2" "$3" "$who"; }

# alone: only one at a time clears a lock away or hands it on. False when
# another is at it. No clock says that one has died at it: its process does, or
# that it was seen often and has not even printed who it is.
alone() {
	if mkdir "$lock.break" 2>/dev/null; then
		b_me=$(process $$)
		ln -s "$b_me" "$lock.break/owner" 2>/dev/null
		[ "$(readlink "$lock.break/owner" 2>/dev/null)" = "$b_me" ]
		return
	fi
	b_owner=$(readlink "$lock.break/owner" 2>/dev/null)
	if [ -z "$b_owner" ]; then
		b_is=$(ls -di "$lock.break" 2>/dev/null)
		[ "$b_is" = "${b_was:-}" ] || b_seen=0
		b_was=$b_is b_seen=$((b_seen + 1))
		[ "$b_seen" -gt 20 ] || return 1
	else
		# shellcheck disable=SC2086 # three words
		! lives $b_owner || return 1
	fi
	b_dead=$lock.break.$$
	mv "$lock.break" "$b_dead" 2>/dev/null || return 1
	if [ "$(readlink "$b_dead/owner" 2>/dev/null)" = "$b_owner" ]; then
		rm -rf "$b_dead"
	else
		mv "$b_dead" "$lock.break" # another was faster, and is at it
	fi
	return 1
}
together() { rm -f "$lock.break/owner" && rmdir "$lock.break"; }

# clear_dead: a lock that counts for nothing goes. One that has just gone by
# itself may be another's by now, and is not touched.
clear_dead() {
	alone || return 1
	locked || [ -z "$l_text" ] || rm -f "$lock"
	together
}

# lock: no other run may change this node until unlock.
lock() {
	mkdir -p "${lock%/*}" 2>/dev/null
	[ -z "${mine:-}" ] || [ "$(readlink "$lock")" != "$mine" ] || return 0
	mine=$(lock_text $$ "$(date -u +%Y-%m-%dT%H:%M:%SZ)" "$(($(uptime) + longest + window))")
	n=0
	until ln -sn "$mine" "$lock" 2>/dev/null; do
		if locked; then
			fail "locked by $l_who since $l_since (plan $l_plan)"
			return 1
		fi
		n=$((n + 1))
		[ -w "${lock%/*}" ] && [ "$n" -lt 60 ] || { fail "cannot lock $lock"; return 1; }
		clear_dead || pause
	done
	[ "$(readlink "$lock")" = "$mine" ] || { fail "cannot lock $lock"; return 1; }
}

# relock OLD: the lock that the first part took is this process's now.
relock() {
	n=0
	until alone; do
		n=$((n + 1))
		[ "$n" -lt 40 ] || return 1
		pause
	done
	rc=1
	if [ "$(readlink "$lock")" = "$1" ]; then
		IFS=' ' read -r _ _ _ l_since l_until _ <<-END
			$1
		END
		mine=$(lock_text $$ "$l_since" "$l_until")
		ln -sn "$mine" "$lock.$$" && mv -f "$lock.$$" "$lock" && rc=0
	fi
	together
	return "$rc"
}

unlock() { [ "$(readlink "$lock" 2>/dev/null)" != "${mine:-none}" ] || rm -f "$lock"; }

# talk COMMAND: sends it to the master socket, which answers when our side is closed.
master=$R/run/haproxy-master.sock
talk() {
	[ -S "$master" ] || return 1
	if command -v socat >/dev/null; then
		printf '%s\n' "$1" | limit 5 socat -t5 - "UNIX-CONNECT:$master"
	elif command -v python3 >/dev/null; then
		limit 5 python3 -c 'import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect(sys.argv[1])
s.sendall(sys.argv[2].encode() + b"\n")
s.shutdown(socket.SHUT_WR)
while True:
    b = s.recv(65536)
    if not b: break
    sys.stdout.buffer.write(b)' "$master" "$1"
	elif command -v perl >/dev/null; then
		limit 5 perl -MSocket -e 'socket(my $s, PF_UNIX, SOCK_STREAM, 0) or exit 1;
connect($s, sockaddr_un($ARGV[0])) or exit 1;
syswrite($s, $ARGV[1] . "\n"); shutdown($s, 1);
while (sysread($s, my $b, 65536)) { print $b }' "$master" "$1"
	else
		printf '%s\n' "$1" | limit 5 nc -N -U "$master"
	fi 2>/dev/null
}

# procs: current and old workers, and failed reloads, as "cur=… old=… failed=…".
procs() {
	talk 'show proc' | awk '
		/^# old/ { old = 1; next }
		/^#/ { next }
		$2 == "master" && match($0, /failed: *[0-9]+/) { failed = substr($0, RSTART + 7, RLENGTH - 7) + 0 }
		$2 == "worker" { if (old) olds++; else cur = cur (cur ? "," : "") $1 }
		END { if (cur) printf "cur=%s old=%d failed=%d", cur, olds, failed }'
}
field() { f=${1#*"$2="}; printf '%s' "${f%% *}"; }

# state DIR <MANIFEST: old, new, mixed, or other when somebody else changed a
# file; then its name follows.
state() {
	olds=0 news=0 others=0
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		is=-
		if [ -e "$1/$name" ]; then is=$(sum "$1/$name") || is=unreadable; fi
		case $is in
		"$old") olds=1 ;;
		"$new") news=1 ;;
		*) others=1 odd=$name ;;
		esac
	done
	case $others$olds$news in
	1??) echo "other $odd" ;;
	011) echo mixed ;;
	001) echo new ;;
	*) echo old ;;
	esac
}

# flags DIR: the command line of the HAProxy that runs here, a word a line, with
# DIR for the directory of services and without what belongs to the one process.
flags() {
	[ -z "$R" ] || return 1
	main=$(limit 10 systemctl show -p MainPID haproxy 2>/dev/null) && main=${main#MainPID=}
	case $main in '' | 0 | *[!0-9]*) return 1 ;; esac
	# shellcheck disable=SC2046
	tr '\0' '\n' <"/proc/$main/cmdline" 2>/dev/null | awk -v exe="$(readlink "/proc/$main/exe")" -v conf="$conf" -v dir="$1" '
		NR == 1 { print (/^\// || exe == "") ? $0 : exe; next } # a reload runs what argv[0] names
		skip { skip = 0; next }
		/^-(sf|st)$/ { pids = 1; next }
		pids && /^[0-9]+$/ { next }
		{ pids = 0 }
		/^-(S|x|p|n|m|N)$/ { skip = 1; next }
		/^-(D|d|V|c|q|db|dW)$/ { next }
		after == "-f" && ($0 == conf || $0 == conf "/") { $0 = dir; found = 1 }
		{ after = $0; print }
		END { exit !found }'
}

# check DIR: HAProxy accepts its configuration with DIR for the directory of services.
check() {
	if words=$(flags "$1"); then
		set --
		while IFS= read -r word; do set -- "$@" "$word"; done <<-END
			$words
		END
	elif [ "$base" = conf.d ]; then
		set -- haproxy -Ws -f "$home/haproxy.cfg" -f "$1"
	else
		set -- haproxy -Ws -f "$1"
	fi
	limit 60 "$@" -c </dev/null >"$out" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || text "$out"
	return "$rc"
}

# state_file: where HAProxy reads from what state its servers are in when it
# starts. False unless haproxy.cfg says so, in global and in defaults.
state_file() {
	awk '
		{ sub(/#.*/, "") }
		$1 ~ /^(global|defaults|listen|frontend|backend)$/ { sec = $1 }
		sec == "global" && $1 == "server-state-base" { dir = $2 }
		sec == "global" && $1 == "server-state-file" { file = $2 }
		sec == "defaults" && $1 == "load-server-state-from-file" && $2 == "global" { load = 1 }
		END {
			if (file !~ /^\//) file = dir == "" ? "" : dir "/" file
			if (file !~ /^\// || !load) exit 1
			print file
		}' "$home/haproxy.cfg" 2>/dev/null
}

# may_hand FILE: no other user can put a file or a link in its place.
may_hand() {
	[ -e "${1%/*}" ] || return 0 # then there is nothing to write to
	private "${1%/*}" && return 0
	exposed=${1#"$R"}
	exposed="others may write in ${exposed%/*}: the servers' states are not handed over"
	return 1
}

# hand_over: the next worker begins with what this one knows of its servers, so
# that it sends no client to the wrong server until its own first checks. A line is left out
# when the server is not on disk with that name, address and port (the file
# would win over the configuration), or when HAProxy is about to change its
# mind. A file that is left behind would be worse than none: it goes after the
# reload, and by itself if this process is killed before that.
hand_over() {
	handed='' kept_back=
	to=$(state_file) || return 0
	to=$R$to
	may_hand "$to" || { kept_back="; $exposed"; return 0; }
	states=$(talk '@1 show servers state') || return 0
	rm -f "$to" "$to.pgtui" # their origin is unknown
	[ ! -e "$to" ] && [ ! -e "$to.pgtui" ] || return 0
	set -C # the file is made here, or not at all
	printf '%s\n' "$states" | awk '
		FILENAME != "-" {
			sub(/#.*/, "")
			if ($1 == "listen" || $1 == "backend") be = $2
			else if ($1 ~ /^(frontend|global|defaults|userlist|peers|resolvers|cache|program|ring|mailers)$/) be = ""
			else if ($1 == "server" && be != "") disk[be " " $2 " " $3] = 1
			next
		}
		$1 == "#" { for (i = 2; i <= NF; i++) at[$i] = i - 1; print; next }
		NF == 1 { print; next }
		NF > 1 && at["srv_port"] {
			# The result is unknown while a check is on its way; the status stays that of
			# the one before, and is 0 or 1 until the first has ended.
			settled = ($at["srv_op_state"] == 0 || $at["srv_op_state"] == 2) && (int($at["srv_check_state"] / 2) % 2 == 0 || $at["srv_check_status"] > 1)
			if (settled && disk[$at["be_name"] " " $at["srv_name"] " " $at["srv_addr"] ":" $at["srv_port"]]) { print; n++ }
		}
		END { exit !n }' "$home/haproxy.cfg" "$conf"/*.cfg - 2>/dev/null >"$to.pgtui" || { set +C; rm -f "$to.pgtui"; return 0; }
	set +C
	(trap '' HUP INT TERM; sleep 20; rm -f "$to") </dev/null >/dev/null 2>&1 4<&- &
	guard=$!
	chmod 0644 "$to.pgtui" && mv -f "$to.pgtui" "$to" || { rm -f "$to.pgtui"; return 0; }
	handed="; $(grep -c '^[0-9].* ' "$to") servers keep their state"
}

# reload_now: systemd reloads HAProxy, and its master shows a new worker. That
# systemctl succeeds proves nothing: it has only sent a signal.
reload_now() {
	hand_over
	reload_it
	rc=$?
	if [ -n "$handed" ]; then
		rm -f "$to"
		kill -9 "$guard" 2>/dev/null
	fi
	return "$rc"
}

reload_it() {
	was=$(procs) worker=
	limit 90 systemctl reload haproxy </dev/null >"$out" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || { text "$out"; say text "$step" "systemctl reload haproxy: exit code $rc"; return "$rc"; }
	[ -n "$was" ] || { worker=${kept_back#; }; return 0; } # no master socket, or no program to query it with: the stats page decides
	end_at=$(($(uptime) + 15))
	while [ "$(uptime)" -le "$end_at" ]; do
		is=$(procs)
		if [ -n "$is" ]; then
			if [ "$(field "$is" failed)" -gt "$(field "$was" failed)" ]; then
				say text "$step" "HAProxy could not load the new configuration: its master counts $(field "$is" failed) failed reloads and worker $(field "$was" cur) still serves"
				return 1
			fi
			if [ "$(field "$is" cur)" != "$(field "$was" cur)" ]; then
				worker="worker $(field "$is" cur) took over from $(field "$was" cur); $(field "$is" old) old$handed$kept_back"
				return 0
			fi
		fi
		pause
	done
	say text "$step" "no new worker came up in 15 s: worker $(field "$was" cur) still serves"
	return 1
}

# tidy PLAN: what a run left beside the files, under names HAProxy does not read.
tidy() { rm -f "$conf/.pgtui-$1.new."* "$conf/.pgtui-$1.old."*; }

# Records lie in top, each in a directory of its own.
top=$R/var/lib/pgtui/backup

# sound BACKUP: its record can be followed: it lies below top, no other user could
# have written any of it, and it names nothing but service files. Sets list, the
# manifest, and where, the directory whose files it names; unsound says why not.
sound() {
	unsound="its name is not a record's"
	case $1 in "$top"/*) ;; *) return 1 ;; esac
	case ${1#"$top"/} in '' | .* | *[!0-9A-Za-z.-]*) return 1 ;; esac
	for part in "${top%/*}" "$top" "$1" "$1/files"; do
		unsound="there is no ${part#"$R"}"
		[ -e "$part" ] || return 1
		unsound="${part#"$R"} is not this user's own directory"
		[ -d "$part" ] && mine "$part" || return 1
	done
	list=$1/manifest where=$conf
	[ -e "$list" ] || [ -L "$list" ] || list=$1/main where=$home
	unsound="it has no manifest"
	[ -s "$list" ] || return 1
	unsound="${list#"$R"} is not this user's own file"
	[ -f "$list" ] && mine "$list" || return 1
	while read -r kind old new name || [ -n "$kind" ]; do
		unsound="${list#"$R"} has a line that is not a manifest's"
		case $kind in keep | file | seen) ;; *) return 1 ;; esac
		[ "$kind" = seen ] || { good_name "$name" && good_sum "$old" && good_sum "$new"; } || return 1
		[ "$list" = "$1/manifest" ] || [ "$name" = haproxy.cfg ] || return 1
		unsound="${where#"$R"}/$name is a directory"
		[ "$kind" != file ] || [ ! -d "$where/$name" ] || return 1
	done <"$list"
	unsound=
}

# mark BACKUP OUTCOME [WHY]: the record says so, and still does after a power cut.
mark() {
	rm -f "$1/outcome.new"
	printf '%s\n' "$2${3:+: $3}" >"$1/outcome.new" && flush "$1/outcome.new" &&
		mv -f "$1/outcome.new" "$1/outcome" && flush "$1"
}

# ended BACKUP: its outcome is final; sets final to its first word.
ended() {
	final=$(head -n 1 "$1/outcome" 2>/dev/null)
	final=${final%%:*}
	case $final in applied | restored | broken | untouched | undecided) return 0 ;; esac
	return 1
}

# record DIR PLAN: the backup of the run that DIR was staged for, as rec; "" when
# it had not begun to change anything. An empty file names no backup: then it is
# looked for, and one that has not ended is the one. False when there is one that
# cannot be followed; unsound says why.
record() {
	rec=$(head -n 1 "$1/backup" 2>/dev/null)
	rec=${rec:+$R$rec}
	[ -z "$rec" ] || ! sound "$rec" || return 0
	named=$rec why_not=${unsound:-} rec=
	for r_dir in "$top"/*-"$2" "$top"/*-"$2".*; do
		[ -d "$r_dir" ] && sound "$r_dir" || continue
		[ -z "$rec" ] || ended "$rec" || continue
		rec=$r_dir
	done
	[ -n "$rec" ] || [ -z "$named" ] || { rec=$named unsound=$why_not; return 1; }
	[ -z "$rec" ] || sound "$rec"
}

# put_back PLAN BACKUP: the files are again as the backup's manifest says they were.
put_back() {
	sound "$2" || { fail "the record $2 is not followed: $unsound"; return 1; }
	bad=0
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		if [ "$old" = - ]; then
			rm -f "$where/$name" || bad=1
			continue
		fi
		[ -L "$where/$name" ] || [ "$(sum "$where/$name")" != "$old" ] || continue
		# The second name of the old file costs no space: it works on a full disk.
		link=$where/.pgtui-$1.old.$name
		if [ -L "$link" ] || [ "$(sum "$link")" != "$old" ]; then
			rm -f "$link"
			[ -f "$2/files/$name" ] && [ ! -L "$2/files/$name" ] && cp -p "$2/files/$name" "$link" &&
				[ "$(sum "$link")" = "$old" ] || { bad=1; continue; }
		fi
		flush "$link" && mv -f "$link" "$where/$name" || bad=1
	done <"$list"
	flush "$where" || bad=1
	[ "$bad" -eq 0 ] && [ "$(state "$where" <"$list")" = old ]
}

# load: what is on disk is checked, then loaded. When the node boots HAProxy does not run
# yet, and loads it by itself.
load() {
	check "$conf" || { fail "the old files are back, but haproxy refuses the configuration: it was not reloaded"; return 1; }
	[ -z "${booting:-}" ] || limit 10 systemctl is-active haproxy </dev/null >/dev/null 2>&1 || return 0
	reload_now || { fail "the old files are back, but haproxy was not reloaded with them"; return 1; }
}

# undo_dead DIR: a run died. If it had begun to change files, they go back,
# unless it had ended, or they had been found good. What cannot be decided stays
# as it is, with its backup. undone is how that leaves the node.
undo_dead() {
	undone=untouched why='the run was cut off before it changed anything'
	id=${1##*/.pgtui-}
	case $id in *[!0-9a-f]*) return 0 ;; esac
	if ! mine "$1"; then
		[ -e "$1" ] || return 0 # it has just cleared up after itself
		say recovered "$id" undecided - "$1 is not this user's own directory: it is left alone"
		[ "$1" != "$stage" ] || { fail "$1 is not this user's own directory"; return 1; }
		return 0
	fi
	out=$1/out
	if ! record "$1" "$id"; then
		undone=undecided why="its record is not followed: $unsound"
	elif [ -z "$rec" ]; then
		:
	elif ended "$rec"; then
		undone=$final why='the run had ended'
	elif [ -e "$1/confirmed" ] || [ -e "$1/done" ]; then
		undone=applied why='the new files had been found good'
		mark "$rec" applied || { fail "cannot write to $rec"; return 1; }
	else
		is=$(state "$where" <"$list")
		case $is in
		other*) undone=undecided why="somebody has changed ${is#other } since: the files stay as they are" ;;
		old) [ ! -e "$1/swapping" ] || undone=restored why='the run was cut off' ;;
		*) undone=restored why='the run was cut off' ;;
		esac
		if [ "$undone" = restored ]; then
			say text "$step" "a run was cut off: putting back $rec"
			true >"$1/swapping"
			put_back "$id" "$rec" || { fail "cannot put back $rec"; return 1; }
			load || return 1
		fi
		mark "$rec" "$undone" "$why" || { fail "cannot write to $rec"; return 1; }
	fi
	[ -z "$rec" ] || say recovered "$id" "$undone" "${rec#"$R"}" "$why"
	forget "$id"
	rm -rf "$1"
}

# forget PLAN: what a run left beside its staging directory and its record.
forget() {
	tidy "$1"
	disarm "$1"
}

# The unit that undoes an interrupted run when the node boots. systemd reads it
# then, and at no other time: nothing has to be notified now.
units=$R/etc/systemd/system

# arm: leave the unit. False when there is none; unarmed says why.
arm() {
	unarmed='this node has no systemd'
	[ -d "$R/run/systemd/system" ] || return 1
	unarmed="the name of ${conf#"$R"} cannot stand in a unit"
	case $conf in *[!0-9A-Za-z/._-]*) return 1 ;; esac
	unarmed="cannot write to ${units#"$R"}"
	name=pgtui-recover-$plan.service
	program=${top%/*}/recover-$plan.sh
	rm -f "$program" "$units/$name" "$units/multi-user.target.wants/$name"
	{ mkdir -p "$units/multi-user.target.wants" &&
		{ printf "set -- recover %s '%s' boot\n" "$plan" "${conf#"$R"}" && printf '%s\n' "$self"; } >"$program" &&
		unit >"$units/$name" && chmod 0644 "$units/$name" &&
		flush "$program" "${top%/*}" "$units/$name" "$units" && # whole before systemd could find it
		ln -s "../$name" "$units/multi-user.target.wants/$name" && flush "$units/multi-user.target.wants"; } 2>/dev/null && return 0
	disarm "$plan"
	return 1
}

unit() {
	cat <<-END
		[Unit]
		Description=Put back the HAProxy files of pgtui plan $plan, which was interrupted
		RequiresMountsFor=$home $top
		Before=haproxy.service

		[Service]
		Type=oneshot${R:+
		Environment=PGTUI_ROOT=$R}
		ExecStart=/bin/sh $program
		TimeoutStartSec=300

		[Install]
		WantedBy=multi-user.target
	END
}

disarm() {
	rm -f "$units/multi-user.target.wants/pgtui-recover-$1.service" "$units/pgtui-recover-$1.service" "${top%/*}/recover-$1.sh"
}

# take: lock, and make the staging directory; what dead runs left is cleared first.
take() {
	lock || return 1
	for d in "$home"/.pgtui-*; do
		[ -d "$d" ] || continue
		[ -f "$d/owner" ] || sleep 1
		if owned "$d" || owned "$d/claim"; then
			[ "$d" != "$stage" ] || { fail "a run of this plan is at work here"; return 1; }
			continue
		fi
		undo_dead "$d" || return 1
	done
	out=$stage/out
	mkdir "$stage" || { fail "cannot write to $home"; return 1; }
	own "$stage" && printf '%s\n' "$mine" >"$stage/lock" &&
		mkdir "$stage/$base" "$stage/new" && true >"$out" && return 0
	fail "cannot write to $home"
	rm -rf "$stage"
	return 1
}

# payload: stdin into the staging directory; complete, or an error.
payload() {
	while IFS= read -r line; do
		case $line in
		end) return 0 ;;
		keep\ * | file\ * | seen\ *) printf '%s\n' "$line" >>"$stage/manifest" || return 1 ;;
		data\ *)
			good_name "${line#data }" || return 1
			while IFS= read -r more && [ "$more" != . ]; do printf '%s\n' "$more"; done |
				base64 -d >"$stage/new/${line#data }" || return 1
			;;
		*) return 1 ;;
		esac
	done
	return 1
}

# build: the would-be directory is the live one's copy with the changes made.
build() {
	for f in "$conf"/*; do
		[ -f "$f" ] || continue
		cp -pL "$f" "$stage/$base/" || return 1
	done
	while read -r kind old new name; do
		printf '%s\n' "$name" >>"$stage/known"
		[ "$kind" = file ] || continue
		good_name "$name" || return 1
		if [ "$new" = - ]; then
			rm -f "$stage/$base/$name" || return 1
		else
			[ "$(sum "$stage/new/$name")" = "$new" ] || return 1
			cp "$stage/new/$name" "$stage/$base/$name" || return 1
		fi
	done <"$stage/manifest"
}

# give_up: the first part ends here and nothing on the node has changed.
give_up() {
	trap - HUP INT TERM PIPE
	rm -rf "$stage"
	unlock
	say end untouched
	exit 1
}

# refuse OUTCOME: no run has begun here.
refuse() {
	unlock
	say end "$1"
	exit 1
}

# ready: whatever would stop a run before it begins.
ready() {
	begin ready
	tool haproxy && tool systemctl || refuse untouched
	for d in sha256sum base64 readlink sync; do
		command -v "$d" >/dev/null || { fail "$d: command not found"; refuse untouched; }
	done
	if locked; then fail "locked by $l_who since $l_since (plan $l_plan)"; refuse untouched; fi
	[ -d "$conf" ] || { fail "there is no ${conf#"$R"}"; refuse untouched; }
	for d in "$home" "$conf"; do
		[ -w "$d" ] || { fail "cannot write to ${d#"$R"}: is the file system read-only?"; refuse untouched; }
	done
	ok
	say end untouched
}

# edited: a file of the last run that is as no run on record has ever found or
# left it was changed by another hand; the last run is named.
edited() {
	last='' seen=''
	for d in $(ls -r "$R/var/lib/pgtui/backup" 2>/dev/null); do
		b=$R/var/lib/pgtui/backup/$d
		[ "$(head -n 1 "$b/about" 2>/dev/null)" = "$prefix" ] && [ -f "$b/manifest" ] || continue
		[ -n "$last" ] || last=$d
		seen="$seen
$(cat "$b/manifest")"
	done
	[ -n "$last" ] || return 0
	while read -r kind _ _ name; do
		case $kind in file | keep) ;; *) continue ;; esac
		is=-
		[ ! -e "$conf/$name" ] || is=$(sum "$conf/$name") || return 0
		printf '%s\n' "$seen" | awk -v is="$is" -v name="$name" '
			{ rest = $0; sub(/^[^ ]+ [^ ]+ [^ ]+ /, "", rest) }
			($1 == "file" || $1 == "keep") && ($2 == is || $3 == is) && rest == name { found = 1 }
			END { exit !found }' && continue
		last=${last#*-}
		say edited "${last%%.*}"
		return 0
	done <"$R/var/lib/pgtui/backup/$last/manifest"
}

# look: the check of apply, of a copy that goes again. Nothing else is touched,
# and no lock is taken: whoever is at work does not mind.
look() {
	begin check
	tool haproxy || refuse untouched
	[ -z "$R" ] || mkdir -p "$R/tmp"
	stage=$(mktemp -d "$R/tmp/pgtui-look.XXXXXX" 2>/dev/null) || { fail "cannot write to /tmp"; refuse untouched; }
	trap 'rm -rf "$stage"' EXIT
	trap 'exit 1' HUP INT TERM PIPE
	out=$stage/out
	if mkdir "$stage/$base" "$stage/new" && payload && build; then
		say staged "$stage/$base"
		edited
		[ -d "$R/run/systemd/system" ] || say unarmed "this node has no systemd"
		! to=$(state_file) || ! may_hand "$R$to" || say statefile "$to"
		check "$stage/$base" && ok || fail "haproxy refuses the would-be configuration: exit code $rc"
	else
		fail "cannot build the would-be configuration in $stage"
	fi
	say end untouched
}

apply() {
	begin stage
	tool haproxy && tool systemctl && take || refuse untouched
	trap 'rm -rf "$stage"; unlock; exit 1' HUP INT TERM PIPE
	payload || { fail "the files did not arrive whole"; give_up; }
	build || { fail "cannot build the would-be configuration in $stage"; give_up; }
	ok
	say staged "$stage/$base"
	begin check
	check "$stage/$base" || { fail "haproxy refuses the would-be configuration: exit code $rc"; give_up; }
	ok
	detached commit "$plan" "${conf#"$R"}" "$who" "$prefix" "$stamp" "$window"
}

# detached MODE ARG...: do MODE in a session of its own and repeat its output.
detached() {
	true >"$stage/log" && exec 4<"$stage/log" || { fail "cannot write to $stage"; give_up; }
	trap 'exit 1' HUP INT TERM PIPE
	if command -v setsid >/dev/null; then
		self=$self setsid sh -c "$self" pgtui "$@" </dev/null >>"$stage/log" 2>&1 4<&- &
	else
		self=$self sh -c "$self" pgtui "$@" </dev/null >>"$stage/log" 2>&1 4<&- &
	fi
	if follow $!; then
		unlock # a second part that never began has not taken it over
		exit 0
	fi
	# It ended, and its last words were lost: on a full disk they would be.
	[ -d "$stage" ] || { unlock; exit 3; }
	# It was killed. What it has begun must not stay half done.
	begin restore
	say text restore "the second part of the run was killed"
	lock || { say end broken; exit 1; }
	if undo_dead "$stage"; then ok; say end "$undone"; else say end broken; fi
	unlock
	exit 1
}

# follow PID: repeat what a second part says, from file 4, up to its end; false
# when it died before.
follow() {
	ended=
	while [ -z "$ended" ]; do
		if alive "$1"; then gone=; else gone=1; fi
		while IFS= read -r line <&4; do
			printf '%s\n' "$line"
			case $line in @end\ *) ended=1 ;; esac
		done
		[ -z "$gone" ] || break
		pause
	done
	[ -n "$ended" ]
}

# compare: what is on disk is what the plan was made from.
compare() {
	while read -r kind old new name; do
		f=$conf/$name
		case $kind in
		keep) [ "$(sum "$f")" = "$old" ] || { fail "$name is not as it was when the plan was made"; return 1; } ;;
		file)
			if [ -L "$f" ]; then fail "$name is a symbolic link"; return 1; fi
			if [ "$old" = - ]; then
				[ ! -e "$f" ] || { fail "$name was not there when the plan was made"; return 1; }
			else
				[ "$(sum "$f")" = "$old" ] || { fail "$name is not as it was when the plan was made"; return 1; }
			fi
			;;
		esac
	done <"$stage/manifest"
	for f in "$conf/$prefix"*.cfg; do
		[ -e "$f" ] || continue
		grep -qxF -e "${f##*/}" "$stage/known" || { fail "${f##*/} was not there when the plan was made"; return 1; }
	done
}

# new_record: an empty record of this run, as bk.
new_record() {
	mkdir -p "$top" && mine "${top%/*}" && mine "$top" || return 1
	bk=$top/$stamp-$plan
	n=0
	until mkdir "$bk" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -lt 10 ] || { bk=; return 1; } # it is another run's
		bk=$top/$stamp-$plan.$n
	done
	mkdir "$bk/files"
}

# keep_record WHOSE LIST: the record is complete with its LIST, and on disk with
# all that leads to it; so is the staging directory, which names it.
keep_record() {
	printf '%s\n%s\n%s\n' "$1" "$stamp" "$who" >"$bk/about" &&
		flush "$bk/$2.new" "$bk/about" "$bk/files" && mv -f "$bk/$2.new" "$bk/$2" &&
		flush "$bk" "$top" "${top%/*}" "${top%/*/*}" && keep_stage
}

keep_stage() {
	printf '%s\n' "${bk#"$R"}" >"$stage/backup" && flush "$stage/backup" "$stage" "$home" || return 1
	[ ! -d "$stage/claim" ] || flush "$stage/claim/owner" "$stage/claim"
}

backup() {
	new_record || return 1
	set -- "$conf"
	while read -r kind old new name; do
		[ "$kind" = file ] && [ "$old" != - ] || continue
		cp -p "$conf/$name" "$bk/files/$name" || return 1
		[ "$(sum "$bk/files/$name")" = "$old" ] || return 1
		set -- "$@" "$conf/$name" "$bk/files/$name" # whoever wrote the old one
	done <"$stage/manifest"
	flush "$@" && cp "$stage/manifest" "$bk/manifest.new" && keep_record "$prefix" manifest
}

# prune: of this cluster's backups the newest twenty stay, and this run's,
# whatever the clocks say.
prune() {
	kept=0
	for d in $(ls -r "$R/var/lib/pgtui/backup"); do
		d=$R/var/lib/pgtui/backup/$d
		[ "$(head -n 1 "$d/about" 2>/dev/null)" = "$prefix" ] || continue
		kept=$((kept + 1))
		[ "$kept" -le 20 ] || [ "$d" = "$bk" ] || rm -rf "$d"
	done
}

# prepare: everything that can fail for want of space, under names HAProxy does not read.
prepare() {
	set --
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		f=$conf/$name t=$conf/.pgtui-$plan.new.$name
		[ "$old" = - ] || ln "$f" "$conf/.pgtui-$plan.old.$name" 2>/dev/null || :
		[ "$new" != - ] || continue
		rm -f "$t"
		if [ "$old" = - ]; then
			cp "$stage/new/$name" "$t" && chmod 0644 "$t" || return 1
			# One that was here before gets its owner and mode again.
			for kept in "$R/var/lib/pgtui/backup/"*/files/"$name"; do
				[ -L "$kept" ] || [ "$(sum "$kept")" != "$new" ] || cp -p "$kept" "$t" || return 1
			done
		else
			cp -p "$f" "$t" && cat "$stage/new/$name" >"$t" || return 1
		fi
		[ "$(sum "$t")" = "$new" ] || return 1
		set -- "$@" "$t"
	done <"$stage/manifest"
	[ $# -eq 0 ] || flush "$@"
}

swap() {
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		if [ "$new" = - ]; then
			rm -f "$conf/$name" || return 1
		else
			mv -f "$conf/.pgtui-$plan.new.$name" "$conf/$name" || return 1
		fi
	done <"$stage/manifest"
	flush "$conf"
}

# finish OUTCOME [WHY]: the second part is over; after this nothing of it will
# be undone. Once the staging directory is gone there is no lock any more.
finish() {
	[ -z "${bk:-}" ] || [ "$1" = applied ] || mark "$bk" "$1" "${2:-}" || say text "$step" "cannot write to $bk"
	forget "$plan"
	unlock
	rm -rf "$stage"
	say end "$1"
	exit 0
}

# keep_new: the new files stay. That must be on disk before it is printed: else
# whoever comes after a power cut would put the old ones back.
keep_new() {
	mark "$bk" applied && finish applied
	fail "cannot write to $bk that the new files stay"
	begin restore
	put_back_now || finish broken
	ok
	finish restored
}

claim() {
	mkdir "$stage/claim" 2>/dev/null && own "$stage/claim" && relock "$(cat "$stage/lock")" && return 0
	fail "the run was given up before it began to change anything"
}

# put_back_now: the old files are on disk and loaded again.
put_back_now() {
	sound "$bk" || { fail "the record $bk is not followed: $unsound"; return 1; }
	case $(state "$where" <"$list") in other*)
		fail "somebody else has changed the files since; the old ones are in $bk"
		return 1
		;;
	esac
	put_back "$plan" "$bk" || { fail "cannot put back $bk"; return 1; }
	load
}

# await_confirm: no one may read this any more. Whoever renames the file first
# decides, and what was decided is done here: confirm, restore, or the end of
# the window. So there is a watchdog for as long as there is a lock.
await_confirm() {
	end_at=$(($(uptime) + window))
	while [ -f "$stage/waiting" ] && [ "$(uptime)" -lt "$end_at" ]; do sleep 0.2 2>/dev/null || sleep 1; done
	mv "$stage/waiting" "$stage/expired" 2>/dev/null || :
	[ ! -f "$stage/confirmed" ] || keep_new
	begin restore
	put_back_now || finish broken
	ok ${worker:+"$worker"}
	[ ! -f "$stage/expired" ] || finish restored "not confirmed within $window s"
	finish restored
}

commit() {
	trap : HUP INT TERM PIPE
	begin compare
	claim && compare || finish untouched
	ok
	begin backup
	if ! { backup && true >"$stage/armed"; }; then
		fail "cannot keep a copy of the old files in $R/var/lib/pgtui/backup"
		[ -z "${bk:-}" ] || rm -rf "$bk"
		bk=
		finish untouched
	fi
	ok "$bk"
	begin swap
	recovery=
	arm || recovery="no recovery at boot: $unarmed"
	prepare || { fail "cannot write the new files to $conf"; finish untouched; }
	true >"$stage/swapping"
	if ! swap; then
		fail "cannot put the new files in place"
		begin restore
		put_back "$plan" "$bk" || { fail "cannot put back $bk"; finish broken; }
		ok
		finish restored
	fi
	ok ${recovery:+"$recovery"}
	begin reload
	if ! reload_now; then
		fail "haproxy was not reloaded"
		begin restore
		put_back_now || finish broken
		ok
		finish restored
	fi
	ok ${worker:+"$worker"}
	prune
	[ "$window" -gt 0 ] || keep_new
	if ! mv "$stage/armed" "$stage/waiting"; then
		fail "cannot watch over the new state"
		begin restore
		put_back_now || finish broken
		ok
		finish restored
	fi
	say end applied
	await_confirm
}

# same_run: what is staged here is the run that left this backup.
same_run() { [ -d "$stage" ] && record "$stage" "$plan" && [ "$rec" = "$bk" ]; }

# decide WORD: the run that waits must end as confirmed or aborted, unless that
# is decided already.
decide() { mv "$stage/waiting" "$stage/$1" 2>/dev/null || :; }

# confirm: the run that waits has been looked at and found good.
confirm() {
	begin confirm
	if same_run; then
		decide confirmed
		n=0
		while same_run; do # one that has ended is clearing up
			if owned "$stage/claim"; then n=0; elif ended "$bk" && [ "$n" -lt 100 ]; then n=$((n + 1)); else break; fi
			pause
		done
	fi
	if same_run; then # it was killed
		lock && undo_dead "$stage" || { say end broken; exit 1; }
		unlock
	fi
	case $(cat "$bk/outcome" 2>/dev/null) in
	applied) ok; say end applied ;;
	restored*) fail "the confirmation came too late: the node has put the old files back by itself"; say end restored ;;
	*) fail "the node has not kept the new files: see $bk"; say end broken ;;
	esac
}

restore() {
	step=restore
	sound "$bk" || { begin restore; fail "no backup in $bk: $unsound"; say end broken; exit 1; }
	if same_run && [ -r "$stage/log" ] && owned "$stage/claim"; then
		exec 4<"$stage/log"
		while IFS= read -r line <&4; do :; done # what it has printed to others
		decide aborted
		follow "$(pid_in "$stage/claim/pid")" && exit 0
	fi
	tool haproxy && tool systemctl && take || refuse broken
	detached rollback "$plan" "${conf#"$R"}" "$who" "$bk"
}

rollback() {
	trap : HUP INT TERM PIPE
	begin restore
	claim || finish broken
	# From here on a power cut must not leave it half done.
	sound "$bk" && keep_stage && mark "$bk" restoring || { fail "cannot write to $bk"; finish broken; }
	arm || :
	true >"$stage/swapping"
	put_back_now || finish broken
	ok ${worker:+"$worker"}
	finish restored
}

# hold: the lock is kept by a process that only waits, and counts for nothing
# once that has ended.
hold() {
	begin ready
	lock || refuse untouched
	setsid sleep "$longest" </dev/null >/dev/null 2>&1 &
	held=$mine
	IFS=' ' read -r _ _ _ l_since l_until _ <<-END
		$held
	END
	mine=$(lock_text $! "$l_since" "$l_until")
	ln -sn "$mine" "$lock.$$" && mv -f "$lock.$$" "$lock" || { fail "cannot lock $lock"; kill $!; mine=$held; refuse untouched; }
	ok
	say end untouched
}

release() {
	begin ready
	if locked && [ "$l_plan $l_who" = "$plan $(printf '%.200s' "$who")" ]; then
		mine=$l_text
		unlock
		kill "$l_pid" 2>/dev/null
	fi
	ok
	say end untouched
}

# sessions: those of the old worker to the server, by their ids.
sessions() {
	talk "@!$worker show sess" | awk -v be="be=$proxy" -v srv="srv=$server" '
		{ b = s = 0; for (i = 2; i <= NF; i++) { if ($i == be) b = 1; if ($i == srv) s = 1 } }
		b && s { sub(/:$/, "", $1); print $1 }'
}

# close: only a worker that the master lists as old; one by one, since a worker
# that has stopped listening takes no other order. At most 2,000 at a time.
close() {
	begin ready
	talk 'show proc' | awk -v pid="$worker" '/^# old/ { old = 1; next } /^#/ { old = 0 } old && $1 == pid { found = 1 } END { exit !found }' ||
		{ fail "there is no old worker $worker any more"; say end untouched; exit 1; }
	done=0
	for id in $(sessions | head -n 2000); do
		case $id in 0x*[!0-9a-fx]* | [!0]*) continue ;; esac
		talk "@!$worker shutdown session $id" >/dev/null
		done=$((done + 1))
	done
	n=0
	left=$(sessions | wc -l)
	while [ "$left" -gt 0 ] && [ "$n" -lt 20 ]; do
		n=$((n + 1))
		pause
		left=$(sessions | wc -l)
	done
	ok
	say closed "$done $left"
	say end untouched
}

# check_main FILE: HAProxy accepts FILE in place of haproxy.cfg, with all the rest.
check_main() {
	if [ "$base" != conf.d ]; then
		for f in "$conf"/*; do
			[ ! -f "$f" ] || cp -pL "$f" "$stage/$base/" || return 1
		done
		cp "$1" "$stage/$base/haproxy.cfg" && check "$stage/$base"
		return
	fi
	words=$(flags "$conf") || words=$(printf '%s\n' haproxy -Ws -f "$home/haproxy.cfg" -f "$conf")
	set -- "$1"
	main=$1
	shift
	while IFS= read -r word; do
		[ "$word" != "$home/haproxy.cfg" ] || word=$main
		set -- "$@" "$word"
	done <<-END
		$words
	END
	limit 60 "$@" -c </dev/null >"$out" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || text "$out"
	return "$rc"
}

# states: the two lines of haproxy.cfg that let a worker take over what the one
# before knew. The file never leaves the node: it holds passwords. Until the
# rename nothing has changed; from it on a new file that HAProxy accepts is in
# place, which does the same as the old one until a reload hands states over.
states() {
	begin stage
	if to=$(state_file); then
		may_hand "$R$to" || { fail "$exposed"; say end untouched; exit 1; }
		ok
		say statefile "$to"
		say end unchanged
		exit 0
	fi
	[ "$want" = enable ] || { ok; say end untouched; exit 0; }
	cfg=$home/haproxy.cfg
	tool haproxy && tool systemctl && take || refuse untouched
	bk=
	trap 'rm -rf "$stage" ${bk:+"$bk"}; unlock; exit 1' HUP INT TERM PIPE
	was=$(sum "$cfg") || { fail "cannot read $cfg"; give_up; }
	if grep -q 'server-state' "$cfg"; then
		fail "haproxy.cfg has a line with server-state already, and not both that are needed: look at it by hand"
		give_up
	fi
	cp -p "$cfg" "$stage/new/haproxy.cfg" && awk '
		{ print }
		!g && $1 == "global" { g = 1; print "    server-state-file /run/haproxy-servers.state" }
		!d && $1 == "defaults" { d = 1; print "    load-server-state-from-file global" }
		END { exit !(g && d) }' "$cfg" >"$stage/text" && cat "$stage/text" >"$stage/new/haproxy.cfg" && flush "$stage/new/haproxy.cfg" ||
		{ fail "haproxy.cfg has no global or no defaults section, or the disk is full"; give_up; }
	ok
	begin check
	check_main "$stage/new/haproxy.cfg" || { fail "haproxy refuses the would-be configuration: exit code $rc"; give_up; }
	ok
	begin backup
	new=$(sum "$stage/new/haproxy.cfg") && new_record && cp -p "$cfg" "$bk/files/" && [ "$(sum "$bk/files/haproxy.cfg")" = "$was" ] &&
		flush "$bk/files/haproxy.cfg" "$cfg" && printf 'file %s %s haproxy.cfg\n' "$was" "$new" >"$bk/main.new" && keep_record haproxy.cfg main ||
		{ fail "cannot keep a copy of haproxy.cfg in $top"; [ -z "$bk" ] || rm -rf "$bk"; bk=; give_up; }
	ok "$bk"
	trap : HUP INT TERM PIPE
	begin swap
	[ "$(sum "$cfg")" = "$was" ] || { fail "haproxy.cfg has changed meanwhile"; finish untouched; }
	recovery=
	arm || recovery="no recovery at boot: $unarmed"
	true >"$stage/swapping"
	mv -f "$stage/new/haproxy.cfg" "$cfg" && flush "$home" ||
		{ fail "cannot put the new haproxy.cfg in place"; begin restore; put_back "$plan" "$bk" || finish broken; ok; finish restored; }
	ok ${recovery:+"$recovery"}
	begin reload
	if ! reload_now; then
		fail "haproxy was not reloaded"
		begin restore
		put_back_now || { fail "cannot put back $bk/files/haproxy.cfg"; finish broken; }
		ok
		finish restored
	fi
	ok ${worker:+"$worker"}
	keep_new
}

# settle: a run that had not begun to change anything cannot begin any more;
# one that had is waited for.
settle() {
	manifest=
	while IFS= read -r line && [ "$line" != end ]; do
		manifest="$manifest$line
"
	done
	begin settle
	if mkdir "$stage/claim" 2>/dev/null; then
		owned "$stage" || settle_dead
	elif [ -d "$stage" ]; then
		n=0 strays=0
		while [ -d "$stage" ] && [ "$n" -lt 2400 ]; do
			[ ! -f "$stage/waiting" ] || break
			# One without an owner is just beginning, is clearing up, or is dead.
			if owned "$stage/claim"; then
				strays=0
			elif [ "$strays" -lt 40 ] && [ ! -s "$stage/claim/owner" ]; then
				strays=$((strays + 1))
			else
				break
			fi
			n=$((n + 1))
			pause
		done
		if [ -d "$stage" ]; then
			if ! owned "$stage/claim"; then
				settle_dead
			elif [ ! -f "$stage/waiting" ]; then
				ok
				say state busy
				exit 0
			fi
		fi
	fi
	bk=
	for d in "$top"/*-"$plan" "$top"/*-"$plan".*; do
		[ ! -f "$d/manifest" ] && [ ! -f "$d/main" ] || bk=$d
	done
	if ! locked && [ "${l_plan:-}" = "$plan" ]; then clear_dead || :; fi
	ok ${bk:+"$bk"}
	if [ -n "$bk" ] && sound "$bk" && [ "$where" = "$home" ] && [ "$list" = "$bk/main" ]; then
		is=$(state "$where" <"$list")
	else
		is=$(printf '%s' "$manifest" | state "$conf")
	fi
	say state "${is%% *}"
}

settle_dead() {
	if ! lock; then
		say state busy # whoever is at work has undone it, or will
		exit 1
	fi
	undo_dead "$stage" || { unlock; say state broken; exit 1; }
	unlock
}

# recover: the node has booted. What interrupted runs have left is undone, and
# with it the unit that runs this.
recover() {
	begin settle
	booting=1
	lock || refuse untouched
	bad=0
	for d in "$home"/.pgtui-*; do
		[ -d "$d" ] || continue
		owned "$d" || owned "$d/claim" || undo_dead "$d" || bad=1
	done
	[ -d "$stage" ] || disarm "$plan"
	unlock
	if [ "$bad" -eq 0 ]; then ok; say end untouched; else say end broken; exit 1; fi
}

mode=${1:-none} plan=${2:-} conf=$R${3:-} who=${4:-somebody} window=0
case $plan in '' | *[!0-9a-f]*) say fail start "bad plan id"; say end untouched; exit 2 ;; esac
case ${3:-} in /*) ;; *) say fail start "bad directory"; say end untouched; exit 2 ;; esac
home=$conf base=${conf##*/}
[ "$base" != conf.d ] || home=${conf%/*}
stage=$home/.pgtui-$plan
out=$stage/out
case $mode in
apply | commit) prefix=$5 stamp=$6 window=$7 ;;
confirm | restore | rollback) bk=$5 ;;
look) prefix=$5 ;;
states) stamp=$5 want=${6:-} ;;
close)
	worker=$5 proxy=$6 server=$7
	case $worker in '' | *[!0-9]*) say fail start "bad process"; say end untouched; exit 2 ;; esac
	;;
esac
case $window in '' | *[!0-9]*) say fail start "bad window"; say end untouched; exit 2 ;; esac
case $mode in
ready | look | hold | release | close | states | apply | commit | confirm | restore | rollback | settle | recover) "$mode" ;;
*) say fail start "no such mode: $mode"; say end untouched; exit 2 ;;
esac
