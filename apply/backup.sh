# find the newest backup of a plan
#
# Prints the newest backup that the plan $1 left on this node; exits with 4 when
# there is none, and with 5 when somebody else could have written it. See
# parseBackup.
top=$PGTUI_ROOT/var/lib/pgtui/backup
found=
for d in "$top"/*-"$1" "$top"/*-"$1".*; do
	[ ! -f "$d/manifest" ] || found=$d
done
[ -n "$found" ] || exit 4
# mine PATH: it is no link, this user's, and neither group nor others may write.
mine() {
	[ ! -L "$1" ] || return 1
	set -f
	# shellcheck disable=SC2046 # its words
	set -- $(ls -ldn "$1")
	set +f
	[ "$3" = "$(id -u)" ] || return 1
	case $1 in ?????w* | ????????w*) return 1 ;; esac
}
for d in "${top%/*}" "$top" "$found" "$found/files" "$found/manifest"; do
	mine "$d" || { echo "${d#"$PGTUI_ROOT"} is not root's own, or a link: it is not read" >&2; exit 5; }
done
printf 'dir %s\n' "${found#"$PGTUI_ROOT"}"
grep '^file ' "$found/manifest"
for f in "$found"/files/*; do
	[ -f "$f" ] && [ ! -L "$f" ] || continue
	printf 'data %s\n' "${f##*/}"
	base64 <"$f" && echo .
done
echo end
