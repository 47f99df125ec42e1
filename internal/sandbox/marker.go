package sandbox

import (
	"os"
	"path/filepath"
	"strings"
)

// IsNode reports whether root is the directory that stands for the "/" of a node
// of any sandbox.
func IsNode(root string) bool {
	if !filepath.IsAbs(root) || filepath.Clean(root) != root || strings.ContainsAny(root, ":\x00") {
		return false
	}
	nodes := filepath.Dir(root)
	st, err := os.Lstat(markerPath(filepath.Dir(nodes)))
	return err == nil && st.Mode().IsRegular() && filepath.Base(nodes) == "nodes"
}
