package node

import (
	"bytes"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
	"pgtui/probe/transport"
)

// Limits of a directory of service files.
const (
	maxConfFiles = 4000    // a provider of hundreds of clusters has some for each
	maxConfFile  = 1 << 20 // bytes
)

// ConfDir is a node's directory of HAProxy service files as it is on disk.
type ConfDir struct {
	Dir     string
	Missing bool // there is no such directory
	Main    bool // /etc/haproxy/haproxy.cfg exists
	Files   map[string]ConfFile
}

// ConfFile is one regular file, or a symbolic link to one: HAProxy reads both.
type ConfFile struct {
	// Data is the content of a service file. It is nil for files whose name
	// does not end in .cfg or begins with a dot, and for haproxy.cfg, which
	// holds passwords.
	Data   []byte
	SHA256 string // of Data, in hex; "" when there is none
	Size   int64  // bytes
	Mode   string // octal, "644"
	Owner  string // "root:root"
	Link   bool   // a symbolic link
	// Changed is when its content or its inode was changed last, by the
	// node's clock, to the second; zero when that is unknown.
	Changed time.Time
}

// Contents are the files by name, with a nil content where none was read.
func (d ConfDir) Contents() map[string][]byte {
	out := make(map[string][]byte, len(d.Files))
	for name, f := range d.Files {
		out[name] = f.Data
	}
	return out
}

// isServiceFile reports whether the content of a file is read. HAProxy passes over
// names that begin with a dot.
func isServiceFile(name string) bool {
	return name[0] != '.' && strings.HasSuffix(name, ".cfg") && name != "haproxy.cfg"
}

//go:embed confdir.sh
var confScript string

// ReadConfDir reads a node's directory of service files. A directory that is
// not there is no error: it is Missing, and has no files.
func ReadConfDir(ctx context.Context, r transport.Runner, t model.SSHTarget, dir string) (ConfDir, error) {
	out, err := r.Run(ctx, transport.Cmd{
		Target: t, Reads: true, Script: confScript,
		Args: []string{dir, strconv.Itoa(maxConfFiles), strconv.Itoa(maxConfFile)},
	})
	if err != nil {
		return ConfDir{}, fmt.Errorf("read %s: %w", dir, err)
	}
	if out.Exit != 0 {
		raw := transport.Words(out.Stderr, 2)
		if raw == "" {
			raw = "exit code " + strconv.Itoa(out.Exit)
		}
		return ConfDir{}, fmt.Errorf("%s: read %s: %s", text.Line(t.Address, 80), dir, raw)
	}
	if out.Truncated {
		return ConfDir{}, fmt.Errorf("%s: read %s: its files are too large together", text.Line(t.Address, 80), dir)
	}
	d, err := parseConfDir(out.Stdout)
	if err != nil {
		return ConfDir{}, fmt.Errorf("%s: read %s: %w", text.Line(t.Address, 80), dir, err)
	}
	d.Dir = dir
	return d, nil
}

// parseConfDir reads what confdir.sh prints:
//
//	pgtui-confdir 1
//	dir 0|1
//	main 0|1
//	files COUNT LINKS
//
// with one digit in LINKS for each file, then five fields for each file (name,
// mode, owner, size, identity), each ended by a NUL; then the contents of the
// service files, one right after the other; then the five fields of those
// again; then "end".
func parseConfDir(b []byte) (ConfDir, error) {
	p := listing{rest: b}
	d := ConfDir{Files: map[string]ConfFile{}}
	p.expect("pgtui-confdir 1")
	d.Missing = p.line("dir ") != "1"
	d.Main = p.line("main ") == "1"
	count, links, _ := strings.Cut(p.line("files "), " ")
	n, err := strconv.Atoi(count)
	if p.bad || err != nil || n < 0 || n > maxConfFiles || n != len(links) {
		return d, errors.New("the answer is not a directory listing")
	}
	before := make([]entry, n)
	for i := range before {
		before[i] = p.entry()
	}
	var services []entry
	for i, e := range before {
		name, ok := strings.CutPrefix(e.name, "./")
		if _, twice := d.Files[name]; p.bad || twice || !ok || name == "" || strings.Contains(name, "/") || e.size < 0 {
			return d, errors.New("the listing is damaged or cut")
		}
		f := ConfFile{Size: e.size, Mode: text.Line(e.mode, 8), Owner: text.Line(e.owner, 80), Link: links[i] == '1', Changed: e.changed()}
		if isServiceFile(name) {
			if e.size > maxConfFile {
				return d, fmt.Errorf("%q has %d bytes: too large for a service file", text.Line(name, 80), e.size)
			}
			f.Data = p.take(int(e.size))
			sum := sha256.Sum256(f.Data)
			f.SHA256 = hex.EncodeToString(sum[:])
			services = append(services, e)
		}
		d.Files[name] = f
	}
	for _, e := range services {
		if p.entry() != e {
			return d, errors.New("a file was changed while it was read: try again")
		}
	}
	if p.expect("end"); p.bad || len(p.rest) > 0 {
		return d, errors.New("the listing is damaged or cut")
	}
	return d, nil
}

// entry is one file as stat prints it.
type entry struct {
	name, mode, owner string
	size              int64  // -1 when it is no number
	identity          string // inode and times
}

// changed is the later of the two times in the identity "inode mtime ctime": a
// file that was moved into place or restored with its old date has changed.
func (e entry) changed() time.Time {
	w := strings.Fields(e.identity)
	if len(w) != 3 {
		return time.Time{}
	}
	last := int64(0)
	for _, s := range w[1:] {
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil || n < 0 || n > 1<<36 {
			return time.Time{}
		}
		last = max(last, n)
	}
	return time.Unix(last, 0).UTC()
}

// listing is what is left to read, and whether it has been as expected.
type listing struct {
	rest []byte
	bad  bool
}

// until takes what comes before the next byte end.
func (p *listing) until(end byte) string {
	i := bytes.IndexByte(p.rest, end)
	if i < 0 {
		p.bad, p.rest = true, nil
		return ""
	}
	s := string(p.rest[:i])
	p.rest = p.rest[i+1:]
	return s
}

// take takes n bytes; never nil.
func (p *listing) take(n int) []byte {
	if n > len(p.rest) {
		p.bad, n = true, len(p.rest)
	}
	b := p.rest[:n:n]
	p.rest = p.rest[n:]
	return append([]byte{}, b...)
}

// line takes a line and returns what follows the word.
func (p *listing) line(word string) string {
	s, ok := strings.CutPrefix(p.until('\n'), word)
	p.bad = p.bad || !ok
	return s
}

func (p *listing) expect(line string) { p.bad = p.line(line) != "" || p.bad }

func (p *listing) entry() entry {
	e := entry{name: p.until(0), mode: p.until(0), owner: p.until(0)}
	size, err := strconv.ParseInt(p.until(0), 10, 64)
	if e.size = size; err != nil || size < 0 {
		e.size = -1
	}
	e.identity = p.until(0)
	return e
}
