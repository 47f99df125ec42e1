package transport

import (
	"bytes"
	"strconv"
	"sync"

	"pgtui/internal/guard"
)

// stream takes a program's standard output apart: what comes before the ready
// line, the script's own output, and the line that ends it.
type stream struct {
	end    string       // first word of the last line
	onLine func(string) // may be nil
	forget bool         // the output is not kept

	mu        sync.Mutex
	noise     []byte // before the ready line: banners of a login shell
	out       []byte
	truncated bool
	line      []byte // of the line being read, at most maxLine
	start     int    // of that line in out
	blank     bool   // an empty line that may belong to the end is held back
	begun     bool
	done      bool
	exit      int
	fault     error         // why onLine gets no more lines: it has panicked
	isReady   chan struct{} // closed at the ready line
	isDone    chan struct{} // closed at the end line
}

func newStream(end string, onLine func(string), forget bool) *stream {
	return &stream{end: end, onLine: onLine, forget: forget, isReady: make(chan struct{}), isDone: make(chan struct{})}
}

// Write never fails, and keeps reading when there is more than will be kept,
// so that the script is not stopped by a full pipe.
func (s *stream) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(p)
	for len(p) > 0 && !s.done {
		i := bytes.IndexByte(p, '\n')
		part := p
		if i >= 0 {
			part = p[:i]
		}
		s.take(part)
		if i < 0 {
			break
		}
		p = p[i+1:]
		s.endLine()
	}
	return n, nil
}

// take adds to the current line.
func (s *stream) take(part []byte) {
	s.line = append(s.line, part[:min(len(part), maxLine-len(s.line))]...)
	if s.begun {
		s.keep(part)
	}
}

func (s *stream) keep(b []byte) {
	if s.forget {
		return
	}
	if room := maxStdout - len(s.out); len(b) > room {
		b = b[:room]
		s.truncated = true
	}
	s.out = append(s.out, b...)
}

func (s *stream) endLine() {
	line := s.line
	s.line = s.line[:0]
	if !s.begun {
		if string(bytes.TrimRight(line, "\r")) == ready {
			s.begun = true
			close(s.isReady)
		} else if len(s.noise) < 4<<10 {
			s.noise = append(append(s.noise, line...), '\n')
		}
		return
	}
	if word, code, ok := bytes.Cut(line, []byte(" ")); ok && string(word) == s.end {
		if n, err := strconv.Atoi(string(code)); err == nil && n >= 0 && n < 256 {
			s.finish(n)
			return
		}
	}
	s.keep([]byte{'\n'})
	s.start = len(s.out)
	if s.onLine == nil || s.fault != nil {
		return
	}
	if s.blank {
		s.blank = false
		s.tell("")
	}
	if len(line) == 0 {
		s.blank = true
		return
	}
	s.tell(string(line))
}

// tell hands a line on. The goroutine is os/exec's, which no one else guards.
func (s *stream) tell(line string) {
	if err := guard.Do("reading the output of a script", func() { s.onLine(line) }); err != nil && s.fault == nil {
		s.fault = err
	}
}

// fail makes err the end of the script.
func (s *stream) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fault = err
}

// finish drops the end line and the line feed that was printed before it.
func (s *stream) finish(code int) {
	s.done, s.exit = true, code
	if !s.truncated {
		s.out = s.out[:max(0, s.start-1)]
	}
	close(s.isDone)
}

// bounded keeps the first max bytes and lets the rest go.
type bounded struct {
	mu  sync.Mutex
	max int
	b   []byte
}

// Write never fails.
func (w *bounded) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b = append(w.b, p[:min(len(p), w.max-len(w.b))]...)
	return len(p), nil
}

// bytes is what was kept so far.
func (w *bounded) bytes() []byte {
	w.mu.Lock()
	defer w.mu.Unlock()
	return bytes.Clone(w.b)
}
