package cmd

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/charmbracelet/x/term"

	"pgtui/ansible/inventory"
	"pgtui/apply"
	"pgtui/internal/guard"
	"pgtui/internal/sandbox"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/probe"
	"pgtui/probe/node"
	"pgtui/probe/transport"
	"pgtui/source"
	"pgtui/source/budget"
)

// managedLayout is how Pigsty prints the date of its template.
const managedLayout = "2006-01-02 15:04:05"

// load finds and reads the inventory.
func (a *app) load(ctx context.Context) (*model.Inventory, error) {
	play, err := a.play(ctx)
	if err != nil {
		return nil, err
	}
	return play.Model, nil
}

// play finds the inventory and runs the playbook over it on paper.
func (a *app) play(ctx context.Context) (*pigsty.Play, error) {
	path, err := a.findInventory()
	if err != nil {
		return nil, err
	}
	return a.playFile(ctx, path)
}

// readFile reads the sources that path names: one file, program or directory,
// or several with commas between, as ansible.cfg may have them. playbooks is the
// directory the playbooks run from, "" for none.
func (a *app) readFile(ctx context.Context, b *budget.Budget, path, playbooks string, seen *inputs) (*inventory.Inventory, []string, error) {
	paths := sourcesIn(path)
	o := inventory.Options{Budget: b, Run: func(file string, args ...string) ([]byte, error) {
		seen.ran(file)
		if len(args) > 0 && args[0] != "--host" { // it is the same one, for each host
			a.running(file, args...)
		}
		return transport.RunInventory(ctx, file, args...)
	}}
	var err error
	if o.VaultPassword, err = a.vaultPassword(ctx, paths[0], seen); err != nil {
		return nil, nil, err
	}
	sources := make([]inventory.Source, 0, len(paths))
	for _, p := range paths {
		s, err := sourceOf(p, seen)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, s)
	}
	if abs, err := filepath.Abs(playbooks); playbooks != "" && err == nil && !slices.ContainsFunc(paths, func(p string) bool { return varsDir(p) == abs }) {
		o.Playbooks = inventory.Source{FS: seen.dir(abs), Name: ".", Display: strings.TrimSuffix(playbooks, "/")}
	}
	inv, err := inventory.LoadAll(sources, o)
	return inv, paths, err
}

// varsDir is the directory whose group_vars belong to the source at path.
func varsDir(path string) string {
	abs, err := filepath.Abs(path)
	if st, serr := os.Stat(abs); err == nil && serr == nil && st.IsDir() {
		return abs
	}
	return filepath.Dir(abs)
}

// sourceOf is the inventory source at path; its directory may hold group_vars
// and host_vars.
func sourceOf(path string, seen *inputs) (inventory.Source, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return inventory.Source{}, err
	}
	st, err := os.Stat(abs)
	seen.add(abs)
	if err != nil {
		return inventory.Source{}, &source.Hint{Err: fmt.Errorf("inventory: %w", err), Try: "pgtui -i /path/to/pigsty.yml"}
	}
	if st.IsDir() {
		return inventory.Source{FS: seen.dir(abs), Name: ".", Display: strings.TrimSuffix(path, "/")}, nil
	}
	s := inventory.Source{FS: seen.dir(filepath.Dir(abs)), Name: filepath.Base(abs)}
	if dir := filepath.Dir(path); dir != "." {
		s.Display = dir
	}
	return s, nil
}

// vaultPassword is what was typed for --ask-vault-pass, or what the file of
// --vault-password-file, else of the ansible.cfg beside the inventory or in
// the checkout, holds, or prints when it is a program; "" without one.
func (a *app) vaultPassword(ctx context.Context, inventory string, seen *inputs) (string, error) {
	if a.askVault {
		return a.typedPassword(ctx)
	}
	file, said := a.vaultSource(inventory)
	if file == "" {
		return "", nil
	}
	st, err := os.Stat(file)
	seen.add(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", said, err)
	}
	var pw []byte
	if st.Mode().IsRegular() && st.Mode()&0o111 != 0 {
		seen.ran(file)
		a.running(file)
		pw, err = transport.RunPassword(ctx, file)
	} else {
		pw, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", said, err)
	}
	return strings.TrimSpace(string(pw)), nil
}

