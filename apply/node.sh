# shellcheck shell=sh disable=SC2015
# (SC2015: in "a && b || c", c is meant to run when either of the others fails.)
#
# One node's part of a plan, run as root on the node. POSIX sh.
#
#   apply    PLAN CONFDIR PREFIX STAMP  stage and check, then start commit; payload on stdin
#   commit   PLAN CONFDIR PREFIX STAMP  compare, back up, swap, reload
#   restore  PLAN CONFDIR BACKUP        start rollback
#   rollback PLAN CONFDIR BACKUP        put a backup back and reload
#   settle   PLAN CONFDIR               end an interrupted run and say how the files are; payload on stdin
#
# The payload, and the manifest that is kept with the backup, are lines:
#   keep SHA SHA NAME   a file of the cluster that stays as it is
#   file OLD NEW NAME   a file that changes; "-" for OLD or NEW where there is none
#   seen - - NAME       another file that was there when the plan was made
#   data NAME           (payload only) its new content follows in base64, up to a line "."
#   end                 (payload only) without it nothing is done
#
# All it has to say are lines that start with "@", see event.go. commit and
# rollback run in a session of their own and finish with nobody listening: a
# lost connection leaves the old state or the new one, never a mixture.
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

alive() { [ -n "$1" ] && kill -0 "$1" 2>/dev/null && ! grep -q '^State:[[:space:]]*Z' "/proc/$1/status" 2>/dev/null; }
pid_in() { cat "$1" 2>/dev/null; }
flush() { sync "$1" 2>/dev/null || :; }
pause() { sleep 0.05 2>/dev/null || sleep 1; }

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
	case $1 in '' | .* | */*) return 1 ;; *.cfg) return 0 ;; esac
	return 1
}

# state <MANIFEST: old, new, mixed, or other when somebody else changed a file.
state() {
	olds=0 news=0 others=0
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		is=-
		if [ -e "$conf/$name" ]; then is=$(sum "$conf/$name") || is=unreadable; fi
		case $is in
		"$old") olds=1 ;;
		"$new") news=1 ;;
		*) others=1 ;;
		esac
	done
	case $others$olds$news in
	1??) echo other ;;
	011) echo mixed ;;
	001) echo new ;;
	*) echo old ;;
	esac
}

# check DIR: HAProxy accepts its configuration with DIR for the directory of services.
check() {
	if [ "$base" = conf.d ]; then set -- -f "$home/haproxy.cfg" -f "$1"; else set -- -f "$1"; fi
	limit 60 haproxy -Ws "$@" -c </dev/null >"$out" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || text "$out"
	return "$rc"
}

reload_now() {
	limit 90 systemctl reload haproxy </dev/null >"$out" 2>&1
	rc=$?
	[ "$rc" -eq 0 ] || { text "$out"; say text "$step" "systemctl reload haproxy: exit code $rc"; }
	return "$rc"
}

# tidy PLAN: what a run left beside the files, under names HAProxy does not read.
tidy() { rm -f "$conf/.pgtui-$1.new."* "$conf/.pgtui-$1.old."*; }

# put_back PLAN BACKUP: the files are again as the backup's manifest says they were.
put_back() {
	bad=0
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		if [ "$old" = - ]; then
			rm -f "$conf/$name" || bad=1
			continue
		fi
		[ "$(sum "$conf/$name")" != "$old" ] || continue
		# The second name of the old file costs no space: it works on a full disk.
		link=$conf/.pgtui-$1.old.$name
		if [ "$(sum "$link")" != "$old" ]; then
			cp -p "$2/files/$name" "$link" && flush "$link" || { bad=1; continue; }
		fi
		mv -f "$link" "$conf/$name" || bad=1
	done <"$2/manifest"
	flush "$conf"
	[ "$bad" -eq 0 ] && [ "$(state <"$2/manifest")" = old ]
}

# undo_dead DIR: a run died. If it had begun to change files, they go back;
# undone tells how that leaves the node.
undo_dead() {
	undone=untouched
	id=${1##*/.pgtui-}
	b=$(cat "$1/backup" 2>/dev/null)
	out=$1/out
	if [ -n "$b" ] && [ ! -e "$1/done" ]; then
		case $(state <"$b/manifest") in new | mixed)
			say text "$step" "a run was cut off: putting back $b"
			put_back "$id" "$b" && reload_now || { fail "cannot put back $b"; return 1; }
			undone=restored
			;;
		esac
	fi
	tidy "$id"
	rm -rf "$1"
}

