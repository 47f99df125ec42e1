package soak

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/pigsty"
)

// Lab is the lab's command.
type Lab struct {
	Script string // path of testdata/lab/lab
}

// labTimeout bounds one command; a switchover may take Patroni 40 s.
const labTimeout = 90 * time.Second

// Do runs `lab args…` and returns its output.
func (l Lab) Do(ctx context.Context, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, labTimeout)
	defer cancel()
	c := exec.CommandContext(ctx, l.Script, args...)
	c.Env = append(os.Environ(), "LAB_QUIET=1")
	c.WaitDelay = time.Second
	out, err := c.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("lab %s: %w: %s", strings.Join(args, " "), err, text.Line(string(out), 300))
	}
	return strings.TrimSpace(string(out)), nil
}

// OnLab is Run against the lab that is up. It resets the lab before and after.
// only is Options.Only.
func OnLab(ctx context.Context, script string, length time.Duration, seed uint64, only string, log io.Writer) (*Report, error) {
	lab := Lab{Script: script}
	inv, err := lab.Inventory(ctx)
	if err != nil {
		return nil, err
	}
	if _, err := lab.Do(ctx, "reset"); err != nil {
		return nil, err
	}
	rep, err := Run(ctx, Options{
		Lab: lab, Inventory: inv, Cluster: "pg-test", For: length, Seed: seed, Only: only, Log: log, Now: time.Now,
		Login: model.Login{User: "test", Password: "test", Databases: []string{"test"}},
	})
	if _, err2 := lab.Do(context.WithoutCancel(ctx), "reset"); err2 != nil {
		err = errors.Join(err, err2)
	}
	return rep, err
}

// Inventory is the inventory of the lab that is up.
func (l Lab) Inventory(ctx context.Context) (*model.Inventory, error) {
	path, err := l.Do(ctx, "inventory")
	if err != nil {
		return nil, err
	}
	dir := filepath.Dir(path)
	// With LAB_TLS the CA is beside the inventory; without it no CA is used.
	inv, err := pigsty.Load(os.DirFS(dir), filepath.Base(path), pigsty.Options{CAFile: filepath.Join(dir, "files/pki/ca/ca.crt")})
	if err != nil {
		return nil, fmt.Errorf("inventory of the lab: %w", err)
	}
	return inv, nil
}
