package transport

import (
	"bytes"
	"context"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// ansibleTime is how long `ansible --version` may take: Python starts slowly.
const ansibleTime = 8 * time.Second

var (
	coreLine    = regexp.MustCompile(`(?m)^ansible(?:-playbook)? \[core ([0-9][0-9A-Za-z.]*)\]`)
	oldLine     = regexp.MustCompile(`(?m)^ansible(?:-playbook)? ([0-9][0-9A-Za-z.]*)`)
	releaseLine = regexp.MustCompile(`(?m)^__version__ = ['"]([0-9][0-9A-Za-z.]*)['"]`)
)

// AnsibleCore is the version of the ansible-core on this machine that runs the
// playbooks, such as "2.14.18"; "" when there is none or its output is another. It
// reads the file that `ansible --version` prints. When that cannot be found
// and ask is set, it runs the command, with 8 seconds.
func AnsibleCore(ctx context.Context, ask bool) string {
	path, err := exec.LookPath("ansible-playbook")
	if err != nil {
		return ""
	}
	if v := installedCore(path); v != "" || !ask {
		return v
	}
	out, err := runProgram(ctx, "ansible-playbook", ansibleTime, maxStderr, []string{path, "--version"})
	if err != nil {
		return ""
	}
	return coreVersion(out)
}

// coreVersion finds the version in what `ansible --version` prints.
func coreVersion(out []byte) string {
	for _, re := range []*regexp.Regexp{coreLine, oldLine} {
		if m := re.FindSubmatch(out); m != nil {
			return string(m[1])
		}
	}
	return ""
}

// installedCore finds the version in the package that belongs to the script;
// "" when there is not exactly one answer.
func installedCore(script string) string {
	prefixes := []string{filepath.Dir(filepath.Dir(script))}
	if real, err := filepath.EvalSymlinks(script); err == nil {
		prefixes = append(prefixes, filepath.Dir(filepath.Dir(real)))
	}
	first, err := head(script, 256)
	if err != nil || !bytes.HasPrefix(first, []byte("#!")) {
		return ""
	}
	line, _, _ := strings.Cut(string(first[2:]), "\n")
	words := strings.Fields(line)
	if !strings.Contains(line, "python") || len(words) == 0 {
		return "" // a wrapper, which may start any of them
	}
	if strings.HasPrefix(filepath.Base(words[0]), "python") {
		prefixes = append([]string{filepath.Dir(filepath.Dir(words[0]))}, prefixes...)
	}
	for _, p := range prefixes {
		found := map[string]bool{}
		for _, pattern := range []string{"lib/python3*/site-packages", "lib64/python3*/site-packages", "lib/python3*/dist-packages", "local/lib/python3*/dist-packages"} {
			files, _ := filepath.Glob(filepath.Join(p, pattern, "ansible", "release.py"))
			for _, f := range files {
				if text, err := head(f, 16<<10); err == nil {
					if m := releaseLine.FindSubmatch(text); m != nil {
						found[string(m[1])] = true
					}
				}
			}
		}
		if len(found) == 1 {
			for v := range found {
				return v
			}
		}
		if len(found) > 1 {
			return "" // which one runs, only Python knows
		}
	}
	return ""
}

// head is the first n bytes of a file.
func head(path string, n int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, n))
}