# take: make the staging directory; what dead runs left is cleared first.
take() {
	for d in "$home"/.pgtui-*; do
		[ -d "$d" ] || continue
		[ -f "$d/pid" ] || sleep 1
		if alive "$(pid_in "$d/pid")" || alive "$(pid_in "$d/claim/pid")"; then
			[ "$d" != "$stage" ] || { fail "a run of this plan is at work here"; return 1; }
			continue
		fi
		undo_dead "$d" || return 1
	done
	out=$stage/out
	mkdir "$stage" && echo $$ >"$stage/pid" && mkdir "$stage/$base" "$stage/new" && true >"$out" ||
		fail "cannot write to $home"
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
	say end untouched
	exit 1
}

apply() {
	begin stage
	tool haproxy && tool systemctl && take || { say end untouched; exit 1; }
	trap 'rm -rf "$stage"; exit 1' HUP INT TERM PIPE
	payload || { fail "the files did not arrive whole"; give_up; }
	build || { fail "cannot build the would-be configuration in $stage"; give_up; }
	ok
	say staged "$stage/$base"
	begin check
	check "$stage/$base" || { fail "haproxy refuses the would-be configuration: exit code $rc"; give_up; }
	ok
	detached commit "$plan" "${conf#"$R"}" "$prefix" "$stamp"
}

# detached MODE ARG...: do MODE in a session of its own and repeat what it says.
detached() {
	true >"$stage/log" && exec 4<"$stage/log" || { fail "cannot write to $stage"; give_up; }
	trap 'exit 1' HUP INT TERM PIPE
	if command -v setsid >/dev/null; then
		setsid sh -c "$self" pgtui "$@" </dev/null >>"$stage/log" 2>&1 4<&- &
	else
		sh -c "$self" pgtui "$@" </dev/null >>"$stage/log" 2>&1 4<&- &
	fi
	child=$! ended=
	while [ -z "$ended" ]; do
		if alive "$child"; then gone=; else gone=1; fi
		while IFS= read -r line <&4; do
			printf '%s\n' "$line"
			case $line in @end\ *) ended=1 ;; esac
		done
		[ -z "$gone" ] || break
		pause
	done
	[ -z "$ended" ] || exit 0
	# It ended, and its last words were lost: on a full disk they would be.
	[ -d "$stage" ] || exit 3
	# It was killed. What it has begun must not stay half done.
	begin restore
	say text restore "the second part of the run was killed"
	if undo_dead "$stage"; then ok; say end "$undone"; else say end broken; fi
	exit 1
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

backup() {
	top=$R/var/lib/pgtui/backup
	mkdir -p "$top" || return 1
	bk=$top/$stamp-$plan
	n=0
	until mkdir "$bk" 2>/dev/null; do
		n=$((n + 1))
		[ "$n" -lt 10 ] || return 1
		bk=$top/$stamp-$plan.$n
	done
	mkdir "$bk/files" || return 1
	while read -r kind old new name; do
		[ "$kind" = file ] && [ "$old" != - ] || continue
		cp -p "$conf/$name" "$bk/files/$name" && flush "$bk/files/$name" || return 1
		[ "$(sum "$bk/files/$name")" = "$old" ] || return 1
	done <"$stage/manifest"
	cp "$stage/manifest" "$bk/manifest" && flush "$bk/manifest" && flush "$bk" &&
		printf '%s\n' "$bk" >"$stage/backup"
}

