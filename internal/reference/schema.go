package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"pgtui/cmd/jsonv1"
	"pgtui/plan"
	"pgtui/plan/file"
)

// document is one kind of JSON document, and which commands print it.
type document struct {
	Name    string // of the schema
	Value   any    // of its type
	Command string // that prints it; "" for what no command prints by itself
	Note    string // what else is to know
	Each    bool   // it is about one cluster: several of them are in one "several"
}

// documents are all of them, by name.
func documents() []document {
	return []document{
		{"access", jsonv1.Access{}, "pgtui access CLUSTER -o json", "", true},
		{"action", file.Action{}, "pgtui switchover CLUSTER --dry-run -o json", "and that of every other action; `--out` saves the same", false},
		{"audit", plan.Record{}, "", "a line of the audit file, `~/.local/state/pgtui/audit.jsonl`", false},
		{"candidates", jsonv1.Candidates{}, "pgtui candidates CLUSTER -o json", "", true},
		{"components", jsonv1.Components{}, "pgtui components -o json", "", false},
		{"diff", jsonv1.Diff{}, "pgtui diff CLUSTER -o json", "", true},
		{"doctor", jsonv1.Doctor{}, "pgtui doctor -o json", "", false},
		{"event", jsonv1.Event{}, "pgtui status --watch -o ndjson", "one in each line", false},
		{"failed", jsonv1.Failed{}, "", "within `several`: a cluster that could not be examined", true},
		{"ghosts", jsonv1.Ghosts{}, "pgtui ghosts CLUSTER -o json", "", true},
		{"history", jsonv1.History{}, "pgtui history -o json", "", false},
		{"inventory", jsonv1.Origins{}, "pgtui inventory -o json", "", false},
		{"lint", jsonv1.Lint{}, "pgtui lint -o json", "", false},
		{"logs", jsonv1.Logs{}, "pgtui logs INSTANCE -o json", "with `-f` one in each line", false},
		{"patroni-history", jsonv1.Timelines{}, "pgtui patroni history CLUSTER -o json", "", true},
		{"pgbouncer", jsonv1.Pooler{}, "pgtui pgbouncer INSTANCE -o json", "", false},
		{"plan", jsonv1.Plan{}, "pgtui reload CLUSTER --dry-run -o json", "`--out` saves the same", false},
		{"postgres", jsonv1.Postgres{}, "pgtui postgres INSTANCE -o json", "", false},
		{"report", jsonv1.Report{}, "pgtui report -o json", "report.json of an archive", false},
		{"roles", jsonv1.Roles{}, "pgtui roles CLUSTER -o json", "", true},
		{"routes", jsonv1.Routes{}, "pgtui routes -o json", "", false},
		{"setup", jsonv1.Setup{}, "pgtui doctor --setup -o json", "", false},
		{"several", jsonv1.Several{}, "", "of several clusters, or of a pattern, by a command whose document is about one", false},
		{"status", jsonv1.Status{}, "pgtui status -o json", "with `--watch` one in each line", false},
		{"timeline", jsonv1.Timeline{}, "pgtui timeline CLUSTER -o json", "", false},
		{"trace", jsonv1.Trace{}, "pgtui trace CLUSTER SERVICE -o json", "", false},
		{"version", jsonv1.Version{}, "pgtui version -o json", "", false},
		{"whatif", jsonv1.WhatIf{}, "pgtui whatif CLUSTER -o json", "", false},
	}
}

// about is what the document is, in one line; quote is around what is typed.
func (d *document) about(quote string) string {
	note := strings.ReplaceAll(d.Note, "`", quote)
	switch {
	case d.Command == "":
		return note
	case note == "":
		return quote + d.Command + quote
	}
	return quote + d.Command + quote + "; " + note
}

// index lists the schemas.
func index() string {
	var b strings.Builder
	b.WriteString(head("JSON schemas"))
	b.WriteString("JSON Schema 2020-12, one for each document. [`json.md`](../json.md) explains the documents with an example each.\n" +
		"An object has no other fields than its schema lists. A newer pgtui may add fields: validate with the schemas of the version\n" +
		"that prints the document; they are in its package.\n\n| schema | document |\n|---|---|\n")
	for _, d := range documents() {
		fmt.Fprintf(&b, "| [`%s`](%s.json) | %s |\n", d.Name, d.Name, d.about("`"))
	}
	return b.String()
}

// object is a JSON object in the order in which it is written.
type object []member

type member struct {
	key   string
	value any
}

func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		for k, v := range []any{m.key, m.value} {
			if k == 1 {
				b.WriteByte(':')
			}
			enc := json.NewEncoder(&b)
			enc.SetEscapeHTML(false)
			if err := enc.Encode(v); err != nil {
				return nil, err
			}
		}
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// drawing is a schema that is being made.
type drawing struct {
	spoken comments
	defs   map[string]object
	types  map[string]reflect.Type // of defs
	err    error
}

