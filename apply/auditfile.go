package apply

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/syslog"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"pgtui/internal/text"
	"pgtui/plan"
	"pgtui/source"
)

// Audit is the append-only audit file, one JSON record per line. Each line has the
// hash of the line before and its own, so that later changes are detected. Its owner and mode are checked before it is read or
// written, as ssh checks its own files.
type Audit struct {
	Path   string
	Syslog bool // also write to the system's log
}

// maxAudit bounds the end of the file whose records are kept, in bytes; maxLine bounds one line that is read as a record.
const (
	maxAudit = 64 << 20
	maxLine  = 16 << 20
)

// AuditLog is what an audit file holds.
type AuditLog struct {
	Records []plan.Record // oldest first
	Bad     int           // lines that are not records
	Breaks  []plan.Break  // where the chain of hashes does not hold, in order
}

// Append adds one record and returns once it is on the disk.
func (a *Audit) Append(r plan.Record) error {
	sum, err := a.write(r)
	if err != nil {
		return &source.Hint{Err: fmt.Errorf("the audit file cannot be written: %w", err), Try: cmp.Or(source.TryOf(err), "name a writable file in PGTUI_AUDIT, such as /var/log/pgtui/audit.jsonl")}
	}
	if a.Syslog {
		return tellSyslog(r, sum)
	}
	return nil
}

// write adds the record after the last line and returns the line's hash. It locks
// the file, so that no other process adds a line in between.
func (a *Audit) write(r plan.Record) (string, error) {
	if a.Path == "" {
		return "", errors.New("HOME is not set, and no audit file is configured")
	}
	dir := filepath.Dir(a.Path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	f, err := a.open(os.O_RDWR|os.O_APPEND|os.O_CREATE, syscall.LOCK_EX)
	if err != nil {
		return "", err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return "", err
	}
	last, torn, err := lastLine(f, st.Size())
	if err != nil {
		return "", err
	}
	r.Prev = plan.Sum(last)
	line, hash, err := chained(r)
	if err != nil {
		return "", err
	}
	if torn {
		line = append([]byte{'\n'}, line...) // a torn line stays alone
	}
	if _, err := f.Write(line); err != nil {
		return "", err
	}
	if err := f.Sync(); err != nil {
		return "", err
	}
	if st.Size() == 0 {
		return hash, syncDir(dir)
	}
	return hash, nil
}

// sumField precedes the hash of a line, at the line's end.
const sumField = `,"line_sha256":"`

// chained is the line of a record, with its end of line, and the line's hash.
func chained(r plan.Record) (line []byte, hash string, err error) {
	r.Sum = ""
	text, err := json.Marshal(r)
	if err != nil {
		return nil, "", err
	}
	line = append(text[:len(text)-1:len(text)-1], sumField+plan.Sum(text)+`"}`...)
	return append(line, '\n'), plan.Sum(line), nil
}

// own reports whether a line has a hash of itself, and whether it holds.
func own(line []byte) (has, holds bool) {
	at := len(line) - len(sumField) - 64 - len(`"}`)
	if at < 0 || !bytes.HasPrefix(line[at:], []byte(sumField)) {
		return false, false
	}
	text := append(bytes.Clone(line[:at]), '}')
	return true, string(line[at+len(sumField):at+len(sumField)+64]) == plan.Sum(text)
}

// lastLine is the last line of a file of that size, without its line end; torn
// when it has none.
func lastLine(f io.ReaderAt, size int64) (line []byte, torn bool, err error) {
	const step = 64 << 10
	for from := size; from > 0 && int64(len(line)) < maxAudit; {
		n := min(step, from)
		from -= n
		part := make([]byte, n, n+int64(len(line)))
		if _, err := f.ReadAt(part, from); err != nil {
			return nil, false, err
		}
		if from+n == size {
			torn = part[n-1] != '\n'
			part = bytes.TrimSuffix(part, []byte{'\n'})
		}
		if at := bytes.LastIndexByte(part, '\n'); at >= 0 {
			return append(bytes.Clone(part[at+1:]), line...), torn, nil
		}
		line = append(part, line...)
	}
	return line, torn, nil
}

// lockTries times lockPause is the wait for another pgtui: 10 s.
const (
	lockTries = 500
	lockPause = 20 * time.Millisecond
)

// open opens and locks the file if it can be trusted. A file that was renamed
// while another process held it, as by logrotate, is opened again.
func (a *Audit) open(flags, lock int) (*os.File, error) {
	for range 5 {
		if err := trusted(a.Path, os.Geteuid()); err != nil {
			return nil, err
		}
		f, err := os.OpenFile(a.Path, flags|syscall.O_NONBLOCK, 0o600)
		if err != nil {
			return nil, err
		}
		err = locked(f, lock)
		if err == nil {
			err = trustedFile(a.Path, f.Stat, os.Geteuid())
		}
		if err != nil {
			f.Close()
			return nil, err
		}
		opened, err1 := f.Stat()
		named, err2 := os.Stat(a.Path)
		if err1 == nil && err2 == nil && os.SameFile(opened, named) {
			return f, nil
		}
		f.Close()
	}
	return nil, fmt.Errorf("%s is renamed repeatedly", a.Path)
}

// locked takes the lock of an open file, exclusive or shared, until the file is
// closed. On a file system without locks it does nothing.
func locked(f *os.File, lock int) error {
	for range lockTries {
		switch err := syscall.Flock(int(f.Fd()), lock|syscall.LOCK_NB); {
		case err == nil, errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EOPNOTSUPP):
			return nil
		case errors.Is(err, syscall.EWOULDBLOCK), errors.Is(err, syscall.EINTR):
			time.Sleep(lockPause)
		default:
			return fmt.Errorf("lock %s: %w", f.Name(), err)
		}
	}
	return &source.Hint{Err: fmt.Errorf("another process holds the lock of %s", f.Name()), Try: "fuser -v " + text.Word(f.Name()) + " shows it"}
}

