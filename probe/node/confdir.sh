# list the service files:
#
# Lists the regular files of the directory $1, at most $2 of them, with the
# content of the service files, of each at most $3 bytes and one more. The
# service files are read again at the end, to see whether one was changed
# meanwhile. See parseConfDir.
dir=$PGTUI_ROOT$1 limit=$2 most=$(($3 + 1))
flag() { if "$@"; then printf 1; else printf 0; fi; }
look() { xargs -0 -r stat -L --printf '%n\0%a\0%U:%G\0%s\0%i %Y %Z\0' --; }
# all and services end each name with a NUL.
all() {
	for f in ./* ./.[!.]* ./..?*; do
		[ ! -f "$f" ] || printf '%s\0' "$f"
	done
}
services() {
	for f in ./*.cfg; do
		[ ! -f "$f" ] || [ "$f" = ./haproxy.cfg ] || printf '%s\0' "$f"
	done
}
printf 'pgtui-confdir 1\ndir '
flag [ -d "$dir" ]
printf '\nmain '
flag [ -f "$PGTUI_ROOT/etc/haproxy/haproxy.cfg" ]
printf '\n'
if [ ! -d "$dir" ]; then
	printf 'files 0 \nend\n'
	exit 0
fi
cd "$dir" && ls >/dev/null || exit 1
n=0 links=
for f in ./* ./.[!.]* ./..?*; do
	[ -f "$f" ] || continue
	n=$((n + 1))
	if [ -L "$f" ]; then links=${links}1; else links=${links}0; fi
done
if [ "$n" -gt "$limit" ]; then
	echo "$n files: more than $limit" >&2
	exit 1
fi
printf 'files %s %s\n' "$n" "$links"
all | look || exit 1
services | xargs -0 -r head -q -c "$most" -- || exit 1
services | look || exit 1
printf 'end\n'
