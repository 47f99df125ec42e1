package haproxy

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unique"

	"pgtui/internal/text"
)

// Types of a row on the stats page.
const (
	rowFrontend = "0"
	rowBackend  = "1"
	rowServer   = "2"
	rowListener = "3"
)

// ParseStats reads a stats page in CSV as HAProxy 2.4 to 3.x write it, by the
// names in its header: columns move between versions. A page that lacks a
// column that decides the routing, or has a row that is cut, is an error. A row
// whose values cannot be read is counted as damaged: a server that is unknown
// must not look like one that does not exist.
func ParseStats(page []byte) (Stats, error) {
	if !bytes.HasPrefix(page, []byte("# pxname,")) {
		return Stats{}, fmt.Errorf("not a stats page: it begins with %q",
			text.Line(string(page[:min(len(page), 400)]), 40))
	}
	in := rows{rest: page[len("# "):]}
	header, err := in.next()
	if err != nil {
		return Stats{}, fmt.Errorf("header of the stats page: %w", err)
	}
	var t table
	for i, name := range header {
		if c := columnOf(name); c != unread {
			t.at[c] = i + 1
		}
	}
	for _, need := range []string{"svname", "type", "status", "weight", "bck"} {
		if t.at[columnOf([]byte(need))] == 0 {
			return Stats{}, fmt.Errorf("the stats page has no column %q", need)
		}
	}
	stats := Stats{Proxies: make([]Proxy, 0, min(1000, bytes.Count(page, []byte(",FRONTEND,"))))}
	index := make(map[string]int, cap(stats.Proxies))
	for {
		t.row, err = in.next()
		if errors.Is(err, io.EOF) {
			return stats, nil
		}
		if err != nil {
			return Stats{}, fmt.Errorf("stats page is cut or damaged: %w", err)
		}
		t.add(&stats, index)
	}
}

// rows reads CSV a row at a time. HAProxy quotes a field only where it must:
// rows without a quote are split in place. The first row with a quote and all
// rows after it are read by encoding/csv. All rows must be as long as the first.
type rows struct {
	rest   []byte
	fields [][]byte
	n      int         // fields of the first row; 0 before it
	quoted *csv.Reader // reads the rest after the first quote; nil before
}

// next is the next row, valid until the call after it; io.EOF after the last.
func (r *rows) next() ([][]byte, error) {
	for r.quoted == nil && len(r.rest) > 0 {
		line, rest, _ := bytes.Cut(r.rest, []byte("\n"))
		if bytes.IndexByte(line, '"') >= 0 {
			r.quoted = csv.NewReader(bytes.NewReader(r.rest))
			r.quoted.FieldsPerRecord = r.n
			break
		}
		r.rest = rest
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			continue
		}
		if r.n == 0 {
			r.fields = make([][]byte, 0, 1+bytes.Count(line, []byte(",")))
		}
		r.fields = r.fields[:0]
		for more := true; more; {
			var field []byte
			field, line, more = bytes.Cut(line, []byte(","))
			r.fields = append(r.fields, field)
		}
		if r.n == 0 {
			r.n = len(r.fields)
		}
		if len(r.fields) != r.n {
			return nil, csv.ErrFieldCount
		}
		return r.fields, nil
	}
	if r.quoted == nil {
		return nil, io.EOF
	}
	row, err := r.quoted.Read()
	r.fields = r.fields[:0]
	for _, field := range row {
		r.fields = append(r.fields, []byte(field))
	}
	return r.fields, err
}

// column is one that is read.
type column int

const (
	unread column = iota
	pxname
	svname
	rowType
	status
	weight
	uweight
	bck
	scur
	slim
	rate
	qcur
	qlimit
	stot
	econ
	lastchg
	throttle
	addr
	checkStatus
	checkCode
	checkDuration
	lastChk
	nColumns
)

