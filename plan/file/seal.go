package file

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"pgtui/plan"
)

// digestOf names the hash that a digest is.
const digestOf = "sha256:"

// Sum is the digest of the whole document except the digest itself: of its
// JSON without white space.
func (p Plan) Sum() string {
	p.Digest = ""
	return sumOf(p)
}

func (p Plan) digest() string { return p.Digest }

// sumOf is the digest of a document without one.
func sumOf(doc any) string {
	text, err := compact(doc)
	if err != nil {
		return "" // never: it has strings, numbers and times only
	}
	sum := sha256.Sum256(text)
	return digestOf + hex.EncodeToString(sum[:])
}

// compact is the JSON of a document as it is printed, without white space.
func compact(p any) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(p)
	return bytes.TrimSpace(out.Bytes()), err
}

// Why a file is not a plan as pgtui wrote it; the file's name comes before.
var (
	ErrNoDigest = errors.New("has no digest, so an edit would go unnoticed")
	ErrEdited   = errors.New("was edited after it was saved")
)

// Write writes a document: a Plan or an Action.
func Write(w io.Writer, p any) error {
	text, err := compact(p)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := json.Indent(&out, text, "", "  "); err != nil {
		return err
	}
	out.WriteByte('\n')
	_, err = w.Write(out.Bytes())
	return err
}

// MaxSize bounds a saved plan, in bytes.
const MaxSize = 64 << 20

// Read reads a document as it was saved. A field that was changed, added or
// removed is an error wherever it is; white space may differ.
func Read(r io.Reader) (Plan, error) {
	text, err := all(r)
	if err != nil {
		return Plan{}, err
	}
	return parse(text)
}

// all reads a document, at most MaxSize of it.
func all(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, MaxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("cannot be read: %w", err)
	case len(text) > MaxSize:
		return nil, errors.New("is larger than 64 MB")
	}
	return text, nil
}

func parse(text []byte) (Plan, error) {
	return unsealed(text, func(p *Plan) bool {
		return p.Version == 1 && p.Action == plan.ActionReload && p.Plan != "" && p.Cluster != "" && len(p.Nodes) > 0
	})
}

// document is one that has a digest of itself.
type document interface {
	Sum() string    // of all but the digest
	digest() string // as it was saved
}

// unsealed reads a document that is one of this version and as it was saved.
func unsealed[T document](text []byte, of func(*T) bool) (T, error) {
	var p T
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("is not a plan: %w", err)
	}
	var given bytes.Buffer
	want, err := compact(p)
	if err == nil {
		err = json.Compact(&given, text)
	}
	switch {
	case err != nil:
		return p, fmt.Errorf("is not a plan: %w", err)
	case !of(&p):
		return p, errors.New("is not a plan of this version of pgtui")
	case p.digest() == "":
		return p, ErrNoDigest
	case p.digest() != p.Sum(), !bytes.Equal(given.Bytes(), want):
		return p, ErrEdited
	}
	return p, nil
}
