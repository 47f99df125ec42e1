package jsonv1

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"pgtui/plan"
)

// digestOf names the hash that a digest is.
const digestOf = "sha256:"

// Sum is the digest of the whole document but for the digest itself: of its
// JSON without white space.
func (p Plan) Sum() string {
	p.Digest = ""
	text, err := compact(p)
	if err != nil {
		return "" // strings, numbers and times only: it cannot be
	}
	sum := sha256.Sum256(text)
	return digestOf + hex.EncodeToString(sum[:])
}

// compact is the JSON of a document as it is printed, without white space.
func compact(p Plan) ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	err := enc.Encode(p)
	return bytes.TrimSpace(out.Bytes()), err
}

// Why a file is not a plan as pgtui has written it, to be said of the file.
var (
	ErrNoDigest = errors.New("has no digest, so that nobody can tell whether it was edited")
	ErrEdited   = errors.New("was edited after it was saved")
)

// ReadPlan reads a document as it was saved. A field that was changed, added or
// removed, wherever it stands, is an error; white space may differ.
func ReadPlan(text []byte) (Plan, error) {
	var p Plan
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("is no plan: %w", err)
	}
	var given bytes.Buffer
	want, err := compact(p)
	if err == nil {
		err = json.Compact(&given, text)
	}
	switch {
	case err != nil:
		return p, fmt.Errorf("is no plan: %w", err)
	case p.Version != 1 || p.Action != plan.ActionReload || p.Plan == "" || p.Cluster == "" || len(p.Nodes) == 0:
		return p, errors.New("is no plan of this version of pgtui")
	case p.Digest == "":
		return p, ErrNoDigest
	case p.Digest != p.Sum(), !bytes.Equal(given.Bytes(), want):
		return p, ErrEdited
	}
	return p, nil
}
