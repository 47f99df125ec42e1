package cmd

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"

	"pgtui/cmd/show"
	"pgtui/internal/text"
	"pgtui/lang"
)

// format is the value of -o.
type format string

// The formats that several commands have.
const (
	formatWide format = "wide"
	formatJSON format = "json"
	formatYAML format = "yaml"
)

// document reports whether the answer is printed as JSON or YAML, for programs.
func (f format) document() bool { return f == formatJSON || f == formatYAML }

// outputFlag adds -o; the first value is the default. Where there is JSON there
// are YAML and wide too: the caller lists neither. help is what is to know beside
// the list of the values, "" for nothing.
func outputFlag(c *cobra.Command, to *format, help string, values ...string) {
	*to = format(values[0])
	if at := slices.Index(values, string(formatJSON)); at > 0 {
		values = slices.Concat(values[:at], []string{string(formatWide), string(formatJSON), string(formatYAML)}, values[at+1:])
	}
	c.Flags().VarP(&choice{flag: "-o", to: (*string)(to), of: values}, "output", "o", strings.TrimSuffix(text.Or(values)+"; "+help, "; "))
}

// reply prints an answer, as JSON, as YAML or as text, and exits with its code.
func (a *app) reply(output format, code int, doc func() any, text func(w show.Out)) error {
	if !output.document() {
		text(a.to(output))
	} else if err := printDocument(a.io.Out, output, doc()); err != nil {
		return err
	}
	return exit(code, nil)
}

// to is where text goes, and how it is printed.
func (a *app) to(output format) show.Out {
	return show.Out{Writer: lang.NewLines(a.io.Out), File: a.io.Out, Wide: output == formatWide, Colour: a.inColour}
}

// plain is to of a command without -o wide.
func (a *app) plain() show.Out { return a.to("") }

// printDocument writes one document, as JSON or as YAML.
func printDocument(w io.Writer, output format, v any) error {
	if output != formatYAML {
		return printJSON(w, v)
	}
	var doc bytes.Buffer
	if err := printJSON(&doc, v); err != nil {
		return err
	}
	text, err := yamlOf(doc.Bytes())
	if err != nil {
		return fmt.Errorf("-o yaml: %w", err)
	}
	_, err = w.Write(text)
	return err
}

// printBatch writes one document of many: JSON in a line, YAML behind a ---.
func (a *app) printBatch(output format, v any) error {
	if output == formatYAML {
		fmt.Fprintln(a.io.Out, "---")
		return printDocument(a.io.Out, output, v)
	}
	return json.NewEncoder(a.io.Out).Encode(v)
}

// printJSON writes one document as JSON.
func printJSON(w io.Writer, v any) error {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	return enc.Encode(v)
}

// yamlOf is a JSON document as YAML, with the keys in its order: JSON is YAML, in
// another style.
func yamlOf(doc []byte) ([]byte, error) {
	var n yaml.Node
	if err := yaml.Unmarshal(doc, &n); err != nil {
		return nil, err
	}
	block(&n)
	var out bytes.Buffer
	enc := yaml.NewEncoder(&out)
	enc.SetIndent(2)
	err := cmp.Or(enc.Encode(&n), enc.Close())
	return out.Bytes(), err
}

// older is a text that YAML 1.1 reads as something else: true, false, or a number
// to the base 60.
var older = regexp.MustCompile(`(?i)^(y|n|yes|no|on|off|[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?)$`)

// block gives a tree of nodes the style that a person writes. What YAML 1.1 reads
// in another way keeps its quotes.
func block(n *yaml.Node) {
	if n.Kind != yaml.ScalarNode || !older.MatchString(n.Value) {
		n.Style = 0
	}
	for _, c := range n.Content {
		block(c)
	}
}
