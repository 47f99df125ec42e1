package text

// Longest texts kept from an answer, in runes.
const (
	MaxName = 128 // names, states, addresses
	MaxNote = 256 // free text
)
