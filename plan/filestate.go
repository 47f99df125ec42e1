package plan

import (
	"slices"

	"pgtui/model"
)

// FileState is how a file in an HAProxy directory compares with the inventory.
type FileState string

// The states of a file.
const (
	FileSame       FileState = "same"       // as declared, except the date line
	FileCosmetic   FileState = "cosmetic"   // other bytes, but no difference to HAProxy
	FileSemantic   FileState = "semantic"   // HAProxy would behave differently
	FileMissing    FileState = "missing"    // declared, and not on the node
	FileExtra      FileState = "extra"      // this cluster's, and no longer declared: a reload deletes it
	FileUnrendered FileState = "unrendered" // this cluster's, and its service cannot be rendered: not changed
	FileForeign    FileState = "foreign"    // another cluster's, or of unknown owner: not changed
	FileStale      FileState = "stale"      // this cluster's, on a node that no longer provides its services: not changed
)

// FileDrift is one file of a node.
type FileDrift struct {
	Name  string
	State FileState
	// Owner is the cluster a foreign file belongs to; "" when no cluster of
	// the inventory claims it, and for files of the cluster itself.
	Owner model.ClusterName
	// Summary is what a reload changes in it, in words, safe to print.
	Summary       []string
	Before, After []byte // nil when the file does not exist, is deleted, or is foreign
}

// NodeDrift is one node with the files in its HAProxy directory.
type NodeDrift struct {
	Host    model.Host
	Node    string // nodename
	ConfDir string
	Front   bool        // it provides the cluster's services
	Files   []FileDrift // by name; only the stale ones unless Front
	Err     error       // why the node could not be read
	// ByHand are the servers of its HAProxy that were taken out by hand, in words.
	ByHand []string
}

// Differs reports whether a file on the node differs from the inventory. Foreign
// files and those that cannot be rendered do not count.
func (n NodeDrift) Differs() bool {
	return slices.ContainsFunc(n.Files, func(f FileDrift) bool {
		return f.State != FileSame && f.State != FileForeign && f.State != FileUnrendered
	})
}
