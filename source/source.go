package source

// Pos is a place in a file. The zero Pos means "unknown".
type Pos struct {
	File   string
	Line   int // from 1
	Column int // from 1
}

// Problem is something wrong with the inventory that left the rest usable.
type Problem struct {
	At      Pos
	Subject string // cluster, service or host it is about, as the user knows it
	What    string // what is wrong
	Try     string // what to do next; "" when there is nothing to say
	Fatal   bool   // Ansible would fail here: the files it names are not written
}
