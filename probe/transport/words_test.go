package transport

import (
	"strings"
	"testing"
)

// TestShellsSayNothingRaw holds that nobody reads a shell's own words.
func TestShellsSayNothingRaw(t *testing.T) {
	for raw, want := range map[string]string{
		"sh: 12: socat: not found":                                        "there is no program socat",
		"bash: line 3: socat: command not found":                          "there is no program socat",
		"/bin/sh: 1: cannot create /etc/haproxy/x: Read-only file system": "/etc/haproxy/x cannot be written: Read-only file system",
		"sh: 7: cannot open /etc/haproxy/haproxy.cfg: No such file":       "/etc/haproxy/haproxy.cfg cannot be read: No such file",
		"dash: 3: Syntax error: \"(\" unexpected":                         "its shell does not understand the script",
		"sh: 4: R: parameter not set":                                     "its shell does not understand the script",
		"zsh:1: command not found: sudo":                                  "there is no program sudo",
		"-bash: /etc/x: Permission denied":                                "/etc/x: Permission denied",
		"haproxy: the file is not there":                                  "haproxy: the file is not there",
		"sshd: no":                                                        "sshd: no",
	} {
		if got := Words([]byte(raw+"\n"), 2); got != want {
			t.Errorf("%q: %q, want %q", raw, got, want)
		}
	}
	err := unfinished(t.Context(), "h", newStream("end", nil, false), []byte("sh: 1: foo: not found\n"), nil, false)
	if err == nil || strings.Contains(err.Error(), "sh: 1") || !strings.Contains(err.Error(), "there is no program foo") {
		t.Errorf("%v", err)
	}
}
