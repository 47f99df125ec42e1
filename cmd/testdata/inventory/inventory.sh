#!/bin/sh
# What the CMDB's inventory.sh prints: groups without vars, everything in hostvars.
[ "$1" = --list ] || exit 1
cat <<'EOF'
{"all": {"children": ["meta", "pg-meta", "pg-test"]},
 "pg-test": {"hosts": ["10.10.10.13", "10.10.10.11", "10.10.10.12"]},
 "pg-meta": {"hosts": ["10.10.10.10"], "vars": {"pg_cluster": "pg-meta", "ansible_group_priority": 3}},
 "solo": {"note": "the simple form", "é": "\u00e9\t\"x\""}, "plain": ["10.10.10.10", "new-host"],
 "_meta": {"hostvars": {
  "10.10.10.10": {"pg_seq": 1, "pg_role": "primary", "f": 1.0, "g": 1e3, "h": 123456789012345678901234567890},
  "10.10.10.11": {"pg_cluster": "pg-test", "pg_seq": 1, "pg_role": "primary", "nested": {"b": [], "a": {}}},
  "10.10.10.12": {"pg_cluster": "pg-test", "pg_seq": 2, "pg_role": "replica", "t": "{{ pg_port }}", "n": null},
  "10.10.10.13": {"pg_cluster": "pg-test", "pg_seq": 3, "pg_role": "replica", "u": {"__ansible_unsafe": "{{ x }}"}},
  "10.10.10.99": {"of": "no group"}}}}
EOF