// vaultSource is the file that has or prints the vault password, "" for none,
// and who names it.
func (a *app) vaultSource(inventory string) (file, said string) {
	file, said = a.vaultFile, "--vault-password-file"
	for _, dir := range []string{a.pigstyHome, filepath.Dir(inventory)} {
		cfg := filepath.Join(dir, "ansible.cfg")
		if file == "" && dir != "" && !a.obeyed(cfg) {
			continue
		}
		if p := ansiblePaths(cfg, "vault_password_file"); file == "" && dir != "" && len(p) == 1 {
			file, said = p[0], "vault_password_file of "+cfg
			if rest, ok := strings.CutPrefix(file, "~/"); ok {
				file = join(a.io.Getenv("HOME"), rest)
			}
		}
	}
	return file, said
}

// running names a program that is about to run because of where it lies: on
// standard error, and in the log of the console once its screen is there.
func (a *app) running(file string, args ...string) {
	abs, err := filepath.Abs(file)
	if err != nil {
		abs = file
	}
	argv := append([]string{abs}, args...)
	if a.onScreen {
		a.log.add(model.Ran{At: now(), Node: "this machine", Argv: argv, Reads: true})
		return
	}
	fmt.Fprintf(a.io.Err, "pgtui: running %s\n", text.Line(strings.Join(argv, " "), 400))
}

// obeyed reports whether an ansible.cfg counts: as Ansible, pgtui passes over one
// that somebody else may have put there, and says so once.
func (a *app) obeyed(cfg string) bool {
	if _, err := os.Stat(cfg); err != nil {
		return false
	}
	err := transport.Trusted(cfg)
	if st, serr := os.Stat(filepath.Dir(cfg)); err == nil && serr == nil && st.Mode()&0o002 != 0 {
		err = fmt.Errorf("%s: everybody may write to its directory", text.Line(cfg, 200))
	}
	if err != nil && !a.onScreen && !slices.Contains(a.passedOver, cfg) {
		a.passedOver = append(a.passedOver, cfg)
		fmt.Fprintf(a.io.Err, "pgtui: warning: %s is passed over, as Ansible does: %v\n", text.Line(cfg, 200), err)
	}
	return err == nil
}

// sandboxed is an error when the inventory has a directory stand for the root of
// a node and that is none of pgtui's own sandbox: whatever lies in its bin would
// run.
func sandboxed(play *pigsty.Play) error {
	for _, n := range play.Model.Nodes {
		root := n.SSH.Root
		if root == "" {
			continue
		}
		if err := transport.Trusted(root); sandbox.IsNode(root) && (err == nil || errors.Is(err, os.ErrNotExist)) {
			continue
		}
		at, _ := play.At(n.Host, "pgtui_root")
		return &source.Hint{Err: fmt.Errorf("%s:%d:%d: pgtui_root of host %s: %s is no node of pgtui's sandbox, for which alone it is meant", at.File, at.Line, max(at.Column, 1), n.Host, text.Line(root, 200)),
			Try: "remove pgtui_root from the inventory"}
	}
	return nil
}

// typedPassword asks for the vault password once; without a terminal it is the
// first line of standard input.
func (a *app) typedPassword(ctx context.Context) (string, error) {
	if a.typed == "" {
		var err error
		if a.typed, err = a.asked(ctx, "Vault password: "); err != nil {
			return "", fmt.Errorf("--ask-vault-pass: %w", err)
		}
		a.typed = strings.TrimSpace(a.typed)
	}
	return a.typed, nil
}