// columnOf is the column of that name in the header.
func columnOf(name []byte) column {
	switch string(name) {
	case "pxname":
		return pxname
	case "svname":
		return svname
	case "type":
		return rowType
	case "status":
		return status
	case "weight":
		return weight
	case "uweight":
		return uweight
	case "bck":
		return bck
	case "scur":
		return scur
	case "slim":
		return slim
	case "rate":
		return rate
	case "qcur":
		return qcur
	case "qlimit":
		return qlimit
	case "stot":
		return stot
	case "econ":
		return econ
	case "lastchg":
		return lastchg
	case "throttle":
		return throttle
	case "addr":
		return addr
	case "check_status":
		return checkStatus
	case "check_code":
		return checkCode
	case "check_duration":
		return checkDuration
	case "last_chk":
		return lastChk
	}
	return unread
}

// table is one row of the page and the places of its columns.
type table struct {
	at  [nColumns]int // counted from 1; 0 when the page has no such column
	row [][]byte
}

// add adds the row to its section, which index finds by name. A row that cannot
// be read is counted: its server is unknown, not missing.
func (t *table) add(stats *Stats, index map[string]int) {
	kind := string(t.raw(rowType))
	if kind == rowListener {
		return
	}
	name := t.text(pxname)
	if name == "" {
		stats.Damaged++
		return
	}
	i, ok := index[name]
	if !ok {
		i = len(stats.Proxies)
		index[name] = i
		stats.Proxies = append(stats.Proxies, Proxy{Name: name})
	}
	px := &stats.Proxies[i]
	switch kind {
	case rowFrontend, rowBackend:
		row := &px.Front
		if kind == rowBackend {
			row = &px.Back
		}
		if *row = t.proxyRow(); row.Status == "" {
			px.Damaged++
		}
	case rowServer:
		s, ok := t.server()
		if !ok {
			px.Damaged++
			return
		}
		if px.Servers == nil {
			px.Servers = make([]ServerRow, 0, 4)
		}
		px.Servers = append(px.Servers, s)
	default:
		px.Damaged++
	}
}

func (t *table) proxyRow() ProxyRow {
	return ProxyRow{
		Status:      t.text(status),
		Sessions:    t.number(scur, 0),
		Limit:       t.number(slim, 0),
		SessionRate: t.number(rate, 0),
		Queue:       t.number(qcur, 0),
		Total:       t.number(stot, 0),
		LastChange:  t.number(lastchg, 0),
	}
}

// server reads a server row; false when its name, status, weight or kind of
// server cannot be read.
func (t *table) server() (ServerRow, bool) {
	s := ServerRow{
		Name:        t.text(svname),
		Status:      t.text(status),
		UserWeight:  int(t.number(uweight, -1)),
		CheckStatus: strings.TrimPrefix(t.text(checkStatus), "* "),
		CheckCode:   int(t.number(checkCode, 0)),
		CheckDesc:   t.text(lastChk),
		CheckMs:     t.number(checkDuration, -1),
		LastChange:  t.number(lastchg, 0),
		Sessions:    t.number(scur, 0),
		Limit:       t.number(slim, 0),
		SessionRate: t.number(rate, 0),
		Queue:       t.number(qcur, 0),
		QueueLimit:  t.number(qlimit, 0),
		Total:       t.number(stot, 0),
		Errors:      t.number(econ, 0),
		Throttle:    int(t.number(throttle, 0)),
		Addr:        t.text(addr),
	}
	w, err := strconv.ParseUint(string(t.raw(weight)), 10, 31)
	s.Weight = int(w)
	bck := string(t.raw(bck))
	s.Backup = bck == "1"
	return s, err == nil && (bck == "0" || bck == "1") && s.Name != "" && s.Status != ""
}

// raw is the text of the column in this row, "" when the page has no such column.
func (t *table) raw(c column) []byte {
	if i := t.at[c]; i > 0 && i <= len(t.row) {
		return t.row[i-1]
	}
	return nil
}

// text is the column as text that is safe to print. Thousands of rows have the
// same few words: each is kept once.
func (t *table) text(c column) string {
	return unique.Make(text.Line(string(t.raw(c)), text.MaxNote)).Value()
}

// number is the column as a number; missing when it is empty or not a number.
func (t *table) number(c column, missing int64) int64 {
	digits := t.raw(c)
	if len(digits) == 0 {
		return missing // many columns are empty: an error would cost memory
	}
	n, err := strconv.ParseInt(string(digits), 10, 64)
	if err != nil || n < 0 || n > 1<<53 {
		return missing
	}
	return n
}
