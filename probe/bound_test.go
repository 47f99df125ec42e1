package probe

import (
	"bytes"
	"encoding/binary"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"pgtui/model"
	"pgtui/probe/postgres"
)

// message is one of PostgreSQL's.
func message(kind byte, body string) []byte {
	return append(binary.BigEndian.AppendUint32([]byte{kind}, uint32(len(body)+4)), body...)
}

// hostile is a server that lets everybody in and then does what it likes.
type hostile struct {
	sent  atomic.Int64
	login bool   // it sends before it has let anybody in
	first []byte // once
	again []byte // for ever
}

func (h *hostile) serve(c net.Conn) {
	readStartup(c)
	write := func(b []byte) bool {
		n, err := c.Write(b)
		h.sent.Add(int64(n))
		return err == nil
	}
	if !h.login {
		write(bytes.Join([][]byte{message('R', "\x00\x00\x00\x00"), message('K', "\x00\x00\x00\x01\x00\x00\x00\x01"), message('Z', "I")}, nil))
		var b [1024]byte
		if n, err := c.Read(b[:]); n == 0 || err != nil {
			return
		}
	}
	for write(h.first) && len(h.again) > 0 && write(h.again) && h.sent.Load() < 1<<30 {
		h.first = nil
	}
}

// TestHostileServer holds that no server makes pgtui read, or make room for,
// more than an answer needs.
func TestHostileServer(t *testing.T) {
	columns := "\x00\x01a\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x19\xff\xff\xff\xff\xff\xff\x00\x00"
	row := message('D', "\x00\x01\x00\x00\x40\x00"+strings.Repeat("x", 0x4000))
	notice := message('N', "SNOTICE\x00M"+strings.Repeat("n", 1<<15)+"\x00\x00")
	announced := func(kind byte) []byte { return binary.BigEndian.AppendUint32([]byte{kind}, 0x3ffffff0) }
	chunk := bytes.Repeat([]byte("x"), 1<<16)
	settings := &bytes.Buffer{}
	for i := range 2000 {
		settings.Write(message('S', "name"+strings.Repeat("n", i%50)+string(rune('a'+i%26))+"\x00"+strings.Repeat("v", 500)+"\x00"))
	}
	for name, h := range map[string]*hostile{
		"rows for ever":               {first: message('T', columns), again: row},
		"rows, two too many":          {first: bytes.Join([][]byte{message('T', columns), message('D', "\x00\x01\x00\x00\x00\x01x"), message('D', "\x00\x01\x00\x00\x00\x01x")}, nil), again: row},
		"results for ever":            {again: bytes.Join([][]byte{message('T', columns), message('C', "SELECT 0\x00")}, nil)},
		"a row of a gigabyte":         {first: append(message('T', columns), announced('D')...), again: chunk},
		"an error of a gigabyte":      {first: announced('E'), again: chunk},
		"notices for ever":            {again: notice},
		"settings for ever":           {again: settings.Bytes()},
		"notices before the login":    {login: true, again: notice},
		"settings before the login":   {login: true, again: settings.Bytes()},
		"a login of a gigabyte":       {login: true, first: announced('R'), again: chunk},
		"an error before the login":   {login: true, first: announced('E'), again: chunk},
		"mechanisms without an end":   {login: true, first: announced('R'), again: []byte("SCRAM-SHA-256\x00")},
		"a very long error":           {login: true, again: message('E', "SFATAL\x00C28000\x00M"+strings.Repeat("e", 1<<15)+"\x00\x00")},
		"no protocol, only the bytes": {login: true, again: chunk},
	} {
		t.Run(name, func(t *testing.T) {
			addr := server(t, h.serve)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for _, got := range New(Options{}).Prove(t.Context(), port(addr), 1) {
				if try := got.Value.Tries[0]; try.Fault == "" || len(try.Text) > 300 {
					t.Errorf("%+v", try)
				}
			}
			runtime.ReadMemStats(&after)
			if n := (after.TotalAlloc - before.TotalAlloc) >> 20; n > 32 {
				t.Errorf("%d MB were allocated", n)
			}
			if n := h.sent.Load() >> 20; n > 64 { // the kernel takes some of it
				t.Errorf("%d MB were sent", n)
			}
		})
	}
}

// TestRequireAuth holds that a password goes to nobody who asks for it in a way
// that is not allowed.
func TestRequireAuth(t *testing.T) {
	for _, tt := range []struct {
		name, allow, ask, want string
	}{
		{"clear text", "", "\x00\x00\x00\x03", "in clear text: it was not sent"},
		{"clear text, only SCRAM is allowed", "scram-sha-256", "\x00\x00\x00\x03", "no password was sent"},
		{"MD5, only SCRAM is allowed", "scram-sha-256", "\x00\x00\x00\x05salt", "no password was sent"},
		{"nothing, only SCRAM is allowed", "scram-sha-256", "\x00\x00\x00\x00", "no password was sent"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			answer := make(chan byte, 8)
			addr := server(t, func(c net.Conn) {
				readStartup(c)
				_, _ = c.Write(message('R', tt.ask))
				var b [1]byte
				if n, _ := c.Read(b[:]); n > 0 {
					answer <- b[0]
				}
			})
			for _, got := range New(Options{RequireAuth: tt.allow}).Prove(t.Context(), port(addr), 1) {
				if try := got.Value.Tries[0]; try.Fault != model.FaultAuth || !strings.Contains(try.Text, tt.want) {
					t.Errorf("%+v", try)
				}
			}
			select {
			case b := <-answer:
				if b == 'p' {
					t.Error("a password was sent")
				}
			default:
			}
		})
	}
	for methods, good := range map[string]bool{"scram-sha-256": true, "scram-sha-256,md5": true, "!password": true, "": true, "scram": false, "x y": false, "!password,md5": false, "md5 host=evil": false} {
		if err := postgres.CheckAuth(methods); (err == nil) != good {
			t.Errorf("%q: %v", methods, err)
		}
	}
}
