package session

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"pgtui/ansible/inventory"
	"pgtui/internal/sandbox"
	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/pigsty"
	"pgtui/probe/transport"
	"pgtui/source"
	"pgtui/source/budget"
)

// Load finds and reads the inventory.
func (s *Session) Load(ctx context.Context) (*model.Inventory, error) {
	play, err := s.Play(ctx)
	if err != nil {
		return nil, err
	}
	return play.Model, nil
}

// Play finds the inventory and runs the playbook over it on paper.
func (s *Session) Play(ctx context.Context) (*pigsty.Play, error) {
	path, err := s.Find()
	if err != nil {
		return nil, err
	}
	return s.playFile(ctx, path)
}

// LoadFile makes the model of the inventory at path.
func (s *Session) LoadFile(ctx context.Context, path string) (*model.Inventory, error) {
	play, err := s.playFile(ctx, path)
	if err != nil {
		return nil, err
	}
	return play.Model, nil
}

// Variables finds the inventory and reads it as ansible-inventory does: no
// playbook runs. playbooks is the directory the playbooks run from, "" for none.
func (s *Session) Variables(ctx context.Context, playbooks string) (*inventory.Inventory, error) {
	path, err := s.Find()
	if err != nil {
		return nil, err
	}
	defer s.doing("reading the inventory")()
	inv, _, err := s.readFile(ctx, budget.New(), path, playbooks, newInputs())
	return inv, err
}

// playFile runs the playbook on paper over the inventory at path, with the
// rules of the Pigsty checkout and the ansible-core of this machine. The error is
// a *source.Unread.
func (s *Session) playFile(ctx context.Context, path string) (*pigsty.Play, error) {
	defer s.doing("reading the inventory")()
	seen := newInputs()
	for _, dir := range s.configDirs(path) {
		seen.add(filepath.Join(dir, "ansible.cfg"))
	}
	play, err := s.playSeen(ctx, path, seen)
	if err != nil {
		return nil, &source.Unread{Err: err, Inputs: seen.all()}
	}
	play.Model.Inputs = seen.all()
	if s.Loaded != nil {
		s.Loaded(play.Model)
	}
	return play, nil
}

// configDirs are the directories whose ansible.cfg decides which inventory is
// read, or how.
func (s *Session) configDirs(path string) []string {
	dirs := []string{filepath.Dir(path)}
	if s.found() {
		dirs = append(dirs, s.Getenv("PIGSTY_HOME"), join(s.Getenv("HOME"), "pigsty"))
	}
	return slices.DeleteFunc(append(dirs, s.PigstyHome), func(dir string) bool { return dir == "" })
}

// found reports that no one names the inventory: it is found where Pigsty puts it.
func (s *Session) found() bool { return s.Inventory == "" && s.Getenv("PGTUI_INVENTORY") == "" }

func (s *Session) playSeen(ctx context.Context, path string, seen *inputs) (*pigsty.Play, error) {
	o := pigsty.Options{LoadedAt: s.Now(), Core: s.Core}
	var err error
	if s.Dialect != "" {
		if o.Dialect, err = pigsty.ParseDialect(s.Dialect); err != nil {
			return nil, fmt.Errorf("--dialect: %w", err)
		}
	}
	if o.Core == "" {
		o.Core = transport.AnsibleCore(ctx, s.Preview && s.ReadOnlyBy() == "") // ansible leaves files in ~/.ansible
	}
	home := s.Home(path)
	done, err := s.turn(ctx)
	if err != nil {
		return nil, err
	}
	defer done()
	b := budget.New()
	inv, paths, err := s.readFile(ctx, b, path, home, seen)
	if err != nil {
		return nil, err
	}
	for h, role := range s.roles {
		if x := inv.Host(string(h)); x != nil {
			x.Override("pg_role", role)
		}
	}
	if home != "" {
		o.Checkout = pigsty.ReadCheckoutIn(b, seen.dir(home), home)
	}
	o.CAFile = s.caFile(filepath.Dir(paths[0]), seen)
	play := pigsty.NewPlay(inv, o)
	if err := play.Err(); err != nil {
		return nil, err
	}
	if err := sandboxed(play); err != nil {
		return nil, err
	}
	play.Model.Path, play.Model.EntryPoints = Resolved(path), s.EntryPoints
	return play, nil
}

// caFile is Pigsty's CA in the checkout or beside the inventory, "" without one.
func (s *Session) caFile(beside string, seen *inputs) string {
	for _, dir := range []string{s.PigstyHome, beside} {
		if dir == "" {
			continue
		}
		file := filepath.Join(dir, "files", "pki", "ca", "ca.crt")
		seen.add(file)
		if _, err := os.Stat(file); err == nil {
			return file
		}
	}
	return ""
}

// turn waits until no other inventory is being read: the console reads it for
// more than one purpose, and a budget is for one at a time.
func (s *Session) turn(ctx context.Context) (done func(), err error) {
	done = func() { <-s.loading }
	select {
	case s.loading <- struct{}{}:
		return done, nil // a context that has ended is for the load to notice
	default:
	}
	select {
	case s.loading <- struct{}{}:
		return done, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("the inventory is already being read: %w", source.Ended(ctx))
	}
}