// trusted checks who can write the file of that path: as ssh does for its own
// files, only root and the user with that id may. A file that does not exist is
// accepted when its directory passes the same check.
func trusted(path string, euid int) error {
	dir := filepath.Dir(path)
	st, err := os.Stat(dir)
	if err != nil {
		return err
	}
	sticky := st.Mode()&os.ModeSticky != 0 // only its owner can remove a file there
	if err := only(dir, st, euid, sticky); err != nil {
		return err
	}
	if st, err = os.Lstat(path); errors.Is(err, fs.ErrNotExist) {
		return nil
	} else if err != nil {
		return err
	}
	if st.Mode()&os.ModeSymlink != 0 {
		if err := only(path, st, euid, true); err != nil { // a link's mode has no meaning
			return err
		}
	}
	return trustedFile(path, func() (os.FileInfo, error) { return os.Stat(path) }, euid)
}

// trustedFile is trusted's check of the file itself.
func trustedFile(path string, stat func() (os.FileInfo, error), euid int) error {
	st, err := stat()
	if err != nil {
		return err
	}
	if !st.Mode().IsRegular() {
		return fmt.Errorf("%s is not a regular file", path)
	}
	return only(path, st, euid, false)
}

// only refuses a path that a user other than root and euid owns or can write;
// anyMode skips the second check.
func only(path string, st os.FileInfo, euid int, anyMode bool) error {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return fmt.Errorf("%s: its owner is unknown", path)
	}
	if sys.Uid != 0 && int(sys.Uid) != euid {
		return &source.Hint{
			Err: fmt.Errorf("%s belongs to uid %d, who can change it: expected root or uid %d", path, sys.Uid, euid),
			Try: "check its content, then `chown " + fmt.Sprint(euid) + " " + text.Word(path) + "`, or name another file in PGTUI_AUDIT",
		}
	}
	if mode := st.Mode().Perm(); mode&0o022 != 0 && !anyMode {
		return &source.Hint{
			Err: fmt.Errorf("%s can be written by others: its mode is %04o", path, mode),
			Try: "check its content, then `chmod go-w " + text.Word(path) + "`",
		}
	}
	return nil
}

