package logs

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"

	"pgtui/internal/text"
	"pgtui/model"
)

// The limits of a line, in runes and bytes.
const (
	mostText   = 2000
	mostRecord = 64 << 10 // of a record of csvlog, which may have many lines
)

// parser makes lines of one log. It keeps the begin of a record only.
type parser struct {
	unit    model.LogUnit
	journal bool
	csv     bool
	zone    *time.Location // of the node
	oldest  time.Time      // zero without a limit
	now     time.Time      // on the node, when it began
	record  string         // of csvlog, not complete yet
	last    time.Time      // of the line before
	skips   bool           // it is older than oldest
}

// parseHead reads the first line of logs.sh: "pgtui-log 1 KIND EPOCH OFFSET ZONE
// FROM", with the clock of the node.
func parseHead(line string, u model.LogUnit, since time.Duration) (*parser, model.LogSource, error) {
	w := strings.SplitN(line, " ", 7)
	src := model.LogSource{Unit: u}
	if len(w) != 7 || w[0] != "pgtui-log" || w[1] != "1" {
		return nil, src, errors.New("the answer is not in the expected form")
	}
	epoch, err := strconv.ParseInt(w[3], 10, 64)
	offset, oerr := time.Parse("-0700", w[4])
	if err != nil || oerr != nil {
		return nil, src, errors.New("the node's clock is not in the expected form")
	}
	p := &parser{unit: u, zone: offset.Location(), now: time.Unix(epoch, 0)}
	if since > 0 {
		p.oldest = p.now.Add(-since)
	}
	from := text.Line(w[6], 200)
	switch w[2] {
	case "journal":
		p.journal, src.From = true, "the journal of "+from
	case "file":
		p.csv, src.From = strings.HasSuffix(from, ".csv"), from
	default:
		src.Err = noLog(u)
	}
	return p, src, nil
}

// take takes one line of the log, and returns what is complete.
func (p *parser) take(line string) []model.LogLine {
	switch {
	case p.journal:
		return p.kept(parseJournal(line))
	case p.csv:
		return p.takeCSV(line)
	}
	return p.kept(p.parseText(line))
}

// rest is what is left at the end.
func (p *parser) rest() []model.LogLine {
	record := p.record
	p.record = ""
	if record == "" {
		return nil
	}
	return p.kept(p.parseRecord(record))
}

// kept makes a line fit to be shown, and leaves out what is empty or too old. A line
// without a time is as old as the one before.
func (p *parser) kept(l model.LogLine) []model.LogLine {
	l.Unit, l.Text = p.unit, text.Line(strings.TrimSpace(text.Masked(l.Text)), mostText)
	if l.At.IsZero() {
		l.At = p.last
	} else {
		p.skips = l.At.Before(p.oldest)
	}
	p.last = l.At
	if p.skips || l.Text == "" || l.At.IsZero() && !p.oldest.IsZero() {
		return nil
	}
	return []model.LogLine{l}
}

// parseJournal reads one line of journalctl -o json. MESSAGE is a list of bytes where
// it is not UTF-8, and null where it is too long for that format.
func parseJournal(line string) model.LogLine {
	var e struct {
		At       string          `json:"__REALTIME_TIMESTAMP"`
		Priority string          `json:"PRIORITY"`
		Message  json.RawMessage `json:"MESSAGE"`
	}
	if json.Unmarshal([]byte(line), &e) != nil {
		return model.LogLine{Level: model.LogUnknown, Text: line}
	}
	var l model.LogLine
	if us, err := strconv.ParseInt(e.At, 10, 64); err == nil && us > 0 {
		l.At = time.UnixMicro(us)
	}
	switch e.Priority {
	case "0", "1", "2", "3":
		l.Level = model.LogError
	case "4":
		l.Level = model.LogWarning
	case "5", "6":
		l.Level = model.LogInfo
	case "7":
		l.Level = model.LogDebug
	}
	var numbers []int
	switch {
	case json.Unmarshal(e.Message, &l.Text) == nil && l.Text != "":
	case json.Unmarshal(e.Message, &numbers) == nil && len(numbers) > 0:
		raw := make([]byte, len(numbers))
		for i, n := range numbers {
			raw[i] = byte(n)
		}
		l.Text = string(raw)
	default:
		l.Text = "(a message that the journal does not print)"
	}
	_, l.Text = cutStamp(l.Text)
	if level, rest := levelOf(l.Text); level != model.LogUnknown { // what the program itself shows is more exact
		l.Level, l.Text = level, rest
	}
	return l
}

// The time that a line begins with: ISO with or without a zone, or syslog's. A
// process may follow in brackets.
var (
	stamped = regexp.MustCompile(`^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,9}))?(?: ?([+-]\d\d:?\d\d|Z|[A-Z]{2,5})\b)? *`)
	syslog  = regexp.MustCompile(`^([A-Z][a-z]{2}) ([ \d]\d) (\d\d:\d\d:\d\d) `)
)

// cutStamp takes the time from the begin of a line: day, clock, fraction and zone; nil
// when it begins with none. A level in place of the zone stays in the line.
func cutStamp(line string) (at []string, rest string) {
	m := stamped.FindStringSubmatch(line)
	if m == nil {
		return nil, line
	}
	rest = line[len(m[0]):]
	if severity(m[4]) != model.LogUnknown {
		m[4], rest = "", strings.TrimLeft(line[strings.LastIndex(m[0], m[4]):], " ")
	}
	return m[1:], rest
}

