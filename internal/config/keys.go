package config

// Section is a mapping of the file, with the keys that it may have.
type Section struct {
	Name string // "" is the top level
	What string // it is, in a sentence
	Keys []Key
}

// Key is one key.
type Key struct {
	Name    string
	Value   string // that it takes
	Default string // without it
}

// Sections are all keys of the file: docs/reference/config.md is made of them, and a
// test compares them with what is read.
func Sections() []Section {
	return []Section{
		{"", "The keys of the top level.", []Key{
			{"context", "the context to open; `--context` and `PGTUI_CONTEXT` override it", "none"},
			{"refresh", "time between two rounds of probing, `500ms` to `10m`, or `automatic`: 2 s, up to 5 s for a large fleet", "`automatic`"},
			{"theme", "`terminal` (your own 16 colours), `dark`, `light`, `colour-blind`, `none`", "`terminal`; `none` under `NO_COLOR` or `--color never`"},
			{"read-only", "`true`: nothing can be changed, on nodes or on this machine", "`false`"},
			{"require-auth", "how PostgreSQL may request the password of the monitoring user, as libpq's `require_auth`: `scram-sha-256`, or several separated by commas; `--require-auth` and `PGREQUIREAUTH` override it", "any except a password in clear text"},
			{"read-files", "`false`: the console reads the nodes' files and processes over SSH only for a diff, not on its own", "`true`"},
			{"mouse", "`false`: the terminal keeps the mouse; `m` on the screen changes it", "`true`"},
			{"times", "`ago`: the console shows how long ago an event was, not its time of day; `@` on the screen changes it", "`clock`"},
			{"ssh", "how the OpenSSH client is called; its keys are below", "your OpenSSH"},
			{"record", "what the flight recorder keeps; its keys are below", "64 MB, 24 h"},
			{"keys", "an action and its keys, a name or a list; an empty list removes its keys", "as `?` shows"},
			{"commands", "commands of your own: a name, and below it the keys of `commands`", "none"},
			{"columns", "`fleet`: the columns of the fleet, in order, by their titles in any case", "all"},
			{"entry-points", "endpoints outside the inventory: a name, and below it the keys of `entry-points`", "none"},
			{"stores", "stores of metrics and logs: a name, and below it the keys of `stores`", "those of the inventory's infra nodes"},
			{"contexts", "a name, and below it the keys of `contexts`", "none"},
		}},
		{"ssh", "How the OpenSSH client is called.", []Key{
			{"config", "the file to use in place of `~/.ssh/config`; `--ssh-config` and `PGTUI_SSH_CONFIG` override it", "`~/.ssh/config`"},
			{"program", "the client", "`ssh`"},
			{"control-dir", "the directory of shared connections", "below `XDG_RUNTIME_DIR`"},
		}},
		{"record", "What the flight recorder keeps while the console, `status --watch` or `record` runs.", []Key{
			{"on", "`false`: nothing is recorded", "`true`"},
			{"size", "of all recordings together, `1MB` to `100GB`; the oldest are removed", "`64MB`"},
			{"keep", "how long a recording is kept, `10m` to `8760h`", "`24h`"},
		}},
		{"commands", "A command of your own.", []Key{
			{"argv", "the program and its arguments, as a list; with `shell: true` one line of text", "required"},
			{"key", "the key that runs it", "none: the palette runs it by its name"},
			{"help", "what `?` and the palette show", "the command itself"},
			{"shell", "`true`: `argv` is one line for `sh -c`, and the values are variables", "`false`"},
			{"confirm", "`true`: the name of the target must be typed first", "`false`"},
			{"read-only", "`true`: a read-only console runs it too", "`false`"},
			{"pages", "the pages that offer it", "every page"},
		}},
		{"entry-points", "An endpoint outside the inventory.", []Key{
			{"host", "a name or an address, without a port", "required"},
			{"cluster", "the cluster behind it", "every cluster that has its ports"},
			{"scheme", "a code of `pgtui access --scheme -o json`", "`external`"},
			{"ports", "a list of ports, or services with a port each", "the services' own"},
			{"consul", "the name or the address of the Consul agent to query", "none"},
			{"consul-http", "the port of that agent's API", "`8500` with `consul`"},
			{"consul-dns", "the port of that agent's DNS", "`8600` with `consul`"},
		}},
		{"stores", "A site that stores metrics or logs.", []Key{
			{"metrics", "the URL of a Prometheus or a VictoriaMetrics, with the path of a portal: `https://i.pigsty/vmetrics`", "none"},
			{"logs", "the URL of a VictoriaLogs", "none"},
			{"user", "of HTTP basic authentication", "none"},
			{"password-file", "a file whose first line is the password", "none"},
			{"ca", "a file with the CA of its certificate", "the inventory's CA, else the system's"},
		}},
		{"contexts", "A context: one inventory, and how it is treated. A key that it lacks has the value of the top level.", []Key{
			{"inventory", "the inventory", "required"},
			{"pigsty-home", "the Pigsty checkout that the playbooks run from", "as `--pigsty-home`"},
			{"vault-password-file", "the file with the password of `!vault` values, or a program that prints it", "as `--vault-password-file`"},
			{"environment", "a word for it; one that begins with `prod` is shown in a banner on every screen", "none"},
			{"colour", "of the banner: `red`, `yellow`, `green`, `blue`, `magenta`, `cyan`", "`red` for production, else no banner"},
			{"read-only", "as at the top level; one `true` is enough", "`false`"},
			{"refresh", "as at the top level", "that of the top level"},
			{"theme", "as at the top level", "that of the top level"},
			{"ssh", "as at the top level", "that of the top level"},
			{"entry-points", "in addition to those of the top level; one of the same name overrides it", "none"},
		}},
	}
}
