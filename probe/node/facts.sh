# read systemd and ip addr:
#
# The state of the units $@, and the node's IPv4 addresses.
# See parseFacts.
printf 'pgtui-node 1\n'
for u; do
	printf 'unit %s %s\n' "$u" "$(systemctl is-active "$u" 2>/dev/null | head -n 1)"
done
ip -o -4 addr show 2>/dev/null | while read -r _ dev _ addr _; do
	printf 'addr %s %s\n' "$dev" "$addr"
done
printf 'end\n'