# prepare: everything that can fail for want of space, under names HAProxy does not read.
prepare() {
	while read -r kind old new name; do
		[ "$kind" = file ] || continue
		f=$conf/$name t=$conf/.pgtui-$plan.new.$name
		[ "$old" = - ] || ln "$f" "$conf/.pgtui-$plan.old.$name" 2>/dev/null || :
		[ "$new" != - ] || continue
		if [ "$old" = - ]; then
			cp "$stage/new/$name" "$t" && chmod 0644 "$t" || return 1
		else
			cp -p "$f" "$t" && cat "$stage/new/$name" >"$t" || return 1
		fi
		flush "$t"
		[ "$(sum "$t")" = "$new" ] || return 1
	done <"$stage/manifest"
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

# finish OUTCOME: the second part is over; after this nothing of it will be undone.
finish() {
	true >"$stage/done"
	tidy "$plan"
	rm -rf "$stage"
	say end "$1"
	exit 0
}

claim() {
	mkdir "$stage/claim" 2>/dev/null && echo $$ >"$stage/claim/pid" && return 0
	fail "the run was given up before it began to change anything"
}

commit() {
	trap : HUP INT TERM PIPE
	begin compare
	claim && compare || finish untouched
	ok
	begin backup
	backup || { fail "cannot keep a copy of the old files in $R/var/lib/pgtui/backup"; finish untouched; }
	ok "$bk"
	begin swap
	prepare || { fail "cannot write the new files to $conf"; finish untouched; }
	if ! swap; then
		fail "cannot put the new files in place"
		begin restore
		put_back "$plan" "$bk" || { fail "cannot put back $bk"; finish broken; }
		ok
		finish restored
	fi
	ok
	begin reload
	if ! reload_now; then
		fail "haproxy was not reloaded"
		begin restore
		put_back "$plan" "$bk" || { fail "cannot put back $bk"; finish broken; }
		reload_now || { fail "the old files are back, but haproxy was not reloaded with them"; finish broken; }
		ok
		finish restored
	fi
	ok
	finish applied
}

restore() {
	step=restore
	[ -f "$bk/manifest" ] || { begin restore; fail "no backup in $bk"; say end broken; exit 1; }
	tool haproxy && tool systemctl && take || { say end broken; exit 1; }
	detached rollback "$plan" "${conf#"$R"}" "$bk"
}

rollback() {
	trap : HUP INT TERM PIPE
	begin restore
	claim || finish broken
	if [ "$(state <"$bk/manifest")" = other ]; then
		fail "somebody else has changed the files since; the old ones are in $bk"
		finish broken
	fi
	put_back "$plan" "$bk" || { fail "cannot put back $bk"; finish broken; }
	check "$conf" || { fail "the old files are back, but haproxy refuses the configuration"; finish broken; }
	reload_now || { fail "the old files are back, but haproxy was not reloaded with them"; finish broken; }
	ok
	finish restored
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
		alive "$(pid_in "$stage/pid")" || rm -rf "$stage"
	elif [ -d "$stage" ]; then
		n=0
		while [ -d "$stage" ] && [ "$n" -lt 2400 ]; do
			[ "$n" -lt 40 ] || alive "$(pid_in "$stage/claim/pid")" || break
			n=$((n + 1))
			pause
		done
		if [ -d "$stage" ]; then
			if alive "$(pid_in "$stage/claim/pid")"; then ok; say state busy; exit 0; fi
			undo_dead "$stage" || { say state broken; exit 1; }
		fi
	fi
	bk=
	for d in "$R/var/lib/pgtui/backup/"*-"$plan"*; do
		[ ! -f "$d/manifest" ] || bk=$d
	done
	ok ${bk:+"$bk"}
	say state "$(printf '%s' "$manifest" | state)"
}

mode=${1:-none} plan=${2:-} conf=$R${3:-}
case $plan in '' | *[!0-9a-f]*) say fail start "bad plan id"; say end untouched; exit 2 ;; esac
case ${3:-} in /*) ;; *) say fail start "bad directory"; say end untouched; exit 2 ;; esac
home=$conf base=${conf##*/}
[ "$base" != conf.d ] || home=${conf%/*}
stage=$home/.pgtui-$plan
out=$stage/out
case $mode in
apply | commit) prefix=$4 stamp=$5 ;;
restore | rollback) bk=$4 ;;
esac
case $mode in
apply | commit | restore | rollback | settle) "$mode" ;;
*) say fail start "no such mode: $mode"; say end untouched; exit 2 ;;
esac
