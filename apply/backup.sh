# find the newest backup of a plan
#
# Prints the newest backup that the plan $1 left on this node; exits with 4 when
# there is none. See parseBackup.
top=$PGTUI_ROOT/var/lib/pgtui/backup
found=
for d in "$top"/*-"$1" "$top"/*-"$1".*; do
	[ ! -f "$d/manifest" ] || found=$d
done
[ -n "$found" ] || exit 4
printf 'dir %s\n' "${found#"$PGTUI_ROOT"}"
grep '^file ' "$found/manifest"
for f in "$found"/files/*; do
	[ -f "$f" ] || continue
	printf 'data %s\n' "${f##*/}"
	base64 <"$f" && echo .
done
echo end