// readFile reads the sources that path names: one file, program or directory,
// or several with commas between, as ansible.cfg may have them. playbooks is the
// directory the playbooks run from, "" for none.
func (s *Session) readFile(ctx context.Context, b *budget.Budget, path, playbooks string, seen *inputs) (*inventory.Inventory, []string, error) {
	paths := sourcesIn(path)
	o := inventory.Options{Budget: b, Run: func(file string, args ...string) ([]byte, error) {
		if s.runsNothing {
			return nil, errRuns
		}
		seen.ran(file)
		if len(args) > 0 && args[0] != "--host" { // one line, not one for each host
			s.running(file, args...)
		}
		return transport.RunInventory(ctx, file, args...)
	}}
	var err error
	if o.VaultPassword, err = s.vaultPassword(ctx, paths[0], seen); err != nil {
		return nil, nil, err
	}
	sources := make([]inventory.Source, 0, len(paths))
	for _, p := range paths {
		src, err := sourceOf(p, seen)
		if err != nil {
			return nil, nil, err
		}
		sources = append(sources, src)
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
	src := inventory.Source{FS: seen.dir(filepath.Dir(abs)), Name: filepath.Base(abs)}
	if dir := filepath.Dir(path); dir != "." {
		src.Display = dir
	}
	return src, nil
}

// vaultPassword is the password that was typed, or the content of the vault
// file, or its output when it is a program; "" without one.
func (s *Session) vaultPassword(ctx context.Context, inventory string, seen *inputs) (string, error) {
	if s.AskVault {
		return s.typedPassword(ctx)
	}
	file, by := s.vaultSource(inventory)
	if file == "" {
		return "", nil
	}
	_, err := os.Stat(file)
	seen.add(file)
	if err != nil {
		return "", fmt.Errorf("%s: %w", by, err)
	}
	var pw []byte
	if Executable(file) {
		if s.runsNothing {
			return "", errRuns
		}
		seen.ran(file)
		s.running(file)
		pw, err = transport.RunPassword(ctx, file)
	} else {
		pw, err = os.ReadFile(file)
	}
	if err != nil {
		return "", fmt.Errorf("%s: %w", by, err)
	}
	return strings.TrimSpace(string(pw)), nil
}

// vaultSource is the file or program with the vault password, "" for none, and
// what names it: the option, else the ansible.cfg in the checkout or beside the
// inventory.
func (s *Session) vaultSource(inventory string) (file, by string) {
	if s.VaultFile != "" {
		return s.VaultFile, "--vault-password-file"
	}
	for _, dir := range []string{s.PigstyHome, filepath.Dir(inventory)} {
		cfg := filepath.Join(dir, "ansible.cfg")
		if dir == "" || !s.trusted(cfg) {
			continue
		}
		if p := ansiblePaths(cfg, "vault_password_file"); len(p) == 1 {
			return s.Expand(p[0]), "vault_password_file of " + cfg
		}
	}
	return "", ""
}

// AsksForPassword reports whether loading the inventory at path prompts for a
// password, or runs a program that may.
func (s *Session) AsksForPassword(path string) bool {
	file, _ := s.vaultSource(path)
	return s.AskVault || file != ""
}

// Announce names the programs that loading the inventory at path will run.
func (s *Session) Announce(path string) {
	for p := range strings.SplitSeq(path, ",") {
		if p = strings.TrimSpace(p); program(p) {
			s.running(p, "--list")
		}
	}
	if file, _ := s.vaultSource(path); file != "" && !s.AskVault && Executable(file) {
		s.running(file)
	}
}

// typedPassword prompts for the vault password once.
func (s *Session) typedPassword(ctx context.Context) (string, error) {
	if s.typed == "" {
		text, err := s.Ask(ctx, "Vault password: ")
		if err != nil {
			return "", fmt.Errorf("--ask-vault-pass: %w", err)
		}
		s.typed = strings.TrimSpace(text)
	}
	return s.typed, nil
}

// running names a program that is about to run on this machine: to the
// operator, and in the log where nothing can be printed.
func (s *Session) running(file string, args ...string) {
	abs, err := filepath.Abs(file)
	if err != nil {
		abs = file
	}
	argv := append([]string{abs}, args...)
	if s.Notice == nil {
		s.log.add(model.Ran{At: s.Now(), Node: "this machine", Argv: argv, Reads: true})
		return
	}
	s.notice("running " + text.Line(strings.Join(argv, " "), 400))
}

// trusted reports whether an ansible.cfg counts: as Ansible, pgtui ignores one
// that another user can write, and prints that once.
func (s *Session) trusted(cfg string) bool {
	if _, err := os.Stat(cfg); err != nil {
		return false
	}
	err := transport.Trusted(cfg)
	if st, serr := os.Stat(filepath.Dir(cfg)); err == nil && serr == nil && st.Mode()&0o002 != 0 {
		err = fmt.Errorf("%s: everybody may write to its directory", text.Line(cfg, 200))
	}
	if err != nil && s.Notice != nil && !slices.Contains(s.untrusted, cfg) {
		s.untrusted = append(s.untrusted, cfg)
		s.notice(fmt.Sprintf("warning: %s is ignored, as Ansible does: %v", text.Line(cfg, 200), err))
	}
	return err == nil
}

// sandboxed is an error when the inventory has a directory in place of a node's
// root, and that directory is not of pgtui's own sandbox: any program in its bin
// would run.
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
		return &source.Hint{Err: fmt.Errorf("%s:%d:%d: pgtui_root of host %s: %s is not a node of pgtui's sandbox", at.File, at.Line, max(at.Column, 1), n.Host, text.Line(root, 200)),
			Try: "remove pgtui_root from the inventory"}
	}
	return nil
}

// Home is the Pigsty checkout: the option, else the directory of the inventory
// at path when it is one, else ~/pigsty when the inventory was found; "" without
// one.
func (s *Session) Home(path string) string {
	dirs := []string{s.PigstyHome, filepath.Dir(path)}
	if s.found() {
		dirs = append(dirs, join(s.Getenv("HOME"), "pigsty"))
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
