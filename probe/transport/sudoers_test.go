package transport

import (
	"strings"
	"testing"
)

// TestSudoers: the line has the command of the launcher; TestLabSetup proves it with real sudo.
func TestSudoers(t *testing.T) {
	line := Sudoers("dba")
	if line != `dba ALL=(root) NOPASSWD: /bin/sh -c echo pgtui\: ready; exec sh -s, /usr/bin/sh -c echo pgtui\: ready; exec sh -s` {
		t.Error(line)
	}
	if !strings.Contains(rootShell(false), `sudo -n sh -c "`+plainShell+`"`) {
		t.Error("the launcher runs another command line")
	}
}