// asked is a password that is typed at the terminal, or else the next line of
// standard input. An interrupt ends it, with the terminal as it was.
func (a *app) asked(ctx context.Context, prompt string) (string, error) {
	var pw []byte
	var err error
	if f, ok := a.io.In.(*os.File); ok && term.IsTerminal(f.Fd()) {
		fmt.Fprint(a.io.Err, prompt)
		pw, err = readPassword(ctx, f.Fd())
		fmt.Fprintln(a.io.Err)
	} else {
		if a.lines == nil {
			a.lines = bufio.NewReader(io.LimitReader(a.io.In, 8192))
		}
		var line string
		line, err = a.lines.ReadString('\n')
		if pw = []byte(line); errors.Is(err, io.EOF) {
			err = nil
		}
	}
	text := strings.TrimRight(string(pw), "\r\n")
	if err == nil && text == "" {
		err = errors.New("no password was given")
	}
	return text, err
}

// readPassword reads a line without showing it.
func readPassword(ctx context.Context, fd uintptr) ([]byte, error) {
	was, err := term.GetState(fd)
	if err != nil {
		return nil, err
	}
	type line struct {
		text []byte
		err  error
	}
	typed := make(chan line, 1)
	guard.Go("reading a password", func() {
		text, err := term.ReadPassword(fd)
		typed <- line{text, err}
	}, func(err error) { typed <- line{err: err} })
	select {
	case got := <-typed:
		return got.text, got.err
	case <-ctx.Done():
		return nil, errors.Join(errors.New("interrupted"), term.Restore(fd, was))
	}
}

// loadFile makes the model of the inventory at path.
func (a *app) loadFile(ctx context.Context, path string) (*model.Inventory, error) {
	play, err := a.playFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return play.Model, nil
}

// checkRules checks the flags that say by which rules an inventory is read.
func (a *app) checkRules() error {
	if _, err := time.Parse(managedLayout, a.managedAt); a.managedAt != "" && err != nil {
		return wrong("--managed-at %q: expected the form %q", a.managedAt, managedLayout)
	}
	if a.dialect != "" {
		if _, err := pigsty.ParseDialect(a.dialect); err != nil {
			return usage(fmt.Errorf("--dialect: %w", err))
		}
	}
	if a.core != "" && !coreVersion.MatchString(a.core) {
		return misuse("--ansible-core 2.19.3", "--ansible-core %q: expected a version", text.Line(a.core, 60))
	}
	return nil
}

// coreVersion is a version of ansible-core, such as 2.19.3 or 2.20.0rc1.
var coreVersion = regexp.MustCompile(`^\d+\.\d+(\.\d+\w*)?$`)

// playFile runs the playbook on paper over the inventory at path, with the
// rules of the Pigsty checkout and the ansible-core of this machine. The error is
// a *model.Unread.
func (a *app) playFile(ctx context.Context, path string) (*pigsty.Play, error) {
	seen := newInputs()
	for _, dir := range a.configDirs(path) {
		seen.add(filepath.Join(dir, "ansible.cfg"))
	}
	play, err := a.playSeen(ctx, path, seen)
	if err != nil {
		return nil, &source.Unread{Err: err, Inputs: seen.all()}
	}
	play.Model.Inputs = seen.all()
	return play, nil
}

// configDirs are the directories whose ansible.cfg says which inventory is read,
// or how.
func (a *app) configDirs(path string) []string {
	dirs := []string{filepath.Dir(path)}
	if a.inventory == "" && a.io.Getenv("PGTUI_INVENTORY") == "" {
		dirs = append(dirs, a.io.Getenv("PIGSTY_HOME"), join(a.io.Getenv("HOME"), "pigsty"))
	}
	return slices.DeleteFunc(append(dirs, a.pigstyHome), func(dir string) bool { return dir == "" })
}

