package cmd

import (
	"bytes"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"gopkg.in/yaml.v3"
)

// TestYAMLIsTheDocument: what programs read of -o yaml is what they read of -o
// json, with the keys in the same order, whatever the texts are.
func TestYAMLIsTheDocument(t *testing.T) {
	type doc struct {
		Zulu  string         `json:"zulu"`
		Alpha []string       `json:"alpha"`
		None  []int          `json:"none"`
		Null  *int           `json:"null"`
		Big   int64          `json:"big"`
		Part  float64        `json:"part"`
		True  bool           `json:"true"`
		More  map[string]any `json:"more"`
	}
	in := doc{
		Zulu: "a: b # c\n--- \n\tx", Alpha: []string{"yes", "No", "on", "null", "~", "1e3", "0x1f", "12:30:45", "true", "", " lead", "- dash", "ü \u2028", "\u0001", "*x", "&y", "!z", "%", "@"},
		None: []int{}, Big: 9007199254740993, Part: 12.5, True: true, More: map[string]any{"a": map[string]any{}, "b": []any{[]any{1, 2}}},
	}
	var asJSON, asYAML bytes.Buffer
	if err := printDocument(&asJSON, formatJSON, in); err != nil {
		t.Fatal(err)
	}
	if err := printDocument(&asYAML, formatYAML, in); err != nil {
		t.Fatal(err)
	}
	var fromJSON, fromYAML any
	dec := json.NewDecoder(&asJSON)
	if err := dec.Decode(&fromJSON); err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(asYAML.Bytes(), &fromYAML); err != nil {
		t.Fatalf("%v\n%s", err, asYAML.String())
	}
	back, err := json.Marshal(fromYAML)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(back, &fromYAML); err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(fromJSON, fromYAML) {
		t.Errorf("JSON has %v, YAML %v:\n%s", fromJSON, fromYAML, asYAML.String())
	}
	at := -1
	for _, key := range []string{"zulu:", "alpha:", "none: []", "\"null\": null", "big: 9007199254740993", "part: 12.5", "\"true\": true", "more:"} {
		i := strings.Index(asYAML.String(), key)
		if i <= at {
			t.Errorf("%s is missing or not in JSON's order:\n%s", key, asYAML.String())
		}
		at = i
	}
	for _, quoted := range []string{`"yes"`, `"No"`, `"on"`, `"12:30:45"`, `"1e3"`} {
		if !strings.Contains(asYAML.String(), quoted) {
			t.Errorf("%s lost its quotes:\n%s", quoted, asYAML.String())
		}
	}
}

// TestJSONComesWithYAMLAndWide: every command that has one of the three has all.
func TestJSONComesWithYAMLAndWide(t *testing.T) {
	seen := 0
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if f := c.LocalNonPersistentFlags().Lookup("output"); f != nil {
			of := f.Value.(*choice).of
			seen++
			for _, want := range []string{"wide", "json", "yaml"} {
				if !strings.Contains(" "+strings.Join(of, " ")+" ", " "+want+" ") {
					t.Errorf("%s -o has %v, and not %s", c.CommandPath(), of, want)
				}
			}
		}
		for _, s := range c.Commands() {
			walk(s)
		}
	}
	walk(newApp(IO{Getenv: func(string) string { return "" }}).root())
	if seen < 20 {
		t.Errorf("only %d commands have -o: the walk is broken", seen)
	}
}

// TestColour: the flag counts before NO_COLOR, which counts before CLICOLOR_FORCE;
// documents have none.
func TestColour(t *testing.T) {
	for _, tt := range []struct {
		args string
		env  map[string]string
		want bool
	}{
		{"inventory -o table", nil, false},
		{"status", nil, false},
		{"status", map[string]string{"CLICOLOR_FORCE": "1"}, true},
		{"status", map[string]string{"CLICOLOR_FORCE": "0"}, false},
		{"status", map[string]string{"CLICOLOR_FORCE": "1", "NO_COLOR": "1"}, false},
		{"status --color always", map[string]string{"NO_COLOR": "1"}, true},
		{"status --color never", map[string]string{"CLICOLOR_FORCE": "1"}, false},
		{"status -o json --color always", nil, false},
		{"status -o yaml --color always", nil, false},
		{"status -o wide --color always", nil, true},
	} {
		n := touchable(t) // its nodes answer nothing, so that its state is unknown
		env := map[string]string{"HOME": n.dir, "PGTUI_INVENTORY": n.inventory, "TERM": "xterm"}
		for k, v := range tt.env {
			env[k] = v
		}
		var out, errs bytes.Buffer
		Run(t.Context(), strings.Fields(tt.args), IO{In: strings.NewReader(""), Out: &out, Err: &errs, Getenv: func(k string) string { return env[k] }})
		if got := strings.Contains(out.String(), "\x1b["); got != tt.want || out.Len() == 0 {
			t.Errorf("pgtui %s with %v: colours %v, want %v\n%s%s", tt.args, tt.env, got, tt.want, out.String(), errs.String())
		}
	}
}
