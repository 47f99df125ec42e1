package main

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// The parts of CycloneDX 1.6 that are written.
type (
	cdx struct {
		Format       string          `json:"bomFormat"`
		Spec         string          `json:"specVersion"`
		Serial       string          `json:"serialNumber"`
		Version      int             `json:"version"`
		Metadata     cdxMetadata     `json:"metadata"`
		Components   []cdxComponent  `json:"components"`
		Dependencies []cdxDependency `json:"dependencies"`
	}
	cdxMetadata struct {
		Timestamp string       `json:"timestamp"`
		Component cdxComponent `json:"component"`
	}
	cdxComponent struct {
		Ref        string         `json:"bom-ref"`
		Type       string         `json:"type"`
		Name       string         `json:"name"`
		Version    string         `json:"version,omitempty"`
		Scope      string         `json:"scope,omitempty"`
		Hashes     []cdxHash      `json:"hashes,omitempty"`
		Licences   []cdxLicence   `json:"licenses,omitempty"`
		PURL       string         `json:"purl,omitempty"`
		Components []cdxComponent `json:"components,omitempty"`
	}
	cdxHash struct {
		Alg     string `json:"alg"`
		Content string `json:"content"`
	}
	cdxLicence struct {
		Licence struct {
			ID string `json:"id"`
		} `json:"license"`
	}
	cdxDependency struct {
		Ref       string   `json:"ref"`
		DependsOn []string `json:"dependsOn,omitempty"`
	}
)

// sbom lists what the program is built from, as CycloneDX. A module's digest is that of
// go.sum; files are the binaries.
func sbom(w io.Writer, e edition, mods []*module, files []string) error {
	doc := cdx{Format: "CycloneDX", Spec: "1.6", Version: 1, Metadata: cdxMetadata{Timestamp: e.Date.Format(time.RFC3339)}, Components: []cdxComponent{}}
	ref := map[string]string{}
	for _, m := range mods {
		if ref[m.Path] = purl(m.Path, m.Version); m.Main {
			ref[m.Path] = purl(m.Path, e.Version)
		}
	}
	for _, m := range mods {
		c := cdxComponent{Ref: ref[m.Path], Type: "library", Name: m.Path, Version: m.Version, Scope: "required", PURL: ref[m.Path]}
		for _, k := range m.kinds() {
			c.Licences = append(c.Licences, cdxID(k))
		}
		if sum, ok := strings.CutPrefix(m.Sum, "h1:"); ok {
			b, err := base64.StdEncoding.DecodeString(sum)
			if err != nil {
				return fmt.Errorf("%s: %w", m.Path, err)
			}
			c.Hashes = []cdxHash{{"SHA-256", hex.EncodeToString(b)}}
		}
		needs := cdxDependency{Ref: c.Ref}
		for _, n := range m.Needs {
			needs.DependsOn = append(needs.DependsOn, ref[n])
		}
		doc.Dependencies = append(doc.Dependencies, needs)
		if !m.Main {
			doc.Components = append(doc.Components, c)
			continue
		}
		c.Type, c.Version, c.Scope, c.Licences = "application", e.Version, "", []cdxLicence{cdxID("Apache-2.0")}
		for _, name := range files {
			b, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			sum := sha256.Sum256(b)
			name = filepath.Base(name)
			c.Components = append(c.Components, cdxComponent{Ref: "file:" + name, Type: "file", Name: name, Hashes: []cdxHash{{"SHA-256", hex.EncodeToString(sum[:])}}})
		}
		doc.Metadata.Component = c
	}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	id := sha256.Sum256(body) // the same list has the same number
	id[6], id[8] = id[6]&0x0f|0x80, id[8]&0x3f|0x80
	doc.Serial = fmt.Sprintf("urn:uuid:%x-%x-%x-%x-%x", id[0:4], id[4:6], id[6:8], id[8:10], id[10:16])
	out := json.NewEncoder(w)
	out.SetIndent("", "  ")
	return out.Encode(doc)
}

func cdxID(kind string) (l cdxLicence) {
	l.Licence.ID = kind
	return l
}

// purl is a module as a package URL.
func purl(path, version string) string { return "pkg:golang/" + path + "@" + version }
