# read the space of the data directory and pgbackrest info:
#
# The file systems of Pigsty's data directory and of its pg_wal, and what pgBackRest
# reports as JSON. See parseStore.
printf 'pgtui-store 1\n'
for d in "$PGTUI_ROOT/pg/data" "$PGTUI_ROOT/pg/data/pg_wal/"; do
	printf 'df %s\n' "$(df -Pk "$d" 2>/dev/null | awk 'NR == 2 {print $2, $4, $6}')"
done
if ! command -v pgbackrest >/dev/null 2>&1; then
	printf 'none\n'
	exit 0
fi
as=''
if [ "$(id -u)" = 0 ] && id postgres >/dev/null 2>&1 && [ -z "$PGTUI_ROOT" ]; then
	as='runuser -u postgres --'
fi
printf 'info\n'
cd / && timeout 6 $as pgbackrest --output=json --log-level-console=error info 2>&1 | head -c 1000000
