// Package show prints values for people: a function a value, with no decision in
// it and nothing read. JSON is in jsonv1.
package show
