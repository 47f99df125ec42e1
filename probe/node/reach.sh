# query Patroni as this node reaches it:
#
# Requests each of the URLs $@ within 2 s. See parseReach.
printf 'pgtui-reach 1\n'
if ! command -v curl >/dev/null 2>&1; then
	printf 'none\nend\n'
	exit 0
fi
i=0
for u; do
	i=$((i + 1))
	(
		code=$(curl -q -s -k --noproxy '*' -m 2 -o /dev/null -w '%{http_code}' "$u" 2>/dev/null)
		printf 'at %s %s %s\n' "$i" "$?" "${code:-0}"
	) &
done
wait
printf 'end\n'
