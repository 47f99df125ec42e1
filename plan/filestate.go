package plan

import (
	"slices"

	"pgtui/model"
)

// FileState is how a file in an HAProxy directory stands to the inventory.
type FileState string

// The states of a file.
const (
	FileSame       FileState = "same"       // as declared, the date line aside
	FileCosmetic   FileState = "cosmetic"   // other bytes, and HAProxy reads the same
	FileSemantic   FileState = "semantic"   // HAProxy would do something else
	FileMissing    FileState = "missing"    // declared, not there
	FileExtra      FileState = "extra"      // this cluster's, not declared any more: a reload deletes it
	FileUnrendered FileState = "unrendered" // this cluster's, and what it should be cannot be told: left alone
	FileForeign    FileState = "foreign"    // another cluster's, or nobody's: left alone
	FileStale      FileState = "stale"      // this cluster's, on a node that no longer provides it: no reload touches it
)

// FileDrift is one file of a node.
type FileDrift struct {
	Name  string
	State FileState
	// Owner is the cluster a foreign file belongs to; "" when no cluster of
	// the inventory claims it, and for files of the cluster itself.
	Owner model.ClusterName
	// Summary says in words what a reload changes in it, safe to print.
	Summary       []string
	Before, After []byte // nil when the file does not exist, is deleted, or is foreign
}

// NodeDrift is one node with the files in its HAProxy directory.
type NodeDrift struct {
	Host    model.Host
	Node    string // nodename
	ConfDir string
	Front   bool        // it provides the cluster's services
	Files   []FileDrift // by name; of a node that is no front the stale ones only
	Err     error       // why the node could not be read
	// ByHand are the servers of its HAProxy that were taken out by hand, in words.
	ByHand []string
}

// Differs reports whether something on the node is not as the inventory has
// it. Files of others do not count, nor those that cannot be told.
func (n NodeDrift) Differs() bool {
	return slices.ContainsFunc(n.Files, func(f FileDrift) bool {
		return f.State != FileSame && f.State != FileForeign && f.State != FileUnrendered
	})
}