func (a *app) playSeen(ctx context.Context, path string, seen *inputs) (*pigsty.Play, error) {
	o := pigsty.Options{LoadedAt: now(), Core: a.core}
	var err error
	if a.dialect != "" {
		if o.Dialect, err = pigsty.ParseDialect(a.dialect); err != nil {
			return nil, fmt.Errorf("--dialect: %w", err)
		}
	}
	if o.Core == "" {
		o.Core = transport.AnsibleCore(ctx, a.preview && a.readOnly() == "") // ansible leaves files in ~/.ansible
	}
	home := a.home(path)
	done, err := a.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	b := budget.New()
	inv, paths, err := a.readFile(ctx, b, path, home, seen)
	if err != nil {
		return nil, err
	}
	for h, role := range a.roles {
		if x := inv.Host(string(h)); x != nil {
			x.Override("pg_role", role)
		}
	}
	if home != "" {
		o.Checkout = pigsty.ReadCheckoutIn(b, seen.dir(home), home)
	}
	for _, dir := range []string{a.pigstyHome, filepath.Dir(paths[0])} {
		file := filepath.Join(dir, "files", "pki", "ca", "ca.crt")
		if dir != "" {
			seen.add(file)
		}
		if _, err := os.Stat(file); dir != "" && err == nil {
			o.CAFile = file
			break
		}
	}
	play := pigsty.NewPlay(inv, o)
	if err := play.Err(); err != nil {
		return nil, err
	}
	if err := sandboxed(play); err != nil {
		return nil, err
	}
	play.Model.Path, play.Model.EntryPoints = resolved(path), a.entryPoints()
	return play, nil
}

// turn waits until no other inventory is being read: the console reads it for
// more than one purpose, and a budget is for one at a time.
func (a *app) turn(ctx context.Context) (done func(), err error) {
	if a.loading == nil {
		return func() {}, nil
	}
	done = func() { <-a.loading }
	select {
	case a.loading <- struct{}{}:
		return done, nil // what ctx says is for the load
	default:
	}
	select {
	case a.loading <- struct{}{}:
		return done, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the inventory is being read already: %w", ctx.Err())
	}
}

// home is the Pigsty checkout: --pigsty-home, else the directory of the
// inventory when it is one, else ~/pigsty when the inventory was found from
// there; "" when there is none.
func (a *app) home(source string) string {
	dirs := []string{a.pigstyHome, filepath.Dir(source)}
	if a.inventory == "" && a.io.Getenv("PGTUI_INVENTORY") == "" {
		dirs = append(dirs, join(a.io.Getenv("HOME"), "pigsty"))
	}
	for _, dir := range dirs {
		if dir != "" && templateIn(dir) != "" {
			return dir
		}
	}
	return ""
}

// templateIn is the service template of the checkout in dir, "" without one.
func templateIn(dir string) string {
	for _, name := range []string{"service.cfg", "service.j2"} {
		p := filepath.Join(dir, "roles", "pgsql", "templates", name)
		if st, err := os.Stat(p); err == nil && st.Mode().IsRegular() {
			return p
		}
	}
	return ""
}

// managed is the date of the 'ansible managed' line: --managed-at, the
// modification time of the checkout's template, else the inventory's, so that
// rendering twice gives the same bytes.
func (a *app) managed(source string) string {
	if a.managedAt != "" {
		return a.managedAt
	}
	file := source
	if home := a.home(source); home != "" {
		file = templateIn(home)
	}
	if t := modTime(file); !t.IsZero() {
		return t.Format(managedLayout)
	}
	return now().Format(managedLayout)
}

// prober asks nodes; it takes the CA that load found beside the inventory.
func (a *app) prober() *probe.Prober { return probe.New(probe.Options{RequireAuth: a.requireAuth}) }

// nodes reads nodes over SSH.
func (a *app) nodes() node.Reader { return node.Reader{Runner: a.runner(), Now: now} }

// runner is the door to the nodes; nothing else runs anything there.
func (a *app) runner() transport.Runner {
	return &transport.Guard{
		Runner:   &transport.Auto{SSH: transport.SSH{ConfigFile: a.sshConfig, Program: a.sshProgram, ControlDir: a.sshControl, Sudo: a.sudo, ReadOnly: a.readOnly() != ""}},
		ReadOnly: a.readOnly(), Now: now, Ran: a.log.add,
	}
}

// applier reads and changes the HAProxy files of the nodes of an inventory.
func (a *app) applier(source string) *apply.Applier {
	return &apply.Applier{
		Audit:   a.auditFile(source),
		Who:     a.operator(),
		Runner:  a.runner(),
		Stats:   a.prober().Stats,
		Probe:   a.prober().Probe,
		Now:     now,
		Managed: a.managed(source),
	}
}