// parseText reads a line of a text log.
func (p *parser) parseText(line string) model.LogLine {
	l := model.LogLine{Text: line}
	if at, rest := cutStamp(line); at != nil {
		l.At, l.Text = p.time(at), rest
	} else if m := syslog.FindStringSubmatch(line); m != nil {
		year := p.now.In(p.zone).Year()
		at, err := time.ParseInLocation("2006 Jan _2 15:04:05", fmt.Sprintf("%d %s %s %s", year, m[1], m[2], m[3]), p.zone)
		if err == nil && at.After(p.now.Add(24*time.Hour)) {
			at = at.AddDate(-1, 0, 0) // December, read in January
		}
		if err == nil {
			l.At = at
		}
		l.Text = line[len(m[0]):]
	}
	l.Level, l.Text = levelOf(l.Text)
	return l
}

// time is a time of a log, in the parts of cutStamp. A zone that is only a name, such
// as CST, is taken for the node's own.
func (p *parser) time(stamp []string) time.Time {
	day, clock, fraction, zone := stamp[0], stamp[1], stamp[2], stamp[3]
	in := p.zone
	switch {
	case zone == "Z" || zone == "UTC" || zone == "GMT":
		in = time.UTC
	case strings.HasPrefix(zone, "+") || strings.HasPrefix(zone, "-"):
		if t, err := time.Parse("-0700", strings.Replace(zone, ":", "", 1)); err == nil {
			in = t.Location()
		}
	}
	at, err := time.ParseInLocation("2006-01-02 15:04:05", day+" "+clock, in)
	if err != nil {
		return time.Time{}
	}
	if fraction != "" {
		ns, _ := strconv.Atoi((fraction + "000000000")[:9])
		at = at.Add(time.Duration(ns))
	}
	return at
}

// leveled is the level in front of a message, behind the process in brackets:
// "[812] LOG C-0x5: ", "INFO: ", "[WARNING]  (812) : ".
var leveled = regexp.MustCompile(`^(?:\S+ haproxy\[\d+\]: )?(?:\[\d+\]:? *)?\[?(DEBUG\d?|NOISE|INFO|LOG|NOTICE|WARNING|WARN|ERROR|FATAL|PANIC|CRITICAL|ALERT|EMERG|DETAIL|HINT|STATEMENT|CONTEXT|QUERY|LOCATION)\b\]?(?: *\(\d+\))? ?:? *`)

// levelOf is the level that a message begins with, and the message without it.
func levelOf(s string) (model.LogLevel, string) {
	m := leveled.FindStringSubmatch(s)
	if m == nil {
		return model.LogUnknown, s
	}
	rest := s[len(m[0]):]
	if l := severity(m[1]); l != model.LogUnknown {
		return l, rest
	}
	return model.LogUnknown, m[1] + ": " + rest // DETAIL and the like belong to the line before
}

// severity is a word for a level, as PostgreSQL, Patroni, pgbouncer and HAProxy
// write it.
func severity(word string) model.LogLevel {
	switch word {
	case "INFO", "LOG", "NOTICE":
		return model.LogInfo
	case "WARNING", "WARN":
		return model.LogWarning
	case "ERROR", "FATAL", "PANIC", "CRITICAL", "ALERT", "EMERG":
		return model.LogError
	case "NOISE":
		return model.LogDebug
	}
	if strings.HasPrefix(word, "DEBUG") {
		return model.LogDebug
	}
	return model.LogUnknown
}

// begins is the begin of a record of csvlog: its time and a comma.
var begins = regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} [^,"]{1,40},`)

// takeCSV puts the lines of a record together. A record that never ends is given
// up where the next begins. What precedes the first is the end of one that began
// before the lines that were read.
func (p *parser) takeCSV(line string) []model.LogLine {
	var out []model.LogLine
	if p.record != "" && begins.MatchString(line) && len(p.record) >= mostRecord {
		out = p.rest()
	}
	switch {
	case p.record == "" && !begins.MatchString(line):
		return out
	case p.record == "":
		p.record = line
	case len(p.record)+len(line) < mostRecord:
		p.record += "\n" + line
	default:
		p.record = (p.record + "\n" + line)[:mostRecord]
	}
	if strings.Count(p.record, `"`)%2 == 0 {
		out = append(out, p.rest()...)
	}
	return out
}

// The columns of csvlog, from PostgreSQL's manual.
const (
	csvTime, csvUser, csvDatabase, csvProcess   = 0, 1, 2, 3
	csvSeverity, csvState, csvMessage           = 11, 12, 13
	csvDetail, csvHint, csvContext, csvStatment = 14, 15, 18, 19
)

// parseRecord reads a whole record of csvlog.
func (p *parser) parseRecord(record string) model.LogLine {
	r := csv.NewReader(strings.NewReader(record))
	r.LazyQuotes, r.FieldsPerRecord = true, -1
	f, err := r.Read()
	if err != nil || len(f) <= csvStatment {
		return p.parseText(record)
	}
	l := model.LogLine{Level: severity(f[csvSeverity])}
	if at, _ := cutStamp(f[csvTime]); at != nil {
		l.At = p.time(at)
	}
	var b strings.Builder
	if f[csvUser] != "" || f[csvDatabase] != "" {
		fmt.Fprintf(&b, "%s@%s ", f[csvUser], f[csvDatabase])
	}
	fmt.Fprintf(&b, "[%s] ", f[csvProcess])
	if s := f[csvSeverity]; s == "FATAL" || s == "PANIC" {
		b.WriteString(s + ": ")
	}
	b.WriteString(f[csvMessage])
	if s := f[csvState]; s != "00000" && s != "" {
		fmt.Fprintf(&b, " (%s)", s)
	}
	for _, more := range []struct {
		title string
		at    int
	}{{"detail", csvDetail}, {"hint", csvHint}, {"context", csvContext}, {"statement", csvStatment}} {
		if f[more.at] != "" {
			fmt.Fprintf(&b, "; %s: %s", more.title, f[more.at])
		}
	}
	l.Text = b.String()
	return l
}
