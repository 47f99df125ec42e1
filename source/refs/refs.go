// Package refs looks elements of a slice up by reference: the values of the model
// are large, and are changed where they are.
package refs

// Find is the first element that is wanted, nil when there is none.
func Find[T any](s []T, wanted func(*T) bool) *T {
	for i := range s {
		if wanted(&s[i]) {
			return &s[i]
		}
	}
	return nil
}