// schema is the text of a document's schema.
func schema(d *document, spoken comments) (string, error) {
	w := drawing{spoken: spoken, defs: map[string]object{}, types: map[string]reflect.Type{}}
	t := reflect.TypeOf(d.Value)
	root := object{
		{"$schema", "https://json-schema.org/draft/2020-12/schema"},
		{"$comment", "Generated from the code by `make reference`. Do not edit."},
		{"title", d.about("")},
	}
	root = append(root, w.object(t)...)
	if len(w.defs) > 0 {
		var names []string
		for name := range w.defs {
			names = append(names, name)
		}
		slices.Sort(names)
		var defs object
		for _, name := range names {
			defs = append(defs, member{name, w.defs[name]})
		}
		root = append(root, member{"$defs", defs})
	}
	if w.err != nil {
		return "", w.err
	}
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	err := enc.Encode(root)
	return b.String(), err
}

// nameOf is a type as the comments name it.
func nameOf(t reflect.Type) string { return t.PkgPath() + "." + t.Name() }

// object is the schema of a struct.
func (w *drawing) object(t reflect.Type) object {
	var out, properties object
	if text := w.spoken[nameOf(t)]; text != "" {
		out = append(out, member{"description", text})
	}
	required := []string{}
	for _, f := range fieldsOf(t) {
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		optional := strings.Contains(options, "omit")
		properties = append(properties, member{name, w.field(&f, name, optional)})
		if !optional {
			required = append(required, name)
		}
	}
	return append(out, member{"type", "object"}, member{"properties", properties}, member{"required", required}, member{"additionalProperties", false})
}

// field is a field with the type that has it.
type field struct {
	reflect.StructField
	of reflect.Type
}

// fieldsOf are the fields of a struct in JSON, with those of embedded structs.
func fieldsOf(t reflect.Type) (out []field) {
	for i := range t.NumField() {
		f := t.Field(i)
		switch {
		case f.Anonymous && f.Tag.Get("json") == "":
			out = append(out, fieldsOf(f.Type)...)
		case f.IsExported() && f.Tag.Get("json") != "-":
			out = append(out, field{f, t})
		}
	}
	return out
}

// field is the schema of one field. Its comment says where null stands for something.
func (w *drawing) field(f *field, name string, optional bool) object {
	text := w.spoken[nameOf(f.of)+"."+f.Name]
	var out object
	if text != "" && text != "1" {
		out = append(out, member{"description", text})
	}
	switch {
	case name == "version" && f.Type.Kind() == reflect.Int, name == "v":
		return append(out, member{"const", 1})
	case name == "" || w.err != nil:
		w.err = fmt.Errorf("%s.%s has no name in JSON", nameOf(f.of), f.Name)
		return nil
	}
	null := f.Type.Kind() == reflect.Pointer && !optional
	if k := f.Type.Kind(); k == reflect.Slice || k == reflect.Map {
		null = strings.Contains(text, "null")
	}
	return append(out, w.value(f, f.Type, null)...)
}

// value is the schema of a type, or null.
func (w *drawing) value(f *field, t reflect.Type, null bool) object {
	kind := func(names ...string) member {
		if null {
			names = append(names, "null")
		}
		if len(names) == 1 {
			return member{"type", names[0]}
		}
		return member{"type", names}
	}
	switch {
	case t == reflect.TypeFor[time.Time]():
		return object{kind("string"), {"format", "date-time"}}
	case t == reflect.TypeFor[json.RawMessage]():
		return object{kind("object")}
	case nameOf(f.of) == "pgtui/cmd/jsonv1.Several" && t.Kind() == reflect.Interface:
		var any []object
		for _, d := range documents() {
			if d.Each {
				any = append(any, object{{"$ref", d.Name + ".json"}})
			}
		}
		return object{{"anyOf", any}}
	case t.Kind() == reflect.Interface && f.Name == "Port":
		return object{kind("integer", "string")}
	}
	switch t.Kind() {
	case reflect.String:
		return object{kind("string")}
	case reflect.Bool:
		return object{kind("boolean")}
	case reflect.Int, reflect.Int64:
		return object{kind("integer")}
	case reflect.Uint16:
		return object{kind("integer"), {"minimum", 0}, {"maximum", 65535}}
	case reflect.Float64:
		return object{kind("number")}
	case reflect.Pointer:
		return w.value(f, t.Elem(), null)
	case reflect.Slice:
		return object{kind("array"), {"items", w.value(f, t.Elem(), false)}}
	case reflect.Map:
		return object{kind("object"), {"additionalProperties", w.value(f, t.Elem(), false)}}
	case reflect.Struct:
		ref := member{"$ref", "#/$defs/" + w.define(t)}
		if null {
			return object{{"anyOf", []object{{ref}, {{"type", "null"}}}}}
		}
		return object{ref}
	}
	w.err = fmt.Errorf("%s.%s: no schema for %s", nameOf(f.of), f.Name, t)
	return nil
}

// define is the name under which $defs has a struct.
func (w *drawing) define(t reflect.Type) string {
	name := t.Name()
	if was := w.types[name]; was != nil && was != t {
		name = strings.ReplaceAll(t.PkgPath(), "/", "-") + "-" + name
	}
	if w.types[name] == nil {
		w.types[name] = t
		w.defs[name] = w.object(t)
	}
	return name
}