// tellSyslog writes one line to the system's log, with the hash of the line in the
// file: a truncated file no longer has that line.
func tellSyslog(r plan.Record, sum string) error {
	w, err := syslog.New(syslog.LOG_NOTICE|syslog.LOG_AUTHPRIV, "pgtui")
	if err != nil {
		return &source.Hint{Err: fmt.Errorf("syslog: %w", err), Try: "unset PGTUI_SYSLOG"}
	}
	err = w.Notice(text.Line(fmt.Sprintf("%s %s of %s, plan %s, by %s, line %s: %s %s", r.Kind, r.Action, r.Cluster, r.Plan, r.Who, sum, r.Outcome, r.Error), 900))
	if err = errors.Join(err, w.Close()); err != nil {
		return fmt.Errorf("syslog: %w", err)
	}
	return nil
}

// Read reads the file. A file that does not exist is empty. The chain is checked
// from the first line, whatever the size of the file.
func (a *Audit) Read() (AuditLog, error) {
	if _, err := os.Lstat(a.Path); a.Path == "" || errors.Is(err, fs.ErrNotExist) {
		return AuditLog{}, nil
	}
	f, err := a.open(os.O_RDONLY, syscall.LOCK_SH)
	if err != nil {
		return AuditLog{}, auditError(err)
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return AuditLog{}, auditError(err)
	}
	log, err := readLog(io.LimitReader(f, st.Size()), st.Size()-maxAudit)
	if err != nil {
		return log, auditError(err)
	}
	return log, nil
}

func auditError(err error) error {
	return &source.Hint{Err: fmt.Errorf("the audit file cannot be read: %w", err), Try: source.TryOf(err)}
}

// readLog reads the lines of an audit file. The records of the lines that begin
// before the byte from are not kept.
func readLog(in io.Reader, from int64) (AuditLog, error) {
	var log AuditLog
	c := chain{before: plan.Sum(nil)}
	r := bufio.NewReaderSize(in, 64<<10)
	for at := int64(0); ; {
		line, size, hash, err := nextLine(r)
		if size > 0 {
			c.line++
			rec, ok := c.check(line, hash, &log)
			switch {
			case at < from:
			case ok:
				log.Records = append(log.Records, rec)
			case line == nil || len(bytes.TrimSpace(line)) > 0:
				log.Bad++
			}
		}
		at += size
		if errors.Is(err, io.EOF) {
			return log, nil
		}
		if err != nil {
			return log, err
		}
	}
}

// nextLine reads a line without its end; nil when it is too long. size counts
// its bytes with the end, and hash is of all of them without.
func nextLine(r *bufio.Reader) (line []byte, size int64, hash string, err error) {
	h := sha256.New()
	line = []byte{}
	for {
		part, err := r.ReadSlice('\n')
		size += int64(len(part))
		text := bytes.TrimSuffix(part, []byte{'\n'})
		h.Write(text)
		if line != nil && len(line)+len(text) <= maxLine {
			line = append(line, text...)
		} else {
			line = nil
		}
		if !errors.Is(err, bufio.ErrBufferFull) {
			return line, size, hex.EncodeToString(h.Sum(nil)), err
		}
	}
}

// chain checks the lines of an audit file one after the other.
type chain struct {
	line   int    // number of the line at hand
	before string // hash of the line before it
	began  bool   // a line with hashes was seen: every record after it has them
	told   bool   // the line before it is a break already
}

// mostBreaks bounds how many breaks are listed.
const mostBreaks = 100

// check reads one line and records a break of the chain. ok: it is a record.
func (c *chain) check(line []byte, hash string, log *AuditLog) (r plan.Record, ok bool) {
	ok = json.Unmarshal(line, &r) == nil && r.Run != ""
	what := ""
	switch has, holds := own(line); {
	case !ok:
	case has && !holds:
		what = "the line was changed after it was written"
	case has && r.Prev != c.before && c.line == 1:
		what = "lines before it are missing"
	case has && r.Prev != c.before && !c.told:
		what = fmt.Sprintf("line %d is not the line before it when it was written: lines were changed, removed or added", c.line-1)
	case !has && c.began:
		what = "the line has no hash of the line before: it was changed, or another version of pgtui wrote it"
	}
	c.told = what != ""
	if has, _ := own(line); ok && has {
		c.began = true
	}
	if c.told && len(log.Breaks) < mostBreaks {
		log.Breaks = append(log.Breaks, plan.Break{Line: c.line, What: what})
	}
	c.before = hash
	return r, ok
}
