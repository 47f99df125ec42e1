package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"pgtui/apply"
	"pgtui/internal/config"
	"pgtui/probe/transport"
	"pgtui/source"
	"pgtui/tui/page"
)

// saveSettings writes settings into the configuration, as a whole or not at all, and
// returns its file. A setting that the open context has itself is changed there. What
// the file has beside them stays.
func (a *app) saveSettings(changed []page.Setting) (string, error) {
	if err := transport.Refusal(a.ReadOnlyBy()); err != nil {
		return "", err
	}
	name := a.configFile()
	if name == "" {
		return "", &source.Hint{Err: errors.New("neither HOME nor XDG_CONFIG_HOME is set"), Try: "PGTUI_CONFIG=/path/to/config.yml"}
	}
	old, err := readAtMost(name, maxConfig)
	there := err == nil
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return "", err
	}
	data := old
	before, problems := config.Parse(name, data, known())
	if problems = errorsOf(problems); len(problems) > 0 {
		return "", &source.Hint{Err: problems[0], Try: "pgtui config check"}
	}
	for _, s := range changed {
		if data, err = config.Set(data, a.pathOf(before, s), s.Value); err != nil {
			return "", &source.Hint{Err: fmt.Errorf("%s: %s: %w", name, s.Name, err), Try: fmt.Sprintf("write %s: %s into it", s.Path[len(s.Path)-1], s.Value)}
		}
	}
	if _, problems = config.Parse(name, data, known()); len(errorsOf(problems)) > 0 {
		return "", errorsOf(problems)[0]
	}
	if there {
		return name, apply.WriteInventory(name, old, data) // which is careful with any file
	}
	return name, createFile(name, data)
}

// pathOf is where a setting is in the file: in the open context, when that has it.
func (a *app) pathOf(c config.Config, s page.Setting) []string {
	x, ok := c.Of(a.context.Name)
	own := map[string]bool{"theme": x.Theme != "", "refresh": x.Refresh != 0}
	if ok && own[s.Name] {
		return slices.Concat([]string{"contexts", x.Name}, s.Path)
	}
	return s.Path
}

// errorsOf are the problems that are more than warnings.
func errorsOf(problems []config.Problem) []config.Problem {
	return slices.DeleteFunc(slices.Clone(problems), func(p config.Problem) bool { return p.Warning })
}

// readAtMost reads a file that is no larger than that.
func readAtMost(name string, most int64) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return nil, fmt.Errorf("configuration %s: %w", name, err)
	}
	if int64(len(data)) > most {
		return nil, fmt.Errorf("configuration %s is larger than 1 MB", name)
	}
	return data, nil
}

// createFile writes a file that is not there yet, with its directories.
func createFile(name string, data []byte) error {
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}
