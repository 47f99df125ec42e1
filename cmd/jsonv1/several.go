package jsonv1

// Several is what a command prints for several clusters, or for a pattern of them,
// whose document is about one.
type Several struct {
	Version  int   `json:"version"`   // 1
	ExitCode int   `json:"exit_code"` // as the command exits: the worst of the clusters
	Clusters []any `json:"clusters"`  // the documents, or Failed, in the order of the names and of the inventory
}

// Failed is in the place of the document of a cluster that could not be examined.
type Failed struct {
	Version  int    `json:"version"` // 1
	Cluster  string `json:"cluster"`
	ExitCode int    `json:"exit_code"`
	Error    string `json:"error"`
}
